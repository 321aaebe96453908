#include "ringweir/balance/upstream.h"

#include <algorithm>
#include <cstring>

#include "ringweir/base/check.h"

namespace ringweir::balance {

std::uint64_t identity_of(const Endpoint& endpoint) noexcept {
  std::uint64_t high = 0, low = 0;
  std::memcpy(&high, endpoint.ip.octets.data(), 8);
  std::memcpy(&low, endpoint.ip.octets.data() + 8, 8);
  return rehash(rehash(rehash(high, 1) ^ low, 2) ^ endpoint.port, 3);
}

Upstream::Upstream(Settings settings) : settings_(std::move(settings)) {
  const std::vector<Target>& targets = settings_.targets;
  check(targets.size() <= limits::kTargetsPerUpstreamMax, "targets of an upstream");
  for (std::uint16_t i = 0; i < targets.size(); ++i) {
    check(targets[i].state != nullptr, "a target has a state");
    check(targets[i].weight >= 1 && targets[i].weight <= limits::kTargetWeightMax, "weight of a target");
    by_endpoint_.emplace_back(targets[i].endpoint, i);
    auto level = std::ranges::lower_bound(levels_, targets[i].priority, {}, &Level::priority);
    if (level == levels_.end() || level->priority != targets[i].priority) {
      level = levels_.insert(level, Level{targets[i].priority, {}, {}, nullptr});
    }
    level->members.push_back(static_cast<std::uint8_t>(i));
  }
  std::ranges::sort(by_endpoint_);
  for (Level& level : levels_) {
    if (is_hash(settings_.algorithm)) {
      std::vector<Maglev::Member> members;
      for (const std::uint8_t i : level.members)
        members.push_back({identity_of(targets[i].endpoint), targets[i].weight});
      level.maglev = Maglev(members);
    }
    if (settings_.algorithm == Algorithm::round_robin || settings_.algorithm == Algorithm::weighted) {
      level.turns = std::make_unique<Turns>();
    }
  }
}

std::optional<std::uint16_t> Upstream::find(const Endpoint& endpoint) const noexcept {
  const auto found =
      std::ranges::lower_bound(by_endpoint_, endpoint, {}, &std::pair<Endpoint, std::uint16_t>::first);
  if (found == by_endpoint_.end() || found->first != endpoint) return std::nullopt;
  return found->second;
}

}  // namespace ringweir::balance
