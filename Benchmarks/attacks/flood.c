/* Sends datagrams to 127.0.0.11:53 as fast as the kernel takes them, for some seconds, and reads no answer.
 *
 * flood SECONDS LENGTH OFFSET COUNT: messages of LENGTH octets come from standard input, and are sent in turn; COUNT octets from
 * OFFSET on are letters by chance, anew each time. Prints how many were sent. The kernel cuts each send into SEGMENTS datagrams
 * (udp(7) UDP_SEGMENT): a system call for each would take most of the core. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { SEGMENTS = 64, LONGEST = 512, MOST = 1 << 14 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    static unsigned char messages[MOST * LONGEST];
    int length = atoi(argv[2]), offset = atoi(argv[3]), count = atoi(argv[4]);
    if (length < 1 || length > LONGEST || offset + count > length) return 2;
    int most = fread(messages, length, MOST, stdin);
    if (most < 1) return 2;
    /* A send takes SEGMENTS: the last ones begin from the beginning. */
    int whole = (most + SEGMENTS - 1) / SEGMENTS * SEGMENTS;
    for (int i = most; i < whole; i++) memcpy(messages + i * length, messages + i % most * length, length);
    int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr = {htonl(0x7F00000B)}};
    if (connect(descriptor, (struct sockaddr *)&server, sizeof server) < 0) return 1;
    if (setsockopt(descriptor, SOL_UDP, UDP_SEGMENT, &length, sizeof length) < 0) return perror("UDP_SEGMENT"), 1;
    uint64_t random = 88172645463325252u, sent = 0;
    double end = now() + atof(argv[1]);
    for (int first = 0; now() < end; first = (first + SEGMENTS) % whole) {
        for (int i = first; i < first + SEGMENTS; i++) {
            uint64_t letters = 0;
            for (int k = 0; k < count; k++, letters >>= 4) {
                if (k % 16 == 0) random ^= random << 13, random ^= random >> 7, letters = random ^= random << 17;
                messages[i * length + offset + k] = 'a' + (letters & 15);
            }
        }
        if (send(descriptor, messages + first * length, SEGMENTS * length, 0) > 0) sent += SEGMENTS;
    }
    printf("%llu\n", (unsigned long long)sent);
    return 0;
}
