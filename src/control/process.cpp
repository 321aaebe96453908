#include "ringweir/control/process.h"

#include <chrono>

namespace ringweir::control {

Instant system_now() noexcept {
  // CLOCK_MONOTONIC on Linux: the clock of the drivers.
  return Instant{std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())};
}

WallMs system_wall_ms() noexcept {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace ringweir::control
