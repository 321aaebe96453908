#include "ringweir/control/target_registry.h"

namespace ringweir::control {

void TargetRegistry::begin_snapshot(Instant now) {
  for (Entry& entry : entries_) {
    if (entry.snapshot == snapshot_) entry.named_until = now;
  }
  ++snapshot_;
}

balance::TargetState* TargetRegistry::obtain(std::string_view upstream, const Endpoint& endpoint, Instant now,
                                             bool starts_slowly) {
  Key key{std::string(upstream), endpoint};
  const auto found = by_key_.find(key);
  Entry* entry = found == by_key_.end() ? nullptr : found->second;
  if (!entry) {
    if (entries_.size() < max_) {
      entry = &entries_.emplace_back();
    } else {
      entry = reusable(now);
      if (!entry) return nullptr;
      by_key_.erase(entry->key);
    }
    starts_slowly ? entry->state.emplace(now) : entry->state.emplace();
    entry->key = key;
    by_key_.emplace(std::move(key), entry);
  }
  entry->snapshot = snapshot_;
  return &*entry->state;
}

TargetRegistry::Entry* TargetRegistry::reusable(Instant now) {
  Entry* oldest = nullptr;
  for (Entry& entry : entries_) {
    if (entry.snapshot + 1 >= snapshot_ || now - entry.named_until < kReuseAfter) continue;
    if (entry.state->outstanding() != 0 || entry.state->calls() != 0) continue;
    if (!oldest || entry.named_until < oldest->named_until) oldest = &entry;
  }
  return oldest;
}

}  // namespace ringweir::control
