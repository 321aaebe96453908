// The timers of RFC 3261 table 4, RFC 6026 section 7 and RFC 3261 16.6 step 11, by their letters.
// `reliable` is a stream: nothing is sent again there, and nothing waits for what cannot arrive twice.
#pragma once
#include <cstdint>

#include "ringweir/base/time.h"

namespace ringweir::transaction {

inline constexpr Duration kT1 = 500ms;  // RFC 3261 17.1.1.1: an estimate of the round trip
inline constexpr Duration kT2 = 4s;     // the longest pause between retransmissions, INVITE requests apart
inline constexpr Duration kT4 = 5s;     // how long a message may stay in the network

inline constexpr Duration kTimerA = kT1;       // INVITE request again, doubling; unreliable only
inline constexpr Duration kTimerB = 64 * kT1;  // INVITE without any response
inline constexpr Duration kTimerC =
    181s;  // INVITE without a final response: more than three minutes (16.6 step 11)
inline constexpr Duration kTimerD =
    64 * kT1;                             // client INVITE, retransmissions of a final response: at least 32 s
inline constexpr Duration kTimerE = kT1;  // other request again, doubling up to T2; unreliable only
inline constexpr Duration kTimerF = 64 * kT1;  // other request without a final response
inline constexpr Duration kTimerG =
    kT1;  // final response to INVITE again, doubling up to T2; unreliable only
inline constexpr Duration kTimerH = 64 * kT1;  // wait for the ACK
inline constexpr Duration kTimerI = kT4;       // server INVITE, retransmissions of the ACK
inline constexpr Duration kTimerJ = 64 * kT1;  // server, retransmissions of another request
inline constexpr Duration kTimerK = kT4;       // client, retransmissions of a response to another request
inline constexpr Duration kTimerL =
    64 * kT1;  // server INVITE after 2xx: retransmissions of it (RFC 6026 7.1)
inline constexpr Duration kTimerM = 64 * kT1;  // client INVITE after 2xx: more of them (RFC 6026 7.2)

inline constexpr Duration k100Trying = 200ms;       // RFC 3261 17.2.1
inline constexpr Duration kAfterCancel = 64 * kT1;  // RFC 3261 9.1: then the INVITE is over, answered or not

constexpr Duration timer_d(bool reliable) noexcept {
  return reliable ? 0s : kTimerD;
}
constexpr Duration timer_i(bool reliable) noexcept {
  return reliable ? 0s : kTimerI;
}
constexpr Duration timer_j(bool reliable) noexcept {
  return reliable ? 0s : kTimerJ;
}
constexpr Duration timer_k(bool reliable) noexcept {
  return reliable ? 0s : kTimerK;
}

// Milliseconds of the monotonic clock: the unit of a transaction's wheel.
using Tick = std::uint64_t;
inline constexpr Tick kNever = ~Tick{0};
constexpr Tick ticks(Duration d) noexcept {
  return static_cast<Tick>(to_ms(d));
}
constexpr Tick to_tick(Instant at) noexcept {
  return ticks(at.time_since_epoch());
}

// When a transaction's timers are due. Two are enough: one sends again, one ends the state. So one node in
// the wheel is enough too, armed for the earlier.
struct Schedule {
  Tick resend = kNever;  // A, E or G; in an INVITE server's Proceeding the 200 ms of 100 Trying
  Tick end = kNever;     // B, C, D, F, H, I, J, K, L or M, whichever the state has
  std::uint32_t timer_c_ms = static_cast<std::uint32_t>(to_ms(kTimerC));  // INVITE client only
  std::uint16_t interval_ms = 0;                                          // from the last sending to `resend`
  bool reliable = false;                                                  // set at start, kept
  bool cancelled = false;  // INVITE client: CANCEL went out, `end` is 64*T1 after it (RFC 3261 9.1)
  Tick next_due() const noexcept { return resend < end ? resend : end; }
  friend bool operator==(const Schedule&, const Schedule&) noexcept = default;
};
static_assert(sizeof(Schedule) == 24);

// Something to be sent again every `first`, then twice as long ...
constexpr void start_resending(Schedule& s, Duration first, Tick now) noexcept {
  s.interval_ms = static_cast<std::uint16_t>(ticks(first));
  s.resend = s.reliable ? kNever : now + s.interval_ms;
}
// ... up to `longest`. Counted from now, not from when it was due: a late turn does not send bursts.
constexpr void resend_later(Schedule& s, Duration longest, Tick now) noexcept {
  const Tick doubled = Tick{s.interval_ms} * 2, most = ticks(longest);
  s.interval_ms = static_cast<std::uint16_t>(doubled < most ? doubled : most);
  s.resend = now + s.interval_ms;
}
static_assert(ticks(64 * kT1) < 65'536, "an interval fits 16 bits");

}  // namespace ringweir::transaction
