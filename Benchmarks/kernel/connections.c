/* Holds connections to 127.0.0.11:53 and does something with them, for some seconds; makes those anew that were closed.
 *
 * connections SECONDS MANNER COUNT HEX: the question in hexadecimal digits. Prints how many connections were made.
 *   idle   nothing is sent
 *   loris  a message of 64 KiB, an octet at a time
 *   long   messages of 64 KiB, one after another; answers are read
 *   ask    questions as many as go, and their answers are read
 *   deaf   the same, and no answer is read
 *   each   one question, its answer, and the end
 *   reset  an end by RST at once */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 4096, LONG = 65535 + 2, ROOM = 1 << 16 };

struct connection {
    int descriptor;
    /* Octets of the text that were sent, counted from its beginning each time it has come to its end. */
    size_t sent;
};

static struct connection connections[MOST];
static unsigned char text[LONG], room[ROOM];

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static int begin(void) {
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr = {htonl(0x7F00000B)}};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (descriptor >= 0) connect(descriptor, (struct sockaddr *)&server, sizeof server);
    return descriptor;
}

/* Whether a call failed for more than that it would have had to wait. */
static int failed(ssize_t done) { return done < 0 && errno != EAGAIN && errno != ENOTCONN; }

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    const char *manner = argv[2];
    int count = atoi(argv[3]), loris = !strcmp(manner, "loris"), whole = loris || !strcmp(manner, "long");
    int idle = !strcmp(manner, "idle"), deaf = !strcmp(manner, "deaf"), each = !strcmp(manner, "each"), reset = !strcmp(manner, "reset");
    if (count < 1 || count > MOST) return 2;
    size_t length = strlen(argv[4]) / 2, framed = 2 + (whole ? LONG - 2 : length), size = framed;
    if (length > LONG - 2) return 2;
    text[0] = (framed - 2) >> 8;
    text[1] = (framed - 2) & 255;
    for (size_t i = 0; i < length; i++) {
        char digits[3] = {argv[4][2 * i], argv[4][2 * i + 1], 0};
        text[2 + i] = strtoul(digits, NULL, 16);
    }
    /* As many questions as the text has room for, but where one is all that is asked. */
    for (; !whole && !each && size + framed <= LONG; size += framed) memcpy(text + size, text, framed);
    for (int i = 0; i < count; i++) connections[i].descriptor = -1;
    uint64_t made = 0;
    double end = now() + atof(argv[1]);
    for (int i = 0; now() < end; i = (i + 1) % count) {
        struct connection *it = &connections[i];
        if (it->descriptor < 0) {
            *it = (struct connection){begin(), 0};
            if (it->descriptor < 0) continue;
            made++;
        }
        ssize_t sent = 0, received = -1;
        errno = EAGAIN;
        if (!idle && !reset && !(each && it->sent == size)) {
            sent = send(it->descriptor, text + it->sent, loris ? 1 : size - it->sent, MSG_NOSIGNAL);
            if (sent > 0) it->sent = each ? it->sent + sent : (it->sent + sent) % size;
        }
        int over = failed(sent) || reset;
        if (!over && !deaf) {
            received = recv(it->descriptor, room, ROOM, 0);
            over = received == 0 || failed(received) || (each && received > 0);
        }
        if (!over) continue;
        struct linger at_once = {1, 0};
        if (reset) setsockopt(it->descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(it->descriptor);
        it->descriptor = -1;
    }
    printf("%llu\n", (unsigned long long)made);
    return 0;
}
