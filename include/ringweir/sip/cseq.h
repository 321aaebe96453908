// CSeq, Max-Forwards, Expires and their like: numbers (RFC 3261 20.16, 20.19, 20.22).
#pragma once
#include <cstdint>
#include <string_view>

#include "ringweir/sip/fault.h"
#include "ringweir/sip/method.h"

namespace ringweir::sip {

struct CSeq {
  std::uint32_t number;  // below 2^31, RFC 3261 8.1.1.5
  Method method;
  std::string_view method_text;
};
Result<CSeq> parse_cseq(std::string_view value) noexcept;

// delta-seconds and other plain numbers up to 2^32-1; larger saturate (RFC 3261 20.19 allows it), garbage is an error.
Result<std::uint32_t> parse_number(std::string_view value) noexcept;

}  // namespace ringweir::sip
