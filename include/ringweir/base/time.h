// Time as a value. Nothing here reads a clock: drivers do, and pass `now` in.
#pragma once
#include <chrono>
#include <cstdint>

namespace ringweir {

using Duration = std::chrono::nanoseconds;

// The monotonic clock's type only; `now()` lives in io, so that pure code cannot call it.
struct Monotonic {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Monotonic>;
  static constexpr bool is_steady = true;
};
using Instant = Monotonic::time_point;

// Wall time in milliseconds since 1970, for people (Date, traces), never for timers.
using WallMs = std::int64_t;

using namespace std::chrono_literals;

constexpr std::int64_t to_ms(Duration d) noexcept {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}
constexpr std::int64_t to_s(Duration d) noexcept {
  return std::chrono::duration_cast<std::chrono::seconds>(d).count();
}

}  // namespace ringweir
