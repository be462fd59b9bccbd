// toml++ (https://marzer.github.io/tomlplusplus), its exceptions ended here, its tree written out as octets.

#include "ctoml.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string_view>

namespace {

/// A syntax error that toml++ 3.3 does not report but asserts away: `[ = ]`, `[ } ]`.
struct unexpected {
    uint32_t line, column;
    std::string_view expectation;
};

/// Throws what stands at `here`, a code point of toml++'s parser, as an error with its place.
template <typename CodePoint>
[[noreturn]] void refuse(const CodePoint *here, std::string_view condition) {
    const char *expectation = "TOML syntax";
    if (condition.find("is_bare_key_character") != condition.npos) expectation = "expected a key";
    else if (condition.find("is_value_terminator") != condition.npos) expectation = "expected a value";
    throw here ? unexpected{here->position.line, here->position.column, expectation} : unexpected{0, 0, expectation};
}

/// A code point that is nowhere: `cp` is the current one in the parser, and this one everywhere else.
struct no_code_point {
    struct { uint32_t line, column; } position;
};
constexpr const no_code_point *cp = nullptr;

}  // namespace

// An assertion that fails is an error of the document, never the end of the process.
#undef NDEBUG
#define TOML_ASSERT(condition) ((condition) ? void() : refuse(cp, #condition))
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES CTOML_MAXIMUM_DEPTH
#include <toml++/toml.h>

namespace {

/// Writes into a buffer as far as it reaches, and counts on.
class writer {
    uint8_t *const out;
    const size_t capacity;

  public:
    size_t size = 0;

    writer(uint8_t *out, size_t capacity) : out(out), capacity(capacity) {}

    void octets(std::string_view text) {
        if (size < capacity) std::memcpy(out + size, text.data(), std::min(text.size(), capacity - size));
        size += text.size();
    }

    void number(uint64_t value, size_t width) {
        char octet[8];
        for (size_t i = 0; i < width; i++) octet[i] = static_cast<char>(value >> (8 * i));
        octets({octet, width});
    }

    void text(std::string_view text) {
        number(text.size(), 4);
        octets(text);
    }

    void place(const toml::source_position &position) {
        number(position.line, 4);
        number(position.column, 4);
    }

    void value(const toml::node &node) {
        const auto begin = [&](ctoml_type type) {
            number(type, 1);
            place(node.source().begin);
        };
        switch (node.type()) {
            case toml::node_type::string:
                begin(ctoml_string);
                text(node.as_string()->get());
                break;
            case toml::node_type::integer:
                begin(ctoml_integer);
                number(static_cast<uint64_t>(node.as_integer()->get()), 8);
                break;
            case toml::node_type::boolean:
                begin(ctoml_boolean);
                number(node.as_boolean()->get(), 1);
                break;
            case toml::node_type::array:
                begin(ctoml_array);
                number(node.as_array()->size(), 4);
                for (const toml::node &element : *node.as_array()) value(element);
                break;
            case toml::node_type::table:
                begin(ctoml_table);
                number(node.as_table()->size(), 4);
                for (const auto &[key, member] : *node.as_table()) {
                    place(key.source().begin);
                    text(key.str());
                    value(member);
                }
                break;
            case toml::node_type::floating_point:
                begin(ctoml_float);
                break;
            default:
                begin(ctoml_date_or_time);
        }
    }

    ctoml_result failure(const toml::source_position &position, std::string_view message) {
        size = 0;
        octets(message);
        return {size, std::max<uint32_t>(position.line, 1), std::max<uint32_t>(position.column, 1)};
    }
};

}  // namespace

ctoml_result ctoml_read(const uint8_t *text, size_t length, uint8_t *tree, size_t capacity) {
    writer out(tree, capacity);
    try {
        const toml::table root = toml::parse(std::string_view(reinterpret_cast<const char *>(text), length));
        out.value(root);
        return {out.size, 0, 0};
    } catch (const toml::parse_error &error) {
        return out.failure(error.source().begin, error.description());
    } catch (const unexpected &error) {
        return out.failure({error.line, error.column}, error.expectation);
    } catch (const std::bad_alloc &) {
        return out.failure({1, 1}, "there is not enough memory for this document");
    } catch (...) {
        return out.failure({1, 1}, "the document cannot be read");
    }
}
