// The TargetStates of a process: one an upstream's name and endpoint, kept over reloads and changes of DNS,
// so that counts, health and an operator's drain survive both.
//
// The rules. A state lives at its place for the life of the process: shards, snapshots, transactions and
// calls keep plain pointers to it. At most `max` of them are made. When all are made and a new endpoint
// comes, the state that has been out of every snapshot the longest is made anew for it, provided that it was
// out for kReuseAfter at least, that no transaction or call is counted on it, and that neither the newest
// snapshot nor the one before names it. When there is none, the new endpoint gets none, and whoever asked
// leaves the target out and says so.
//
// One thread at a time: who holds it locks. What it hands out is shared.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "ringweir/balance/target_state.h"
#include "ringweir/base/address.h"
#include "ringweir/base/limits.h"

namespace ringweir::control {

class TargetRegistry {
 public:
  static constexpr Duration kReuseAfter = 1h;  // no transaction lives that long without being counted

  explicit TargetRegistry(std::size_t max = limits::kTargetStatesMax) : max_(max) {}

  // A new snapshot's upstreams are about to be built: what is not obtained from now on is not in it.
  void begin_snapshot(Instant now);
  // Made where there is none: with `starts_slowly` for a target that joins a running edge. Null when there is
  // no room.
  balance::TargetState* obtain(std::string_view upstream, const Endpoint& endpoint, Instant now,
                               bool starts_slowly);
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  using Key = std::pair<std::string, Endpoint>;
  struct Entry {
    Key key;
    std::optional<balance::TargetState> state;
    std::uint64_t snapshot = 0;  // the last that named it
    Instant named_until{};       // once it is out of the newest
  };
  Entry* reusable(Instant now);

  std::size_t max_;
  std::uint64_t snapshot_ = 0;
  std::deque<Entry> entries_;
  std::map<Key, Entry*> by_key_;
};

}  // namespace ringweir::control
