// Request-Line and Status-Line (RFC 3261 7.1, 7.2). Private to src/sip.
#pragma once
#include <cstdint>
#include <string_view>

#include "ringweir/sip/fault.h"
#include "ringweir/sip/method.h"

namespace ringweir::sip {

struct StartLine {
  std::string_view method_text;
  std::string_view uri_or_reason;
  std::uint16_t status = 0;
  Method method = Method::unknown;
  // none, start_line, or version: the members are then filled all the same
  Error error;
};

// `line` without its line end. Exactly one SP between the parts: RFC 4475 3.1.2.9 and 3.1.2.10 let an element
// refuse more.
StartLine parse_start_line(std::string_view line) noexcept;

}  // namespace ringweir::sip
