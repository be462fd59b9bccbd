// toml++ as one function: the text of a document in, a tree of octets out. Nothing that C++ allocates leaves it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Swift sees a span where a pointer has its length beside it.
#if defined(__has_feature) && __has_feature(bounds_safety_attributes)
#define CTOML_COUNTED_BY(count) __attribute__((__counted_by__(count))) __attribute__((noescape))
#else
#define CTOML_COUNTED_BY(count)
#endif

// How deep arrays and inline tables may nest.
#define CTOML_MAXIMUM_DEPTH 32

// Types of a value in the tree. Each value begins with its type (1 octet), its line and its column (4 each, little-endian,
// counted from 1, columns in Unicode scalars). Then follows:
enum ctoml_type {
    ctoml_string = 1,   // length (4), UTF-8
    ctoml_integer = 2,  // two's complement (8)
    ctoml_boolean = 3,  // 0 or 1 (1)
    ctoml_array = 4,    // count (4), values
    ctoml_table = 5,    // count (4), members: line (4), column (4), length (4) and UTF-8 of the key; then its value
    ctoml_float = 6,    // nothing
    ctoml_date_or_time = 7,  // nothing
};

struct ctoml_result {
    // Octets of the tree, or of the error's message. If `capacity` is less, only the beginning was written.
    size_t size;
    // Line of the syntax error, counted from 1; 0: there is none, and the tree is that of the root table.
    uint32_t line;
    // Column of the syntax error, counted from 1 in Unicode scalars.
    uint32_t column;
};

// Reads a TOML v1.0.0 document into `tree`.
struct ctoml_result ctoml_read(
    const uint8_t *CTOML_COUNTED_BY(length) text, size_t length, uint8_t *CTOML_COUNTED_BY(capacity) tree, size_t capacity);

#ifdef __cplusplus
}
#endif
