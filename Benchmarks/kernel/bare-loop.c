// The least that any DNS server does for a UDP query on this kernel: epoll_wait, recvmmsg, a constant answer, sendmmsg.
// Every other server's cost is measured against this one's; and it is the upstream of forwarders, as none is cheaper.
//
// usage: bare-loop ADDRESS PORT [TTL [NAMESPACE]...]: in each of the namespaces, by their paths, else where it is

#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer.h"

enum { BATCH = 32, SIZE = 4096 };

static unsigned char packets[BATCH][SIZE];
static struct sockaddr_in6 sources[BATCH];
static struct iovec pieces[BATCH];
static struct mmsghdr messages[BATCH];

// A socket where the thread is, watched.
static int listen_here(int epoll, const struct sockaddr_in *address) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int room = 1 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    if (bind(fd, (const struct sockaddr *)address, sizeof *address) < 0) return perror("bind"), -1;
    struct epoll_event interest = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &interest);
}

int main(int count, char **arguments) {
    if (count < 3) return fprintf(stderr, "usage: bare-loop ADDRESS PORT [TTL [NAMESPACE]...]\n"), 2;
    if (count > 3) {
        uint32_t ttl = htonl((uint32_t)atoi(arguments[3]));
        memcpy(record + 6, &ttl, sizeof ttl);
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(arguments[2]))};
    if (inet_pton(AF_INET, arguments[1], &address.sin_addr) != 1) return fprintf(stderr, "bad address\n"), 2;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event;
    if (count < 5 && listen_here(epoll, &address) < 0) return 1;
    for (int place = 4; place < count; place++) {
        if (setns(open(arguments[place], O_RDONLY | O_CLOEXEC), CLONE_NEWNET) < 0) return perror(arguments[place]), 1;
        if (listen_here(epoll, &address) < 0) return 1;
    }
    for (int slot = 0; slot < BATCH; slot++) {
        messages[slot].msg_hdr.msg_iov = &pieces[slot];
        messages[slot].msg_hdr.msg_iovlen = 1;
        messages[slot].msg_hdr.msg_name = &sources[slot];
    }
    for (;;) {
        if (epoll_wait(epoll, &event, 1, -1) < 1) continue;
        int fd = event.data.fd;
        for (int slot = 0; slot < BATCH; slot++) {
            pieces[slot] = (struct iovec){packets[slot], SIZE};
            messages[slot].msg_hdr.msg_namelen = sizeof sources[slot];
        }
        int received = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL), answers = 0;
        for (int slot = 0; slot < received; slot++) {
            size_t length = answer(pieces[slot].iov_base, messages[slot].msg_len, SIZE);
            if (length == 0) continue;
            pieces[slot].iov_len = length;
            messages[answers++] = messages[slot];
        }
        if (answers > 0) sendmmsg(fd, messages, (unsigned)answers, MSG_DONTWAIT);
        // The headers may have changed places above: each gets its own piece again.
        for (int slot = 0; slot < BATCH; slot++) {
            messages[slot].msg_hdr.msg_iov = &pieces[slot];
            messages[slot].msg_hdr.msg_name = &sources[slot];
        }
    }
}
