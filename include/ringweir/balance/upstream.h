// A farm of targets as one configuration sees it. Immutable but for the turns of its round robins, which are
// atomics.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ringweir/balance/algorithm.h"
#include "ringweir/balance/maglev.h"
#include "ringweir/balance/policy.h"
#include "ringweir/balance/target_state.h"
#include "ringweir/base/address.h"
#include "ringweir/base/limits.h"

namespace ringweir::balance {

// One endpoint; a name that resolves to several makes several.
struct Target {
  Endpoint endpoint;
  std::string uri;             // as configured or resolved, for people
  std::uint32_t weight = 1;    // 1 to kTargetWeightMax
  std::uint32_t priority = 0;  // the lowest number first (RFC 2782); others are backups
  TargetState* state = nullptr;
};

// The turns of a round robin, shared by all shards: worst-case fair weighted fair queueing (Bennett and Zhang
// 1996) with every target always backlogged. Two shards that race may take one turn out of order and lose
// none.
struct Turns {
  std::atomic<std::uint64_t> time{0};
  std::array<std::atomic<std::uint64_t>, limits::kTargetsPerUpstreamMax> start{};
};

class Upstream {
 public:
  struct Settings {
    std::string name;
    Algorithm algorithm = Algorithm::call_id_hash;
    std::vector<Target> targets{};  // at most kTargetsPerUpstreamMax, each with a state; may be empty (a name
                                    // without addresses)
    Failover failover{};
    Passive passive{};
    Duration slow_start = Duration::zero();
  };
  // Targets of one priority: choices are made within the first level that has a usable target.
  struct Level {
    std::uint32_t priority;
    std::vector<std::uint8_t> members;  // indexes into targets()
    Maglev maglev;                      // of the members; empty unless the algorithm is a hash
    std::unique_ptr<Turns> turns;       // null unless the algorithm is a round robin
  };

  // Cold: control builds it. A hash costs kMaglevSlots octets a level.
  explicit Upstream(Settings settings);

  std::string_view name() const noexcept { return settings_.name; }
  Algorithm algorithm() const noexcept { return settings_.algorithm; }
  std::span<const Target> targets() const noexcept { return settings_.targets; }
  const Failover& failover() const noexcept { return settings_.failover; }
  const Passive& passive() const noexcept { return settings_.passive; }
  Duration slow_start() const noexcept { return settings_.slow_start; }
  std::span<const Level> levels() const noexcept { return levels_; }
  // Which target has this endpoint.
  std::optional<std::uint16_t> find(const Endpoint& endpoint) const noexcept;

 private:
  Settings settings_;
  std::vector<Level> levels_;
  std::vector<std::pair<Endpoint, std::uint16_t>> by_endpoint_;  // sorted
};

// What Maglev knows a target by: its endpoint, so that two edges of one configuration agree.
std::uint64_t identity_of(const Endpoint& endpoint) noexcept;

}  // namespace ringweir::balance
