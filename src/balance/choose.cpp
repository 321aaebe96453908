#include "ringweir/balance/choose.h"

#include <algorithm>

#include "balance/pick.h"

namespace ringweir::balance {
namespace {

std::uint64_t key_of(Algorithm algorithm, const Keys& keys) noexcept {
  switch (algorithm) {
    case Algorithm::hash_from: return keys.from;
    case Algorithm::hash_to: return keys.to;
    case Algorithm::hash_uri: return keys.uri;
    default: return keys.call_id;
  }
}

Pick pick_among(const Asking& asking, const Upstream::Level& level, const Candidates& candidates) noexcept {
  switch (asking.upstream.algorithm()) {
    case Algorithm::least_calls: return pick_least_calls(asking, candidates);
    case Algorithm::least_outstanding: return pick_least_outstanding(asking, candidates);
    case Algorithm::peak_ewma: return pick_peak_ewma(asking, candidates);
    default: return pick_in_turn(*level.turns, candidates);
  }
}

std::optional<Pick> pick_in_level(const Asking& asking, const Upstream::Level& level, const Keys& keys,
                                  std::uint32_t& usable) noexcept {
  const Algorithm algorithm = asking.upstream.algorithm();
  if (is_hash(algorithm)) return pick_by_hash(asking, level, key_of(algorithm, keys));
  const Candidates candidates(asking, level, algorithm == Algorithm::round_robin);
  usable = candidates.count;
  if (candidates.count == 0) return std::nullopt;
  return pick_among(asking, level, candidates);
}

std::optional<Choice> choose_for(const Asking& asking, const Keys& keys) noexcept {
  const Upstream& upstream = asking.upstream;
  for (const Upstream::Level& level : upstream.levels()) {
    std::uint32_t usable = 0;
    const std::optional<Pick> pick = pick_in_level(asking, level, keys, usable);
    if (!pick) continue;
    const bool backup = &level != upstream.levels().data();
    return Choice{pick->index, Why{.algorithm = upstream.algorithm(),
                                   .target = pick->index,
                                   .usable = static_cast<std::uint16_t>(usable),
                                   .members = static_cast<std::uint16_t>(level.members.size()),
                                   .priority = level.priority,
                                   .backup = backup,
                                   .displaced = is_hash(upstream.algorithm()) && (pick->displaced || backup),
                                   .starting = asking.share(pick->index) != TargetState::kShareFull,
                                   .failover = asking.tried.any(),
                                   .continues = asking.purpose == Purpose::again,
                                   .looks = pick->looks,
                                   .figure = pick->figure}};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Choice> choose(const Upstream& upstream, const Keys& keys, const Tried& tried, Instant now,
                             Random& random) noexcept {
  return choose_for({upstream, tried, now, random, Purpose::begin}, keys);
}

std::optional<Choice> choose_again(const Upstream& upstream, const Keys& keys, const Tried& tried,
                                   Instant now, Random& random) noexcept {
  return choose_for({upstream, tried, now, random, Purpose::again}, keys);
}

Duration retry_after(const Upstream& upstream, Instant now) noexcept {
  Duration soonest = Duration::zero();
  for (const Target& target : upstream.targets()) {
    const Ejection ejection = target.state->ejection();
    if (target.state->draining() || target.state->verdict().probed == Health::down || !ejection.holds(now))
      continue;
    const Duration left = Instant(std::chrono::milliseconds(ejection.until_ms)) - now;
    if (soonest == Duration::zero() || left < soonest) soonest = left;
  }
  return soonest;
}

}  // namespace ringweir::balance
