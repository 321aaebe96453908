#include "ringweir/control/decisions.h"

#include <algorithm>

#include "ringweir/balance/choose.h"

namespace ringweir::control {

std::string_view to_string(shard::Decided kind) noexcept {
  switch (kind) {
    case shard::Decided::began: return "began";
    case shard::Decided::by_table: return "by_table";
    case shard::Decided::by_hash: return "by_hash";
    case shard::Decided::failover: return "failover";
    case shard::Decided::refused: return "refused";
  }
  return "unknown";
}

std::vector<ShardDecision> find_decisions(std::span<const shard::DecisionRing* const> rings,
                                          std::string_view call_id, bool prefix, std::size_t limit) {
  const std::string_view wanted = call_id.substr(0, shard::DecisionRing::kCallIdKept);
  std::vector<ShardDecision> found;
  ShardDecision one;
  for (std::uint32_t i = 0; i < rings.size(); ++i) {
    const std::uint64_t end = rings[i]->next_sequence();
    for (std::uint64_t at = rings[i]->oldest_sequence(); at < end; ++at) {
      if (!rings[i]->read(at, one.decision)) continue;
      const std::string& id = one.decision.call_id;
      if (prefix ? !id.starts_with(wanted) : id != wanted) continue;
      one.shard = i;
      found.push_back(one);
    }
  }
  std::ranges::stable_sort(found, {}, [](const ShardDecision& d) { return d.decision.wall_us; });
  if (found.size() > limit) found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(limit));
  return found;
}

const balance::Upstream* upstream_of(const shard::Decision& decision, const shard::Snapshot& snapshot) {
  const auto& upstreams = snapshot.upstreams;
  const bool has_index = decision.upstream < upstreams.size();
  if (decision.kind == shard::Decided::refused) {
    return has_index && decision.generation == snapshot.generation ? &upstreams[decision.upstream] : nullptr;
  }
  if (has_index && upstreams[decision.upstream].find(decision.target)) return &upstreams[decision.upstream];
  const auto found =
      std::ranges::find_if(upstreams, [&](const auto& u) { return u.find(decision.target).has_value(); });
  return found == upstreams.end() ? nullptr : &*found;
}

std::string sentence(const shard::Decision& decision, const shard::Snapshot& snapshot) {
  const balance::Upstream* upstream = upstream_of(decision, snapshot);
  const std::string target = to_string(decision.target);
  switch (decision.kind) {
    case shard::Decided::by_table:
      return "its shard remembers that this Call-ID went to " + target + " before.";
    case shard::Decided::refused:
      return (upstream ? std::string(upstream->name()) : "an upstream of an earlier configuration") +
             " had no target that could be used: answered 503.";
    case shard::Decided::began:
    case shard::Decided::by_hash:
    case shard::Decided::failover: break;
  }
  if (!upstream) {
    return target + ", chosen by " + std::string(balance::to_string(decision.why.algorithm)) +
           "; the configuration in use does not have that target any more.";
  }
  balance::Why why = decision.why;
  why.target = *upstream->find(decision.target);  // where it stands now
  return balance::describe(why, *upstream);
}

}  // namespace ringweir::control
