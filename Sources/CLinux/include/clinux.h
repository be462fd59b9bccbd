// The kernel's interface as Swift can import it: the C library's headers, and shims for what is variadic or a macro.

#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/// The error of this thread's last call, errno(3).
static inline int clinux_errno(void) { return errno; }

/// open(2).
static inline int clinux_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

// glibc's prototypes of the calls below take a union of pointers, which Swift cannot be given a pointer for.

/// bind(2).
static inline int clinux_bind(int fd, const struct sockaddr *address, socklen_t length) {
    return bind(fd, address, length);
}

/// connect(2).
static inline int clinux_connect(int fd, const struct sockaddr *address, socklen_t length) {
    return connect(fd, address, length);
}

/// accept4(2) without the peer's address.
static inline int clinux_accept(int fd, int flags) { return accept4(fd, NULL, NULL, flags); }

/// sendto(2).
static inline ssize_t clinux_send_to(
    int fd, const void *bytes, size_t count, int flags, const struct sockaddr *address, socklen_t length) {
    return sendto(fd, bytes, count, flags, address, length);
}

/// getsockname(2).
static inline int clinux_local_address(int fd, struct sockaddr *address, socklen_t *length) {
    return getsockname(fd, address, length);
}

/// fcntl(2) F_DUPFD_CLOEXEC.
static inline int clinux_duplicate(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, 0); }

/// ioctl_nsfs(2) NS_GET_NSTYPE: the CLONE_NEW* constant of a namespace's type.
static inline int clinux_namespace_type(int fd) { return ioctl(fd, NS_GET_NSTYPE); }

/// pidfd_open(2); glibc has no function for it before 2.36.
static inline int clinux_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0U); }

/// Sets IFF_UP on an interface if it is not set (netdevice(7)); 0, or -1 with errno.
static inline int clinux_bring_up(int fd, const char *name) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (ioctl(fd, SIOCGIFFLAGS, &request) < 0) return -1;
    if (request.ifr_flags & IFF_UP) return 0;
    request.ifr_flags |= IFF_UP;
    return ioctl(fd, SIOCSIFFLAGS, &request);
}

/// The processors that this process may run on, sched_getaffinity(2); 1 where the kernel has more than cpu_set_t.
static inline int clinux_processor_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0) return 1;
    return CPU_COUNT(&set);
}

/// signal(7) SIG_IGN for SIGPIPE: a peer that has gone is an error of write(2), not the end of the process.
static inline void clinux_ignore_sigpipe(void) { signal(SIGPIPE, SIG_IGN); }

