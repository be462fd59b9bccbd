// The kernel's interface as Swift can import it: the C library's headers, and functions for what is variadic, a macro, or
// declared for _GNU_SOURCE alone. That is not defined here: other modules import the same headers without it, and a type
// may not look different in two modules.

#pragma once

#include <poll.h>
#include <termios.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <grp.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/inet_diag.h>
#include <linux/magic.h>
#include <linux/net_namespace.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <malloc.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

/// The error of this thread's last call, errno(3).
static inline int clinux_errno(void) { return errno; }

/// Octets of 0, by calloc(3): the program ends where there is no memory for them, as with any other allocation of Swift.
static inline unsigned char *clinux_zeros(size_t count) {
    unsigned char *octets = (unsigned char *)calloc(count, 1);
    if (!octets) abort();
    return octets;
}

/// open(2).
static inline int clinux_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

/// open(2) O_PATH | O_CLOEXEC.
int clinux_open_path(const char *path);

/// openat2(2) of a name below a directory: no symbolic link, no magic link of /proc, and nothing outside (Linux 5.6).
int clinux_open_below(int directory, const char *name, int flags, mode_t mode);

/// open(2) O_PATH, which the C library declares for _GNU_SOURCE alone.
int clinux_path_flag(void);

/// renameat2(2) within a directory; with `exclusive` it fails with EEXIST where there is such a name (Linux 3.15).
int clinux_rename(int directory, const char *from, const char *to, int exclusive);

/// fcntl(2) F_DUPFD_CLOEXEC.
// 1 where a descriptor takes octets at once, 0 where it does not, -1 where it takes none any more.
static inline int clinux_is_writable(int fd) {
    struct pollfd state = {.fd = fd, .events = POLLOUT};
    if (poll(&state, 1, 0) <= 0) return 0;
    return state.revents & (POLLERR | POLLNVAL) ? -1 : 1;
}

// 1 where a descriptor can be read, or is at its end, within so many milliseconds; 0 where not (poll(2)).
static inline int clinux_wait_readable(int fd, int milliseconds) {
    struct pollfd state = {.fd = fd, .events = POLLIN};
    return poll(&state, 1, milliseconds) > 0;
}

// One argument of the process, as main has them; NULL behind the last.
const char *clinux_argument(int index);

// The columns of a terminal; 0 where the descriptor is none.
static inline int clinux_terminal_width(int fd) {
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

// The lines of a terminal; 0 where the descriptor is none.
static inline int clinux_terminal_height(int fd) {
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}

/// Has a terminal hand over each key at once and show none, Ctrl-C and Ctrl-Z too (termios(3)); 0, or -1 with errno.
int clinux_terminal_take_keys(int fd, struct termios *before);

static inline int clinux_duplicate(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, 0); }

/// fcntl(2) O_NONBLOCK on; 0, or -1 with errno.
static inline int clinux_set_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/// fallocate(2) that leaves the file's size as it is.
int clinux_reserve(int fd, off_t offset, off_t length);

/// ioctl_nsfs(2) NS_GET_NSTYPE: the CLONE_NEW* constant of a namespace's type.
static inline int clinux_namespace_type(int fd) { return ioctl(fd, NS_GET_NSTYPE); }

/// The number of that request.
static inline unsigned long clinux_namespace_type_request(void) { return NS_GET_NSTYPE; }

/// setns(2).
int clinux_enter_namespace(int fd, int type);

/// pidfd_open(2).
int clinux_pidfd_open(pid_t pid);

/// Sets IFF_UP on an interface (netdevice(7)): when it returns, the interface has its addresses. 0, or -1 with errno.
int clinux_bring_up(int fd, const char *name);

/// The number of an interface in the namespace of a socket (netdevice(7)); -1 with errno.
int clinux_interface_index(int fd, const char *name);

/// 1 where an interface in the namespace of a socket is up (IFF_UP, netdevice(7)), else 0; -1 with errno.
int clinux_interface_is_up(int fd, const char *name);

/// accept4(2) without the peer's address.
int clinux_accept(int fd, int flags);

/// `struct mmsghdr` of recvmmsg(2) and sendmmsg(2).
struct clinux_mmsghdr {
    struct msghdr msg_hdr;
    unsigned int msg_len;
};

/// recvmsg(2) of one datagram into `count` octets. `came_in_fragments` becomes 1 where the kernel has put the datagram together
/// and the socket has IP_RECVFRAGSIZE or IPV6_RECVFRAGSIZE (Linux 4.11), else 0.
ssize_t clinux_receive_datagram(int fd, void *octets, size_t count, int *came_in_fragments);

/// recvmmsg(2) without a timeout.
int clinux_recvmmsg(int fd, struct clinux_mmsghdr *messages, unsigned int count, int flags);

/// sendmmsg(2).
int clinux_sendmmsg(int fd, struct clinux_mmsghdr *messages, unsigned int count, int flags);

/// The most descriptors that one message carries, unix(7) SCM_RIGHTS.
#define CLINUX_MAX_PASSED 253

/// sendmsg(2) with descriptors (SCM_RIGHTS).
ssize_t clinux_send_passing(int fd, const void *bytes, size_t length, const int *passed, size_t count, int flags);

/// recvmsg(2) with descriptors, close-on-exec; `passed` has room for CLINUX_MAX_PASSED, `count` says how many came.
ssize_t clinux_receive_passed(int fd, void *bytes, size_t length, int *passed, size_t *count, int flags);

/// Where a datagram of a netlink socket came from, netlink(7).
struct clinux_netlink_origin {
    /// The sender's port: 0 is the kernel.
    unsigned int port;
    /// The multicast groups that it was for; 0: for this socket alone.
    unsigned int groups;
    /// Whether `nsid` is set: NETLINK_LISTEN_ALL_NSID, and the namespace has a number.
    int has_nsid;
    int nsid;
    /// Whether the datagram was longer than the room for it.
    int is_truncated;
};

/// recvmsg(2) of a netlink socket, without waiting.
ssize_t clinux_receive_netlink(int fd, void *buffer, size_t length, struct clinux_netlink_origin *origin);

/// bind(2) of a netlink socket to a port of the kernel's choice, then connect(2) to the kernel: it sends to the kernel
/// alone, and the kernel refuses what other processes send to it (ECONNREFUSED), so that nobody else fills its buffer.
int clinux_connect_netlink(int fd);

/// The port that the kernel gave to a netlink socket (getsockname(2)); 0 where it has none.
unsigned int clinux_netlink_port(int fd);

/// `struct ucred` of unix(7).
struct clinux_credentials {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};

/// pthread_setname_np(3) for the calling thread.
int clinux_name_thread(const char *name);

// Of the calling thread, in nanoseconds: asks for it, with policy and niceness as they are; and what is in force.
int clinux_request_slice(uint64_t nanoseconds);
uint64_t clinux_slice(void);

/// The processors that this process may run on, sched_getaffinity(2); 1 where the kernel has more than cpu_set_t.
int clinux_processor_count(void);

/// signal(7) SIG_IGN for SIGPIPE: a peer that has gone is an error of write(2), not the end of the process.
static inline void clinux_ignore_sigpipe(void) { signal(SIGPIPE, SIG_IGN); }

/// netdevice(7) SIOCGSKNS: a descriptor of the network namespace that a socket is of (Linux 4.10).
static inline int clinux_namespace_of_socket(int fd) { return ioctl(fd, SIOCGSKNS); }

// Landlock, landlock(7): a thread gives up access to files, for itself and the threads and programs that it starts.

/// A ruleset that governs every kind of access to files that this header and the kernel know: what no rule allows is refused.
/// -1 where the kernel has no Landlock (ENOSYS) or it is turned off (EOPNOTSUPP).
int clinux_landlock_create(void);

/// Allows to read files and list directories below a directory; with `writes` also to write, make, truncate and remove
/// regular files, and to make and remove directories.
int clinux_landlock_allow(int ruleset, int directory, int writes);

/// Has the calling thread obey the ruleset for good, and take no new privileges by execve(2) (PR_SET_NO_NEW_PRIVS).
int clinux_landlock_obey(int ruleset);
