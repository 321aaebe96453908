// How long a binding lives, in ticks small enough to share one atomic word with its CSeq.
#pragma once
#include <cstdint>

#include "ringweir/base/time.h"

namespace ringweir::location {

// 100 ms since the monotonic clock's own zero: 32 bits last 13 years of uptime.
using Tick = std::uint32_t;
inline constexpr Duration kTick = 100ms;

// Rounds down: a binding is never alive past what was granted.
constexpr Tick to_tick(Instant at) noexcept {
  return static_cast<Tick>(at.time_since_epoch() / kTick);
}
constexpr Instant to_instant(Tick tick) noexcept {
  return Instant{tick * kTick};
}

}  // namespace ringweir::location
