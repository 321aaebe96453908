#include "ringweir/control/upstreams.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace ringweir::control {
namespace {

constexpr std::uint32_t kSrvPriorities = 65'536;  // so that an SRV's priority orders inside a target's own

balance::StatusSet make_set(const std::vector<std::uint16_t>& codes) {
  balance::StatusSet set;
  for (const std::uint16_t code : codes) set.add(code);
  return set;
}

// A target's weight times its place's share, as small whole numbers: 10 and 20 stay what they are where no
// SRV is involved.
void settle_weights(std::vector<balance::Target>& targets) {
  std::uint32_t divisor = 0, most = 0;
  for (const balance::Target& target : targets) {
    divisor = std::gcd(divisor, target.weight);
    most = std::max(most, target.weight);
  }
  if (divisor == 0) return;
  const bool whole = divisor % kWholeWeight == 0;
  if (whole) divisor = kWholeWeight;
  while (most / divisor > limits::kTargetWeightMax) ++divisor;
  for (balance::Target& target : targets) target.weight = std::max(target.weight / divisor, 1u);
}

balance::Upstream make_upstream(const Upstream& upstream, const NameBook& book, TargetRegistry& registry,
                                Instant now, bool starts_slowly, std::vector<std::string>& problems) {
  balance::Upstream::Settings settings;
  settings.name = upstream.name;
  settings.algorithm = upstream.algorithm;
  settings.failover = make_failover(upstream.failover);
  settings.passive = make_passive(upstream.health);
  settings.slow_start = upstream.slow_start;
  std::set<Endpoint> seen;
  for (const Target& target : upstream.targets) {
    for (const Resolved& place : places_of(target, book)) {
      if (!seen.insert(place.endpoint).second) continue;  // two names of one endpoint: the first one's weight
      const auto leave_out = [&](const char* why) {
        problems.push_back("upstream " + upstream.name + ": " + to_string(place.endpoint) +
                           " is left out: " + why);
      };
      if (settings.targets.size() == limits::kTargetsPerUpstreamMax) {
        leave_out("the upstream has as many targets as one may have");
        continue;
      }
      balance::TargetState* state = registry.obtain(upstream.name, place.endpoint, now, starts_slowly);
      if (!state) {
        leave_out("this process has known as many targets as it may; restart it");
        continue;
      }
      settings.targets.push_back({place.endpoint, target.uri, target.weight * place.weight,
                                  target.priority * kSrvPriorities + place.priority, state});
    }
  }
  settle_weights(settings.targets);
  return balance::Upstream(std::move(settings));
}

}  // namespace

balance::Passive make_passive(const Health& health) {
  balance::Passive passive;
  if (!health.passive) return passive;
  passive.codes = make_set(health.passive->codes);
  passive.timeouts = health.passive->timeouts;
  passive.after = static_cast<std::uint8_t>(health.passive->after);
  passive.eject = health.passive->eject;
  return passive;
}

balance::Probing make_probing(const Health& health) {
  balance::Probing probing;
  probing.every = health.every;
  probing.fail = static_cast<std::uint8_t>(health.fail);
  probing.rise = static_cast<std::uint8_t>(health.rise);
  return probing;
}

balance::Failover make_failover(const Failover& failover) {
  balance::Failover made;
  made.on_timeout = failover.on_timeout;
  made.on_transport_error = failover.on_transport_error;
  made.codes = make_set(failover.codes);
  made.tries = failover.tries;
  return made;
}

BuiltUpstreams make_upstreams(const Config& config, const NameBook& book, TargetRegistry& registry,
                              Instant now, bool starts_slowly) {
  BuiltUpstreams built;
  registry.begin_snapshot(now);
  for (const Upstream& upstream : config.upstreams) {
    built.upstreams.push_back(make_upstream(upstream, book, registry, now, starts_slowly, built.problems));
  }
  return built;
}

}  // namespace ringweir::control
