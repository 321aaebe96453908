// name-addr and addr-spec with header parameters: From, To, Contact, Route, Record-Route, Path (RFC 3261 20.10, 25.1).
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "ringweir/sip/fault.h"
#include "ringweir/sip/uri.h"

namespace ringweir::sip {

struct NameAddr {
  std::string_view text;        // one element, trimmed, parameters included
  std::string_view display;     // as written, quotes kept; empty when absent
  std::string_view uri;         // without angle brackets
  std::string_view parameters;  // header parameters after the first ';' outside the brackets, without it
};

// One element at the front of `value`; `rest` is what follows its comma (empty at the end). In From and To a comma outside
// quotes and brackets is an error of the caller's grammar: rest is then not empty.
Result<NameAddr> parse_name_addr(std::string_view value, std::string_view& rest) noexcept;
std::optional<std::string_view> tag(const NameAddr& address) noexcept;

// Contact of a REGISTER: "*" alone, or a list with q and expires (RFC 3261 10.2).
struct Contact {
  NameAddr address;
  bool star = false;
  std::uint16_t q_thousandths = 1000;           // 1.0 when absent
  std::optional<std::uint32_t> expires_s;       // a malformed one counts as 3600 (RFC 3261 10.3 step 7)
  std::uint32_t expires_begin = 0;              // into address.text: the ";" of the expires parameter,
  std::uint32_t expires_end = 0;                // and its end; 0 when there is none
};
Result<Contact> parse_contact(std::string_view value, std::string_view& rest) noexcept;

}  // namespace ringweir::sip
