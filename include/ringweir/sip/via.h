// Via (RFC 3261 20.42, RFC 3581).
#pragma once
#include <cstdint>
#include <string_view>

#include "ringweir/sip/fault.h"

namespace ringweir::sip {

struct Via {
  std::string_view text;        // one element, trimmed
  std::string_view transport;   // "UDP"
  std::string_view host;        // IPv6 reference with brackets
  std::uint16_t port = 0;       // 0: none given
  std::string_view branch;
  std::string_view received;
  std::string_view maddr;
  bool has_rport = false;       // the parameter is there, with or without a value
  std::uint16_t rport = 0;      // its value, 0 when empty
  std::uint32_t rport_offset = 0;  // into text: just behind the name "rport", where "=value" goes
  std::uint32_t rport_end = 0;     // into text: end of an existing "=value", equal to rport_offset when there is none
  std::uint32_t received_offset = 0;  // into text: the ";" of an existing received parameter
  std::uint32_t received_end = 0;     // into text: its end; equal to received_offset when there is none
  bool has_magic_cookie() const noexcept { return branch.starts_with("z9hG4bK"); }
};

// One element at the front of `value`; `rest` is what follows its comma (empty at the end). branch, received and rport
// may be there once (RFC 3261 7.3.1).
Result<Via> parse_via(std::string_view value, std::string_view& rest) noexcept;

}  // namespace ringweir::sip
