// What the C library declares for _GNU_SOURCE alone, under names that any module may import.

#define _GNU_SOURCE 1

#include "clinux.h"

#include <assert.h>
#include <errno.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <string.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static_assert(sizeof(struct clinux_mmsghdr) == sizeof(struct mmsghdr), "the same structure");
static_assert(sizeof(struct clinux_credentials) == sizeof(struct ucred), "the same structure");

int clinux_open_path(const char *path) { return open(path, O_PATH | O_CLOEXEC); }

// glibc has no function for it.
int clinux_open_below(int directory, const char *name, int flags, mode_t mode) {
    struct open_how how = {
        .flags = (unsigned)flags,
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    int opened = (int)syscall(SYS_openat2, directory, name, &how, sizeof how);
    // systemd's RestrictSUIDSGID= has openat2 fail so, as its mode is not seen by a filter. The name is one component, and no
    // link is followed at the end: that leaves nothing for the kernel to resolve.
    if (opened < 0 && errno == ENOSYS && strchr(name, '/') == NULL && strcmp(name, "..") != 0)
        return openat(directory, name, flags | O_NOFOLLOW, mode);
    return opened;
}

int clinux_path_flag(void) { return O_PATH; }

int clinux_rename(int directory, const char *from, const char *to, int exclusive) {
    return renameat2(directory, from, directory, to, exclusive ? RENAME_NOREPLACE : 0);
}

int clinux_enter_namespace(int fd, int type) { return setns(fd, type); }

// glibc has no function for it before 2.36.
int clinux_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0U); }

int clinux_bring_up(int fd, const char *name) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (ioctl(fd, SIOCGIFFLAGS, &request) < 0) return -1;
    // Also where it says that it is up: another thread or program may be about to bring it up, and it has no address yet.
    // SIOCSIFFLAGS waits for that, as both take the kernel's RTNL lock.
    request.ifr_flags |= IFF_UP;
    return ioctl(fd, SIOCSIFFLAGS, &request);
}

int clinux_interface_index(int fd, const char *name) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    return ioctl(fd, SIOCGIFINDEX, &request) < 0 ? -1 : request.ifr_ifindex;
}

int clinux_interface_is_up(int fd, const char *name) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    return ioctl(fd, SIOCGIFFLAGS, &request) < 0 ? -1 : (request.ifr_flags & IFF_UP) != 0;
}

int clinux_accept(int fd, int flags) { return accept4(fd, NULL, NULL, flags); }

ssize_t clinux_receive_datagram(int fd, void *octets, size_t count, int *came_in_fragments) {
    // Room for both families' messages; where there is more, the kernel cuts it off (MSG_CTRUNC).
    _Alignas(struct cmsghdr) char control[2 * CMSG_SPACE(sizeof(int))];
    struct iovec piece = {.iov_base = octets, .iov_len = count};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t received = recvmsg(fd, &message, 0);
    *came_in_fragments = 0;
    if (received < 0) return received;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part != NULL; part = CMSG_NXTHDR(&message, part)) {
        // A message of this type is there for what came in fragments alone (net/ipv4/ip_sockglue.c, net/ipv6/datagram.c).
        if ((part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVFRAGSIZE) ||
            (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVFRAGSIZE))
            *came_in_fragments = 1;
    }
    return received;
}

int clinux_recvmmsg(int fd, struct clinux_mmsghdr *messages, unsigned int count, int flags) {
    return recvmmsg(fd, (struct mmsghdr *)messages, count, flags, NULL);
}

int clinux_sendmmsg(int fd, struct clinux_mmsghdr *messages, unsigned int count, int flags) {
    return sendmmsg(fd, (struct mmsghdr *)messages, count, flags);
}

int clinux_reserve(int fd, off_t offset, off_t length) { return fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, length); }

// Room for as many descriptors as one message may carry (unix(7) SCM_MAX_FD).
union clinux_control {
    struct cmsghdr header;
    char room[CMSG_SPACE(CLINUX_MAX_PASSED * sizeof(int))];
};

ssize_t clinux_send_passing(int fd, const void *bytes, size_t length, const int *passed, size_t count, int flags) {
    union clinux_control control;
    struct iovec piece = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (count > CLINUX_MAX_PASSED) {
        errno = EINVAL;
        return -1;
    }
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), passed, count * sizeof(int));
    }
    return sendmsg(fd, &message, flags);
}

ssize_t clinux_receive_passed(int fd, void *bytes, size_t length, int *passed, size_t *count, int flags) {
    union clinux_control control;
    struct iovec piece = {.iov_base = bytes, .iov_len = length};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    *count = 0;
    ssize_t received = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
    if (received < 0) return received;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        *count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(passed, CMSG_DATA(header), *count * sizeof(int));
    }
    return received;
}

ssize_t clinux_receive_netlink(int fd, void *buffer, size_t length, struct clinux_netlink_origin *origin) {
    struct sockaddr_nl sender = {0};
    struct iovec piece = {.iov_base = buffer, .iov_len = length};
    union {
        char octets[CMSG_SPACE(sizeof(int))];
        struct cmsghdr alignment;
    } control;
    struct msghdr message = {
        .msg_name = &sender,
        .msg_namelen = sizeof sender,
        .msg_iov = &piece,
        .msg_iovlen = 1,
        .msg_control = control.octets,
        .msg_controllen = sizeof control.octets,
    };
    memset(origin, 0, sizeof *origin);
    ssize_t received = recvmsg(fd, &message, MSG_DONTWAIT);
    if (received < 0) return received;
    origin->port = sender.nl_pid;
    origin->groups = sender.nl_groups;
    origin->is_truncated = (message.msg_flags & MSG_TRUNC) != 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_NETLINK || header->cmsg_type != NETLINK_LISTEN_ALL_NSID) continue;
        memcpy(&origin->nsid, CMSG_DATA(header), sizeof origin->nsid);
        origin->has_nsid = 1;
    }
    return received;
}

int clinux_connect_netlink(int fd) {
    // Port 0 means to bind: any that is free; to connect: the kernel.
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return -1;
    return connect(fd, (struct sockaddr *)&address, sizeof address);
}

unsigned int clinux_netlink_port(int fd) {
    struct sockaddr_nl address = {0};
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) return 0;
    return address.nl_family == AF_NETLINK ? address.nl_pid : 0;
}

int clinux_name_thread(const char *name) { return pthread_setname_np(pthread_self(), name); }

// As in linux/sched/types.h, whose struct sched_param would clash with glibc's; which has neither call before 2.41.
struct attributes {
    uint32_t size;
    uint32_t sched_policy;
    uint64_t sched_flags;
    int32_t sched_nice;
    uint32_t sched_priority;
    uint64_t sched_runtime;
    uint64_t sched_deadline;
    uint64_t sched_period;
};

static long get_attributes(struct attributes *attributes) {
    return syscall(SYS_sched_getattr, 0, attributes, sizeof *attributes, 0U);
}

int clinux_request_slice(uint64_t nanoseconds) {
    struct attributes attributes = {.size = sizeof attributes};
    if (get_attributes(&attributes) < 0) return -1;
    attributes.sched_runtime = nanoseconds;
    return (int)syscall(SYS_sched_setattr, 0, &attributes, 0U);
}

uint64_t clinux_slice(void) {
    struct attributes attributes = {.size = sizeof attributes};
    return get_attributes(&attributes) < 0 ? 0 : attributes.sched_runtime;
}

int clinux_processor_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0) return 1;
    return CPU_COUNT(&set);
}

// glibc calls constructors with main's arguments. Swift reads /proc/self/cmdline instead, and cannot go on without /proc.
static int argument_count;
static char **argument_vector;

__attribute__((constructor)) static void keep_arguments(int count, char **vector) {
    argument_count = count;
    argument_vector = vector;
}

const char *clinux_argument(int index) {
    return index >= 0 && index < argument_count ? argument_vector[index] : NULL;
}

// Linux 6.2, the third version of Landlock; headers of Linux 6.1 lack it.
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

// The kinds of access of a version of Landlock, which a ruleset of that version governs.
static uint64_t landlock_kinds(int version) {
    uint64_t kinds = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
    if (version >= 2) kinds |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3) kinds |= LANDLOCK_ACCESS_FS_TRUNCATE;
    return kinds;
}

static int landlock_version(void) {
    return (int)syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);
}

// glibc has no functions for these three.
int clinux_landlock_create(void) {
    int version = landlock_version();
    if (version < 0) return -1;
    struct landlock_ruleset_attr attributes = {.handled_access_fs = landlock_kinds(version)};
    return (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes.handled_access_fs, 0U);
}

int clinux_landlock_allow(int ruleset, int directory, int writes) {
    uint64_t allowed = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    if (writes)
        allowed |= LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_MAKE_REG |
                   LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR;
    struct landlock_path_beneath_attr rule = {
        .allowed_access = allowed & landlock_kinds(landlock_version()),
        .parent_fd = directory,
    };
    return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0U);
}

int clinux_landlock_obey(int ruleset) {
    // Else the kernel refuses it to a thread without CAP_SYS_ADMIN.
    if (prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) < 0) return -1;
    return (int)syscall(SYS_landlock_restrict_self, ruleset, 0U);
}

int clinux_terminal_take_keys(int fd, struct termios *before) {
    if (tcgetattr(fd, before) != 0) return -1;
    struct termios keys = *before;
    keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    keys.c_cc[VMIN] = 0;
    keys.c_cc[VTIME] = 0;
    return tcsetattr(fd, TCSANOW, &keys);
}
