// SIP-URI, SIPS-URI and the absolute URI (RFC 3261 19.1, 25.1). Views into the text given.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "ringweir/sip/fault.h"

namespace ringweir::sip {

enum class Scheme : std::uint8_t { sip, sips, tel, other };

struct Uri {
  std::string_view text;        // the whole
  std::string_view scheme_text;
  std::string_view user;        // escapes kept; empty when absent
  std::string_view password;
  std::string_view host;        // an IPv6 reference with its brackets; for tel and other: the part after the colon
  std::string_view parameters;  // after the first ';', without it: "transport=udp;lr"
  std::string_view headers;     // after '?'
  std::uint16_t port = 0;       // 0: none given
  Scheme scheme = Scheme::other;
};

// `text` is the URI alone (no angle brackets). Offsets of errors are into it.
Result<Uri> parse_uri(std::string_view text) noexcept;

// The value of one parameter, any case of its name; nullopt when absent, empty when it has no value.
std::optional<std::string_view> parameter(std::string_view parameters, std::string_view name) noexcept;

// RFC 3261 19.1.4, every rule and example. Neither a string comparison nor symmetric guesswork.
bool equal(const Uri& a, const Uri& b) noexcept;

// The canonical address of record (RFC 3261 10.3 step 5): "user@host" in `out`, the user unescaped where an escape is not
// needed, the host in lower case, no scheme, port, parameters or headers. nullopt when it does not fit.
std::optional<std::string_view> canonical_aor(const Uri& uri, char* out, std::size_t capacity) noexcept;

}  // namespace ringweir::sip
