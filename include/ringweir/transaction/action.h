// What a transaction asks of the one who drives it: a set. The order in which to do them is the order here.
#pragma once
#include <cstdint>

namespace ringweir::transaction {

enum class Action : std::uint16_t {
  none = 0,                    // absorbed
  send_request = 1u << 0,      // client: the request, for the first time or again (A, E)
  send_ack = 1u << 1,          // client: an ACK for this final response, by RFC 3261 17.1.1.3
  send_trying = 1u << 2,       // server: 100, and keep it as the last response
  send_response = 1u << 3,     // server: the response just given, and keep it as the last
  resend_response = 1u << 4,   // server: the last response again; nothing where none was sent
  pass_request = 1u << 5,      // server: to the transaction's user, once
  pass_ack = 1u << 6,          // server: an ACK to a 2xx (RFC 6026 7.1)
  pass_provisional = 1u << 7,  // client: a 1xx; a proxy does not forward 100 (RFC 3261 16.7 step 5)
  pass_final = 1u << 8,        // client: the final response, once
  pass_more_2xx = 1u << 9,  // client: another 2xx after the first, repeated or of another fork (RFC 6026 7.2)
  tell_timeout = 1u << 10,  // client: treat as 408; server: the ACK never came
  tell_timer_c = 1u << 11,  // client: rang too long, a CANCEL is due (RFC 3261 16.8)
  tell_transport_error = 1u << 12,  // client: treat as 503 (RFC 3261 16.9)
  destroy = 1u << 13,               // terminated: give it back after the rest is done
};

constexpr Action operator|(Action a, Action b) noexcept {
  return static_cast<Action>(static_cast<std::uint16_t>(a) | static_cast<std::uint16_t>(b));
}
constexpr bool has(Action set, Action one) noexcept {
  return (static_cast<std::uint16_t>(set) & static_cast<std::uint16_t>(one)) != 0;
}

}  // namespace ringweir::transaction
