// The targets of one level that may be chosen now, with the weight that each has now.
#pragma once
#include <array>
#include <cstdint>

#include "ringweir/balance/choose.h"

namespace ringweir::balance {

// Who asks: something that begins, or a call that the farm already has.
enum class Purpose : std::uint8_t { begin, again };

struct Asking {
  const Upstream& upstream;
  const Tried& tried;
  Instant now;
  Random& random;
  Purpose purpose;

  const Target& target(std::uint8_t index) const noexcept { return upstream.targets()[index]; }
  bool usable(std::uint8_t index) const noexcept {
    const TargetState& state = *target(index).state;
    return !tried.has(index) && (purpose == Purpose::begin ? state.usable(now) : state.reachable(now));
  }
  std::uint32_t share(std::uint8_t index) const noexcept {
    return purpose == Purpose::begin ? target(index).state->share(now, upstream.slow_start())
                                     : TargetState::kShareFull;
  }
};

struct Candidate {
  std::uint8_t index;    // into Upstream::targets()
  std::uint32_t weight;  // configured weight times share: 1 to 2^24
};

struct Candidates {
  std::uint32_t count = 0;
  bool starting = false;                                     // at least one is in its slow start
  std::array<Candidate, limits::kTargetsPerUpstreamMax> of;  // not initialised: 2 KiB

  Candidates(const Asking& asking, const Upstream::Level& level, bool equal_weights) noexcept {
    for (const std::uint8_t index : level.members) {
      if (!asking.usable(index)) continue;
      const std::uint32_t share = asking.share(index);
      starting |= share != TargetState::kShareFull;
      of[count++] = {index, (equal_weights ? 1 : asking.target(index).weight) * share};
    }
  }
};

// What a picker found within a level.
struct Pick {
  std::uint8_t index;
  std::uint8_t looks = 0;
  bool displaced = false;
  std::uint64_t figure = 0;
};

}  // namespace ringweir::balance
