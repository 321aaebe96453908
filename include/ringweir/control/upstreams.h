// From configured upstreams and what names stand for to what shards choose from.
#pragma once
#include <string>
#include <vector>

#include "ringweir/balance/upstream.h"
#include "ringweir/control/config.h"
#include "ringweir/control/name_book.h"
#include "ringweir/control/target_registry.h"

namespace ringweir::control {

// How traffic's outcomes are judged. Without `passive` in the file timeouts eject and status codes do not.
balance::Passive make_passive(const Health& health);
balance::Probing make_probing(const Health& health);
balance::Failover make_failover(const Failover& failover);

struct BuiltUpstreams {
  std::vector<balance::Upstream> upstreams;  // as the configuration lists them
  std::vector<std::string> problems;         // targets left out, each a sentence
};
// Begins a new snapshot in `registry`. `starts_slowly`: the edge runs already, new targets join it. A name
// that stands for nothing leaves its target out without a word: who resolves says that.
BuiltUpstreams make_upstreams(const Config& config, const NameBook& book, TargetRegistry& registry,
                              Instant now, bool starts_slowly);

}  // namespace ringweir::control
