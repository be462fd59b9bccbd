// libcurl behind a few functions: its own take any number of arguments, which Swift cannot call. HTTP/2 POSTs, each with a number.
#pragma once

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

struct ccurl_loop;

// Settings of one transfer. Strings end with a NUL and are copied; NULL where there is none.
struct ccurl_request {
    const char *url;
    const char *authority_file;
    const char *certificate_file;
    const char *key_file;
    // Milliseconds for all of it; 0: it goes on for ever.
    long timeout;
    // 1: more is sent later, by `ccurl_send`.
    int is_stream;
};

// The end of a transfer.
struct ccurl_end {
    uint64_t number;
    // The trailer grpc-status; -1: there was none.
    long status;
    // The trailer grpc-message as it came, or the reason why there was no reply.
    char message[1024];
};

// NULL where there is no memory; so everywhere.
struct ccurl_loop *ccurl_new(void);
void ccurl_free(struct ccurl_loop *loop);

// Begins to send `body`; 0: done.
int ccurl_start(struct ccurl_loop *loop, uint64_t number, const struct ccurl_request *request, const uint8_t *body, size_t length);
// Sends more of a stream; 0: done.
int ccurl_send(struct ccurl_loop *loop, uint64_t number, const uint8_t *body, size_t length);
// Ends a transfer without a word; none of that number: nothing.
void ccurl_stop(struct ccurl_loop *loop, uint64_t number);
// Closes connections that no transfer uses.
void ccurl_close_idle(struct ccurl_loop *loop);

// Waits until a transfer or one of the descriptors has something, milliseconds at most, and goes on with all transfers.
int ccurl_wait(struct ccurl_loop *loop, struct pollfd *descriptors, unsigned int count, int milliseconds);
// The next transfer that octets have come for; 0: none has. They are valid until the next call.
uint64_t ccurl_received(struct ccurl_loop *loop, const uint8_t **octets, size_t *length);
// Next end of a transfer; 0: there is none.
int ccurl_ended(struct ccurl_loop *loop, struct ccurl_end *end);
// This end of the connection that came about last, as text; empty: there was none.
const char *ccurl_local_address(struct ccurl_loop *loop);
