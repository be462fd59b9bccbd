// libnftables(3), loaded when it is first needed: a machine without it runs everything that does not need it.

#include "clinux.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

// Those of `nftables/libnftables.h` that are called; the library keeps them as long as it has this soname.
static struct {
    void *(*new_context)(uint32_t flags);
    void (*free_context)(void *context);
    int (*buffer_output)(void *context);
    int (*buffer_error)(void *context);
    const char *(*output)(void *context);
    const char *(*error)(void *context);
    int (*run)(void *context, const char *commands);
} nft;

static bool load(void) {
    static bool loaded;
    if (loaded) return true;
    void *library = dlopen("libnftables.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) return false;
    *(void **)&nft.new_context = dlsym(library, "nft_ctx_new");
    *(void **)&nft.free_context = dlsym(library, "nft_ctx_free");
    *(void **)&nft.buffer_output = dlsym(library, "nft_ctx_buffer_output");
    *(void **)&nft.buffer_error = dlsym(library, "nft_ctx_buffer_error");
    *(void **)&nft.output = dlsym(library, "nft_ctx_get_output_buffer");
    *(void **)&nft.error = dlsym(library, "nft_ctx_get_error_buffer");
    *(void **)&nft.run = dlsym(library, "nft_run_cmd_from_buffer");
    loaded = nft.new_context && nft.free_context && nft.buffer_output && nft.buffer_error && nft.output && nft.error &&
             nft.run;
    return loaded;
}

int clinux_nftables_run(const char *commands, char *text, size_t room) {
    text[0] = 0;
    if (!load()) {
        errno = ENOSYS;
        return -1;
    }
    void *context = nft.new_context(0);
    if (!context) {
        errno = ENOMEM;
        return -1;
    }
    // Without buffers it would write to standard output and error.
    nft.buffer_output(context);
    nft.buffer_error(context);
    errno = 0;
    int status = nft.run(context, commands) == 0 ? 0 : -1;
    int reason = errno ? errno : EINVAL;
    const char *said = status == 0 ? nft.output(context) : nft.error(context);
    if (said) {
        strncpy(text, said, room - 1);
        text[room - 1] = 0;
    }
    nft.free_context(context);
    errno = reason;
    return status;
}
