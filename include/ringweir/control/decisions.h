// Why calls went where they did: what the shards' rings still hold, in sentences. Any thread.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ringweir/shard/decision_ring.h"
#include "ringweir/shard/snapshot.h"

namespace ringweir::control {

struct ShardDecision {
  std::uint32_t shard = 0;
  shard::Decision decision;
};

// Of one call, oldest first, the newest `limit` of them. A Call-ID longer than the rings keep is found by
// what they keep of it.
std::vector<ShardDecision> find_decisions(std::span<const shard::DecisionRing* const> rings,
                                          std::string_view call_id, bool prefix, std::size_t limit);

// Which of the snapshot's upstreams it was about: the one of that index that has the target, else another
// that has it, for a decision may be older than the configuration. Null when none has it now.
const balance::Upstream* upstream_of(const shard::Decision& decision, const shard::Snapshot& snapshot);

std::string_view to_string(shard::Decided kind) noexcept;  // "began", "by_table", ...
std::string sentence(const shard::Decision& decision, const shard::Snapshot& snapshot);

}  // namespace ringweir::control
