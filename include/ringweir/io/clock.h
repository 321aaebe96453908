// The clocks. Only drivers read them, once a turn: everything above is told the time.
#pragma once
#include <ctime>

#include "ringweir/base/time.h"

namespace ringweir::io {

inline Instant monotonic_now() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return Instant{std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec}};
}

// The coarse clock: a few milliseconds of grain for a quarter of the price, and people are all who read it.
inline WallMs wall_now_ms() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &t);
  return WallMs{t.tv_sec} * 1'000 + t.tv_nsec / 1'000'000;
}

// The time as a turn sees it: it stands still until read() is called again.
class TurnClock {
 public:
  TurnClock() noexcept { read(); }
  void read() noexcept {
    now_ = monotonic_now();
    wall_ms_ = wall_now_ms();
  }
  Instant now() const noexcept { return now_; }
  WallMs wall_ms() const noexcept { return wall_ms_; }

 private:
  Instant now_{};
  WallMs wall_ms_ = 0;
};

}  // namespace ringweir::io
