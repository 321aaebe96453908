// The least loaded of the usable targets: by calls, by transactions, or by the time a response is expected to
// take.
#include "balance/pick.h"

namespace ringweir::balance {
namespace {

// a.load / a.weight < b.load / b.weight, exactly: loads are below 2^33 and weights below 2^25.
struct Loaded {
  std::uint64_t load;
  std::uint64_t weight;
  bool less(const Loaded& other) const noexcept { return load * other.weight < other.load * weight; }
};

// With the request to come counted in, so that of idle targets the heaviest goes first. Ties are drawn, so
// that shards that see the same figures do not all send to the first.
template <class Load>
Pick least(const Candidates& candidates, Random& random, Load load_of) noexcept {
  std::uint32_t best = 0, ties = 1;
  std::uint32_t best_load = load_of(candidates.of[0].index);
  for (std::uint32_t i = 1; i < candidates.count; ++i) {
    const std::uint32_t load = load_of(candidates.of[i].index);
    const Loaded one{std::uint64_t{load} + 1, candidates.of[i].weight};
    const Loaded other{std::uint64_t{best_load} + 1, candidates.of[best].weight};
    const bool less = one.less(other);
    if (less) ties = 1;
    if (less || (!other.less(one) && random.below(++ties) == 0)) {
      best = i;
      best_load = load;
    }
  }
  return {.index = candidates.of[best].index, .figure = best_load};
}

}  // namespace

Pick pick_least_calls(const Asking& asking, const Candidates& candidates) noexcept {
  return least(candidates, asking.random,
               [&](std::uint8_t index) { return asking.target(index).state->calls(); });
}

Pick pick_least_outstanding(const Asking& asking, const Candidates& candidates) noexcept {
  return least(candidates, asking.random,
               [&](std::uint8_t index) { return asking.target(index).state->outstanding(); });
}

// Two at random (Mitzenmacher 2001), the cheaper of them. A target that was never measured counts with the
// other's average: neither a flood for who is new nor an eternal stranger.
Pick pick_peak_ewma(const Asking& asking, const Candidates& candidates) noexcept {
  const auto state = [&](std::uint32_t i) -> const TargetState& {
    return *asking.target(candidates.of[i].index).state;
  };
  std::uint32_t one = 0, other = 0;
  if (candidates.count > 1) {
    one = asking.random.below(candidates.count);
    other = asking.random.below(candidates.count - 1);
    other += other >= one;
  }
  Duration one_took = state(one).ewma(asking.now), other_took = state(other).ewma(asking.now);
  if (one_took == Duration::zero()) one_took = other_took;
  if (other_took == Duration::zero()) other_took = one_took;
  if (one_took == Duration::zero()) one_took = other_took = 1us;
  const auto cost = [&](std::uint32_t i, Duration took) {
    return static_cast<double>(took.count()) * (state(i).outstanding() + 1.0) / candidates.of[i].weight;
  };
  const double one_cost = cost(one, one_took), other_cost = cost(other, other_took);
  const std::uint32_t chosen = other_cost < one_cost ? other : one;
  const double figure = (chosen == one ? one_cost : other_cost) * TargetState::kShareFull;
  return {.index = candidates.of[chosen].index, .figure = static_cast<std::uint64_t>(figure)};
}

}  // namespace ringweir::balance
