// The first look at a datagram: where is its Call-ID? A scan, not a parse: it decides which shard owns the message.
#pragma once
#include <cstdint>
#include <string_view>

namespace ringweir::sip {

enum class Glance : std::uint8_t {
  message,     // has a Call-ID
  keep_alive,  // only CR and LF (RFC 5626 4.4.1 double CRLF asks for a pong of one CRLF; a single CRLF is a pong)
  no_call_id,  // text without a Call-ID line before the end of the headers
  garbage,     // the first octets cannot begin a SIP message
};

struct Glimpse {
  Glance glance;
  std::string_view call_id;  // trimmed; into the bytes given
};

// Runs on every octet that arrives, so it uses AVX2 where the CPU has it; the portable form is equal by property test.
Glimpse glimpse(std::string_view datagram) noexcept;

namespace detail {
Glimpse glimpse_portable(std::string_view datagram) noexcept;
Glimpse glimpse_avx2(std::string_view datagram) noexcept;  // call only when has_avx2()
bool has_avx2() noexcept;
}  // namespace detail

}  // namespace ringweir::sip
