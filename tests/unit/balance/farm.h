// Targets 10.0.0.1, 10.0.0.2, ... with their states, and an upstream over them.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ringweir/balance/choose.h"

namespace ringweir::balance::testing {

inline constexpr Instant kStart{std::chrono::hours(24)};
inline constexpr Endpoint endpoint_of(std::size_t i) {
  Endpoint e;
  e.ip.octets = {0,
                 0,
                 0,
                 0,
                 0,
                 0,
                 0,
                 0,
                 0,
                 0,
                 0xff,
                 0xff,
                 10,
                 0,
                 static_cast<std::uint8_t>(i / 250),
                 static_cast<std::uint8_t>(i % 250 + 1)};
  e.port = 5060;
  return e;
}

struct Member {
  std::uint32_t weight = 1, priority = 0;
};

class Farm {
 public:
  Farm(Algorithm algorithm, std::vector<Member> members, Duration slow_start = 0s, Passive passive = {}) {
    Upstream::Settings settings{.name = "pbx",
                                .algorithm = algorithm,
                                .targets = {},
                                .failover = {},
                                .passive = passive,
                                .slow_start = slow_start};
    for (std::size_t i = 0; i < members.size(); ++i) {
      states.push_back(std::make_unique<TargetState>());
      settings.targets.push_back({endpoint_of(i), "sip:10.0.0." + std::to_string(i + 1), members[i].weight,
                                  members[i].priority, states.back().get()});
    }
    upstream.emplace(std::move(settings));
  }
  TargetState& state(std::size_t i) { return *states[i]; }
  std::optional<Choice> choice(std::uint64_t key = 0, const Tried& tried = {}) {
    return choose(*upstream, {.call_id = key, .from = key + 1, .to = key + 2, .uri = key + 3}, tried, now,
                  random);
  }
  int pick(std::uint64_t key = 0, const Tried& tried = {}) {
    const auto made = choice(key, tried);
    return made ? made->target : -1;
  }
  std::vector<int> picks(int n) {
    std::vector<int> all;
    for (int i = 0; i < n; ++i) all.push_back(pick(random.next()));
    return all;
  }
  std::map<int, int> tally(int n) {
    std::map<int, int> count;
    for (int i = 0; i < n; ++i) ++count[pick(random.next())];
    return count;
  }
  void down(std::size_t i) { state(i).probe_failed(now, {.fail = 1}); }

  std::vector<std::unique_ptr<TargetState>> states;
  std::optional<Upstream> upstream;
  Random random{7};
  Instant now = kStart;
};

}  // namespace ringweir::balance::testing
