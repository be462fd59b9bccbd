// See ccurl.h.

#include "ccurl.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

// Octets of one reply that are kept until they are taken: more than all of any message that is read.
#define LIMIT (96u << 20)

struct octets {
    uint8_t *start;
    size_t length;
    size_t capacity;
};

struct transfer {
    CURL *easy;
    uint64_t number;
    struct octets in, out;
    size_t sent;
    int is_stream;
    int is_paused;
    struct ccurl_end end;
    char error[CURL_ERROR_SIZE];
    struct transfer *next;
};

struct ccurl_loop {
    CURLM *multi;
    struct curl_slist *headers;
    struct transfer *transfers;
    // Octets that were given out last.
    struct octets taken;
    char local[64];
    // Sockets of its connections; those past the array's end are sent to as libcurl does it.
    int sockets[16];
    size_t socket_count;
    // A transfer was started, or more is to be sent, since the last wait.
    int has_begun;
};

static int append(struct octets *octets, const void *data, size_t length) {
    // Nothing may have no address, which memcpy(3) takes for no length.
    if (length == 0) return 0;
    if (length > LIMIT - octets->length) return -1;
    if (octets->length + length > octets->capacity) {
        size_t capacity = 2 * (octets->length + length);
        uint8_t *start = realloc(octets->start, capacity);
        if (!start) return -1;
        octets->start = start;
        octets->capacity = capacity;
    }
    memcpy(octets->start + octets->length, data, length);
    octets->length += length;
    return 0;
}

static size_t take_body(char *data, size_t size, size_t count, void *context) {
    struct transfer *transfer = context;
    return append(&transfer->in, data, size * count) == 0 ? size * count : 0;
}

// Headers and trailers come here, a line each (CURLOPT_HEADERFUNCTION(3)).
static size_t take_header(char *data, size_t size, size_t count, void *context) {
    static const char status[] = "grpc-status:", message[] = "grpc-message:";
    struct transfer *transfer = context;
    size_t length = size * count;
    char line[sizeof transfer->end.message];
    size_t kept = length < sizeof line ? length : sizeof line - 1;
    memcpy(line, data, kept);
    line[kept] = 0;
    line[strcspn(line, "\r\n")] = 0;
    if (!strncasecmp(line, status, sizeof status - 1)) transfer->end.status = atol(line + sizeof status - 1);
    if (!strncasecmp(line, message, sizeof message - 1)) {
        const char *text = line + sizeof message - 1;
        memcpy(transfer->end.message, text + strspn(text, " "), strlen(text + strspn(text, " ")) + 1);
    }
    return length;
}

static size_t give_body(char *data, size_t size, size_t count, void *context) {
    struct transfer *transfer = context;
    size_t rest = transfer->out.length - transfer->sent;
    if (rest == 0) {
        if (!transfer->is_stream) return 0;
        transfer->is_paused = 1;
        return CURL_READFUNC_PAUSE;
    }
    if (rest > size * count) rest = size * count;
    memcpy(data, transfer->out.start + transfer->sent, rest);
    transfer->sent += rest;
    return rest;
}

// A peer that is gone without a word is one in ten seconds, tcp(7).
static int set_options(void *context, curl_socket_t socket, curlsocktype purpose) {
    (void)purpose;
    struct ccurl_loop *loop = context;
    unsigned int milliseconds = 10000;
    setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
    if (loop->socket_count < sizeof loop->sockets / sizeof *loop->sockets) loop->sockets[loop->socket_count++] = socket;
    return CURL_SOCKOPT_OK;
}

static int close_socket(void *context, curl_socket_t socket) {
    struct ccurl_loop *loop = context;
    for (size_t i = 0; i < loop->socket_count; i++) {
        if (loop->sockets[i] == socket) loop->sockets[i--] = loop->sockets[--loop->socket_count];
    }
    return close(socket);
}

// libcurl writes the head of a call and its body one after the other: held together, they are one segment, and wake the peer once.
static void hold(struct ccurl_loop *loop, int is_held) {
    for (size_t i = 0; i < loop->socket_count; i++) {
        setsockopt(loop->sockets[i], IPPROTO_TCP, TCP_CORK, &is_held, sizeof is_held);
    }
}

struct ccurl_loop *ccurl_new(void) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT)) return NULL;
    struct ccurl_loop *loop = calloc(1, sizeof *loop);
    if (!loop) return NULL;
    loop->multi = curl_multi_init();
    loop->headers = curl_slist_append(loop->headers, "Content-Type: application/grpc");
    loop->headers = curl_slist_append(loop->headers, "TE: trailers");
    // A member without a leader ends the watch instead of keeping silent (etcd, api/v3rpc/rpctypes/metadatafields.go).
    loop->headers = curl_slist_append(loop->headers, "hasleader: true");
    loop->headers = curl_slist_append(loop->headers, "Expect:");
    if (!loop->multi || !loop->headers) {
        ccurl_free(loop);
        return NULL;
    }
    // A connection for each transfer at a time: reads do not starve the watch (etcd#15402).
    curl_multi_setopt(loop->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, 4L);
    return loop;
}

static void end_transfer(struct ccurl_loop *loop, struct transfer *transfer) {
    if (transfer->easy) {
        curl_multi_remove_handle(loop->multi, transfer->easy);
        curl_easy_cleanup(transfer->easy);
    }
    free(transfer->in.start);
    free(transfer->out.start);
    free(transfer);
}

void ccurl_stop(struct ccurl_loop *loop, uint64_t number) {
    for (struct transfer **place = &loop->transfers; *place; place = &(*place)->next) {
        struct transfer *transfer = *place;
        if (transfer->number != number) continue;
        *place = transfer->next;
        end_transfer(loop, transfer);
        return;
    }
}

void ccurl_free(struct ccurl_loop *loop) {
    while (loop->transfers) ccurl_stop(loop, loop->transfers->number);
    curl_multi_cleanup(loop->multi);
    curl_slist_free_all(loop->headers);
    free(loop->taken.start);
    free(loop);
}

void ccurl_close_idle(struct ccurl_loop *loop) {
    curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, 0L);
    CURLM *fresh = curl_multi_init();
    if (fresh && !loop->transfers) {
        curl_multi_cleanup(loop->multi);
        loop->multi = fresh;
        curl_multi_setopt(loop->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    } else {
        curl_multi_cleanup(fresh);
    }
    curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, 4L);
}

int ccurl_start(struct ccurl_loop *loop, uint64_t number, const struct ccurl_request *request, const uint8_t *body, size_t length) {
    struct transfer *transfer = calloc(1, sizeof *transfer);
    if (!transfer) return -1;
    transfer->number = number;
    transfer->is_stream = request->is_stream;
    transfer->end.status = -1;
    CURL *easy = transfer->easy = curl_easy_init();
    if (!easy || append(&transfer->out, body, length)) {
        end_transfer(loop, transfer);
        return -1;
    }
    int is_plain = !strncmp(request->url, "http:", 5);
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, is_plain ? "http" : "https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
        is_plain ? (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE : (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
    if (request->authority_file) curl_easy_setopt(easy, CURLOPT_CAINFO, request->authority_file);
    // A new authority counts from the next connection on, not a day later.
    curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
    if (request->certificate_file) curl_easy_setopt(easy, CURLOPT_SSLCERT, request->certificate_file);
    if (request->key_file) curl_easy_setopt(easy, CURLOPT_SSLKEY, request->key_file);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 3000L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, request->timeout);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 15L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 3L);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, set_options);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, loop);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, loop);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, loop->headers);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    // The watch has a connection of its own. libcurl 7.88 begins HTTP/2 anew on a connection without TLS that it uses again.
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, (long)(request->is_stream || is_plain));
    if (!request->is_stream) curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    if (curl_multi_add_handle(loop->multi, easy)) {
        end_transfer(loop, transfer);
        return -1;
    }
    transfer->next = loop->transfers;
    loop->transfers = transfer;
    loop->has_begun = 1;
    return 0;
}

int ccurl_send(struct ccurl_loop *loop, uint64_t number, const uint8_t *body, size_t length) {
    for (struct transfer *transfer = loop->transfers; transfer; transfer = transfer->next) {
        if (transfer->number != number) continue;
        if (transfer->sent == transfer->out.length) transfer->sent = transfer->out.length = 0;
        if (append(&transfer->out, body, length)) return -1;
        loop->has_begun = 1;
        if (transfer->is_paused) {
            transfer->is_paused = 0;
            curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
        }
        return 0;
    }
    return -1;
}

int ccurl_wait(struct ccurl_loop *loop, struct pollfd *descriptors, unsigned int count, int milliseconds) {
    struct curl_waitfd watched[8];
    if (count > sizeof watched / sizeof *watched) return -1;
    for (unsigned int i = 0; i < count; i++) {
        watched[i].fd = descriptors[i].fd;
        watched[i].events = (descriptors[i].events & POLLIN ? CURL_WAIT_POLLIN : 0)
            | (descriptors[i].events & POLLOUT ? CURL_WAIT_POLLOUT : 0);
        watched[i].revents = 0;
    }
    int running, ready;
    if (loop->has_begun) {
        loop->has_begun = 0;
        hold(loop, 1);
        CURLMcode began = curl_multi_perform(loop->multi, &running);
        hold(loop, 0);
        if (began) return -1;
        // Octets and ends that have just come are taken at once: the poll would not wake for them.
        for (struct transfer *transfer = loop->transfers; transfer; transfer = transfer->next) {
            running--;
            if (transfer->in.length) milliseconds = 0;
        }
        if (running < 0) milliseconds = 0;
    }
    if (curl_multi_poll(loop->multi, watched, count, milliseconds, &ready)) return -1;
    if (curl_multi_perform(loop->multi, &running)) return -1;
    for (unsigned int i = 0; i < count; i++) descriptors[i].revents = watched[i].revents ? POLLIN : 0;
    return 0;
}

uint64_t ccurl_received(struct ccurl_loop *loop, const uint8_t **octets, size_t *length) {
    for (struct transfer *transfer = loop->transfers; transfer; transfer = transfer->next) {
        if (!transfer->in.length) continue;
        struct octets empty = loop->taken;
        loop->taken = transfer->in;
        empty.length = 0;
        transfer->in = empty;
        *octets = loop->taken.start;
        *length = loop->taken.length;
        return transfer->number;
    }
    return 0;
}

int ccurl_ended(struct ccurl_loop *loop, struct ccurl_end *end) {
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(loop->multi, &left))) {
        if (message->msg != CURLMSG_DONE) continue;
        struct transfer *transfer = NULL;
        CURLcode result = message->data.result;
        long code = 0;
        char *local = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &code);
        curl_easy_getinfo(message->easy_handle, CURLINFO_LOCAL_IP, &local);
        if (!transfer) continue;
        if (local && *local) {
            strncpy(loop->local, local, sizeof loop->local - 1);
            loop->local[sizeof loop->local - 1] = 0;
        }
        transfer->end.number = transfer->number;
        if (result != CURLE_OK) {
            transfer->end.status = -1;
            const char *reason = transfer->error[0] ? transfer->error : curl_easy_strerror(result);
            strncpy(transfer->end.message, reason, sizeof transfer->end.message - 1);
        } else if (transfer->end.status < 0) {
            snprintf(transfer->end.message, sizeof transfer->end.message, "HTTP status %ld, not gRPC", code);
        }
        *end = transfer->end;
        ccurl_stop(loop, transfer->number);
        return 1;
    }
    return 0;
}

const char *ccurl_local_address(struct ccurl_loop *loop) {
    return loop->local;
}
