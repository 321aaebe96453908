// Smooth (weighted) round robin among whichever targets may be used, without a lock: WF2Q+ (Bennett and Zhang
// 1996) with each turn of length 1 and every target always waiting for its next.
#include <algorithm>

#include "balance/pick.h"

namespace ringweir::balance {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
// A turn of a target of weight w is kUnit / w long: at least 2^12, as weights reach 2^24. All arithmetic is
// on differences from `time`, so that wrapping around is harmless.
constexpr std::int64_t kUnit = std::int64_t{1} << 36;
constexpr int kAttempts = 4;

struct Turn {
  std::uint64_t seen;  // the start that was read
  std::int64_t start;  // of the next turn, from `time`
  std::int64_t length;
  std::int64_t end() const noexcept { return start + length; }
};

// A start further from `time` than one turn is left from an absence or from another weight: nothing is owed
// for either.
Turn turn_of(const Turns& turns, const Candidate& candidate, std::uint64_t time) noexcept {
  const std::uint64_t seen = turns.start[candidate.index].load(kRelaxed);
  const std::int64_t length = kUnit / candidate.weight;
  return {seen, std::clamp(static_cast<std::int64_t>(seen - time), -length, length), length};
}

}  // namespace

Pick pick_in_turn(Turns& turns, const Candidates& candidates) noexcept {
  std::int64_t weights = 0;
  for (std::uint32_t i = 0; i < candidates.count; ++i) weights += candidates.of[i].weight;
  for (int attempt = 1;; ++attempt) {
    const std::uint64_t time = turns.time.load(kRelaxed);
    // Of the turns that should have begun, the one that should end first; when none should have, the first to
    // begin.
    std::uint32_t chosen = 0;
    Turn best{};
    std::int64_t earliest = INT64_MAX, second = INT64_MAX;  // starts
    for (std::uint32_t i = 0; i < candidates.count; ++i) {
      const Turn turn = turn_of(turns, candidates.of[i], time);
      const bool due = turn.start <= 0, best_due = best.start <= 0;
      if (i == 0 || (due != best_due ? due : due ? turn.end() < best.end() : turn.start < best.start)) {
        if (i != 0) second = std::min(second, best.start);
        chosen = i;
        best = turn;
      } else {
        second = std::min(second, turn.start);
      }
    }
    const std::uint8_t index = candidates.of[chosen].index;
    std::uint64_t seen = best.seen;
    const std::uint64_t next = time + static_cast<std::uint64_t>(best.end());
    if (!turns.start[index].compare_exchange_strong(seen, next, kRelaxed) && attempt < kAttempts) continue;
    // Time goes on by one turn of all together, and never lags behind the earliest start.
    earliest = std::min(second, best.end());
    turns.time.fetch_add(static_cast<std::uint64_t>(std::max(kUnit / weights, earliest)), kRelaxed);
    return {.index = index, .figure = time};
  }
}

}  // namespace ringweir::balance
