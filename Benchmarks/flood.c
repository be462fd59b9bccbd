/* Sends datagrams to 127.0.0.11:53 as fast as the kernel takes them, for some seconds, and reads no answer.
 *
 * flood SECONDS HEX OFFSET COUNT: the message in hexadecimal digits; COUNT octets from OFFSET on are letters by chance, anew in
 * each message. Prints how many were sent. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 64, LONGEST = 512 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    static unsigned char messages[BATCH][LONGEST];
    size_t length = strlen(argv[2]) / 2;
    int offset = atoi(argv[3]), count = atoi(argv[4]);
    if (length > LONGEST || offset + count > (int)length) return 2;
    struct mmsghdr headers[BATCH] = {0};
    struct iovec vectors[BATCH];
    for (int i = 0; i < BATCH; i++) {
        for (size_t k = 0; k < length; k++) {
            char digits[3] = {argv[2][2 * k], argv[2][2 * k + 1], 0};
            messages[i][k] = strtoul(digits, NULL, 16);
        }
        vectors[i] = (struct iovec){messages[i], length};
        headers[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
    }
    int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr = {htonl(0x7F00000B)}};
    if (connect(descriptor, (struct sockaddr *)&server, sizeof server) < 0) return 1;
    uint64_t random = 88172645463325252u, sent = 0;
    double end = now() + atof(argv[1]);
    while (now() < end) {
        for (int i = 0; i < BATCH; i++) {
            for (int k = 0; k < count; k++) {
                random ^= random << 13, random ^= random >> 7, random ^= random << 17;
                messages[i][offset + k] = 'a' + (random >> 32) % 26;
            }
        }
        int done = sendmmsg(descriptor, headers, BATCH, 0);
        if (done > 0) sent += done;
    }
    printf("%llu\n", (unsigned long long)sent);
    return 0;
}
