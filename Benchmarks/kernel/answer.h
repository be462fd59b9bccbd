// The constant answer of both loops.

#include <string.h>

static unsigned char record[16] = {0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 53, 0, 1};

// Makes a query its own answer: flags, an A record behind the question, OPT behind that. Returns its length; 0: dropped.
static size_t answer(unsigned char *packet, size_t length, size_t room) {
    static const unsigned char opt[11] = {0, 0, 41, 0x04, 0xD0, 0, 0, 0, 0, 0, 0};
    if (length < 12 || length + sizeof record + sizeof opt > room || packet[2] & 0x80) return 0;
    size_t end = 12;
    while (end < length && packet[end] != 0) end += packet[end] + 1u;
    end += 5;
    if (end > length) return 0;
    int edns = packet[11] != 0;
    packet[2] = 0x84 | (packet[2] & 0x79);
    packet[3] = 0x80;
    packet[7] = 1;
    packet[9] = 0;
    memcpy(packet + end, record, sizeof record);
    end += sizeof record;
    if (edns) {
        memcpy(packet + end, opt, sizeof opt);
        end += sizeof opt;
    }
    return end;
}
