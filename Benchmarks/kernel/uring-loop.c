// What the bare loop costs with io_uring in the place of epoll: one receive that goes on for ever, into buffers that the kernel
// picks, and the answers in the submission that waits for the next queries.
//
// usage: uring-loop ADDRESS PORT

#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <liburing.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "answer.h"

enum { BUFFERS = 256, SIZE = 2048, RECEIVED = BUFFERS };

static unsigned char buffers[BUFFERS][SIZE];
static struct msghdr answers[BUFFERS];
static struct iovec pieces[BUFFERS];
static struct io_uring ring;
static struct io_uring_buf_ring *free_buffers;

// Begins to receive: the first descriptor that is registered, until the kernel says otherwise.
static void receive(struct msghdr *form) {
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring);
    io_uring_prep_recvmsg_multishot(entry, 0, form, 0);
    entry->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
    io_uring_sqe_set_data64(entry, RECEIVED);
}

// Sends the answer to what a buffer has; returns whether there is one.
static int reply(unsigned number, int length, struct msghdr *form) {
    struct io_uring_recvmsg_out *received = io_uring_recvmsg_validate(buffers[number], length, form);
    if (!received) return 0;
    unsigned char *packet = io_uring_recvmsg_payload(received, form);
    size_t end = answer(packet, io_uring_recvmsg_payload_length(received, length, form), SIZE - (packet - buffers[number]));
    if (end == 0) return 0;
    pieces[number] = (struct iovec){packet, end};
    answers[number] = (struct msghdr){
        .msg_name = io_uring_recvmsg_name(received), .msg_namelen = received->namelen, .msg_iov = &pieces[number], .msg_iovlen = 1};
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring);
    io_uring_prep_sendmsg(entry, 0, &answers[number], MSG_DONTWAIT);
    entry->flags |= IOSQE_FIXED_FILE;
    io_uring_sqe_set_data64(entry, number);
    return 1;
}

int main(int count, char **arguments) {
    if (count != 3) return fprintf(stderr, "usage: uring-loop ADDRESS PORT\n"), 2;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(arguments[2]))};
    if (inet_pton(AF_INET, arguments[1], &address.sin_addr) != 1) return fprintf(stderr, "bad address\n"), 2;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = 1 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return perror("bind"), 1;

    struct io_uring_params how = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE, .cq_entries = 4 * BUFFERS};
    if (io_uring_queue_init_params(2 * BUFFERS, &ring, &how) < 0) return fprintf(stderr, "no io_uring\n"), 1;
    free_buffers = aligned_alloc(4096, BUFFERS * sizeof(struct io_uring_buf));
    struct io_uring_buf_reg place = {.ring_addr = (uintptr_t)free_buffers, .ring_entries = BUFFERS};
    if (io_uring_register_files(&ring, &fd, 1) < 0 || io_uring_register_buf_ring(&ring, &place, 0) < 0)
        return fprintf(stderr, "no ring of buffers\n"), 1;
    io_uring_buf_ring_init(free_buffers);
    for (int number = 0; number < BUFFERS; number++)
        io_uring_buf_ring_add(free_buffers, buffers[number], SIZE, number, BUFFERS - 1, number);
    io_uring_buf_ring_advance(free_buffers, BUFFERS);

    struct msghdr form = {.msg_namelen = sizeof(struct sockaddr_in)};
    receive(&form);
    for (;;) {
        io_uring_submit_and_wait(&ring, 1);
        struct io_uring_cqe *done;
        unsigned head, seen = 0, freed = 0, ended = 0;
        io_uring_for_each_cqe(&ring, head, done) {
            seen++;
            unsigned number = (unsigned)done->user_data;
            if (number == RECEIVED) {
                ended |= !(done->flags & IORING_CQE_F_MORE);
                if (done->res < 0) continue;
                number = done->flags >> IORING_CQE_BUFFER_SHIFT;
                if (reply(number, done->res, &form)) continue;
            }
            io_uring_buf_ring_add(free_buffers, buffers[number], SIZE, number, BUFFERS - 1, freed++);
        }
        io_uring_cq_advance(&ring, seen);
        io_uring_buf_ring_advance(free_buffers, freed);
        if (ended) receive(&form);
    }
}
