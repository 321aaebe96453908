#include "control/metrics_proxy.h"

#include "ringweir/control/prober.h"
#include "ringweir/control/resolver.h"

namespace ringweir::control {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using shard::Counters;

// As transaction::Machine and proxy::Stray list them.
constexpr const char* kMachines[] = {"invite_client", "non_invite_client", "invite_server",
                                     "non_invite_server"};
static_assert(std::size(kMachines) == std::tuple_size_v<decltype(proxy::Counters::began)>);
constexpr const char* kStrays[] = {
    "foreign_branch", "no_transaction", "wrong_method", "forged", "no_way_back", "ack", "other_call"};
static_assert(std::size(kStrays) == static_cast<std::size_t>(proxy::Stray::count_));

std::uint64_t sum_of(const Sums& sums, Counter proxy::Counters::*counter) {
  return sums.of([counter](const Counters& c) -> const Counter& { return c.proxy.*counter; });
}

void collect_transactions(std::vector<MetricFamily>& all, const Sums& sums) {
  std::uint64_t began[std::size(kMachines)], alive[std::size(kMachines)];
  for (std::size_t i = 0; i < std::size(kMachines); ++i) {
    const std::uint64_t ended =
        sums.of([i](const Counters& c) -> const Counter& { return c.proxy.ended[i]; });
    began[i] = sums.of([i](const Counters& c) -> const Counter& { return c.proxy.began[i]; });
    alive[i] = began[i] > ended ? began[i] - ended : 0;  // read one after the other, while shards work
  }
  {
    Family family(all, MetricType::Counter, "ringweir_transactions_total",
                  "Transactions begun, by machine (RFC 3261 17).");
    for (std::size_t i = 0; i < std::size(kMachines); ++i) family.add(began[i], {{"machine", kMachines[i]}});
  }
  {
    Family family(all, MetricType::Gauge, "ringweir_transactions", "Transactions alive, by machine.");
    for (std::size_t i = 0; i < std::size(kMachines); ++i) family.add(alive[i], {{"machine", kMachines[i]}});
  }
  std::uint64_t unanswered = 0;
  for (const auto& face : sums.process.shared.faces)
    unanswered += face->transactions.load(std::memory_order_relaxed);
  Family(all, MetricType::Gauge, "ringweir_requests_unanswered",
         "Forwarded requests that wait for a final response.")
      .add(unanswered);
}

struct Row {
  const char* family;
  const char* help;
  const char* label;  // null: a family of one
  const char* value;
  Counter proxy::Counters::*counter;
};
using P = proxy::Counters;
// Rows of one family stand together.
constexpr Row kRows[] = {
    {"ringweir_forwarded_total", "Messages forwarded, every copy.", "what", "request",
     &P::forwarded_requests},
    {"ringweir_forwarded_total", "", "what", "response", &P::forwarded_responses},
    {"ringweir_forwarded_total", "", "what", "stateless_request", &P::stateless_requests},
    {"ringweir_forwarded_total", "", "what", "stateless_response", &P::stateless_responses},
    {"ringweir_proxy_retransmissions_total", "Messages sent again, and received again for nothing.", "what",
     "request", &P::requests_again},
    {"ringweir_proxy_retransmissions_total", "", "what", "response", &P::responses_again},
    {"ringweir_proxy_retransmissions_total", "", "what", "absorbed", &P::absorbed},
    {"ringweir_forks_total", "Branches beyond the first of a request.", nullptr, nullptr, &P::forks},
    {"ringweir_failovers_total", "Requests that went on to another target.", nullptr, nullptr, &P::failovers},
    {"ringweir_cancels_total", "CANCELs received for something alive, and sent.", "direction", "in",
     &P::cancels},
    {"ringweir_cancels_total", "", "direction", "out", &P::cancels_sent},
    {"ringweir_branch_ends_total", "Branches that ended without a final response of their own.", "why",
     "timeout", &P::timeouts},
    {"ringweir_branch_ends_total", "", "why", "timer_c", &P::timer_c},
    {"ringweir_branch_ends_total", "", "why", "unreachable", &P::unreachable},
    {"ringweir_acks_missing_total", "Final responses to INVITE that nobody acknowledged.", nullptr, nullptr,
     &P::acks_missing},
    {"ringweir_proxy_refused_total", "Requests that were not forwarded, by what was missing.", "why",
     "no_room", &P::no_room},
    {"ringweir_proxy_refused_total", "", "why", "no_target", &P::no_target},
    {"ringweir_proxy_forgotten_total", "State given up early to make room.", "what", "transaction",
     &P::forgotten},
    {"ringweir_proxy_forgotten_total", "", "what", "call", &P::calls_evicted},
    {"ringweir_signed_routes_total", "Routes of ours in requests: verified and followed, or not.", "result",
     "followed", &P::routes_followed},
    {"ringweir_signed_routes_total", "", "result", "refused", &P::routes_refused},
};

// One sample a target.
template <class Value>  // (const balance::Target&) -> double or std::uint64_t
void each_target(std::vector<MetricFamily>& all, const shard::Snapshot& snapshot, MetricType type,
                 const char* name, const char* help, Value value) {
  Family family(all, type, name, help);
  for (const balance::Upstream& upstream : snapshot.upstreams) {
    for (const balance::Target& target : upstream.targets()) {
      family.add(value(target),
                 {{"upstream", std::string(upstream.name())}, {"target", to_string(target.endpoint)}});
    }
  }
}

void collect_target_tallies(std::vector<MetricFamily>& all, const shard::Snapshot& snapshot) {
  Family responses(all, MetricType::Counter, "ringweir_target_responses_total",
                   "Responses of a target, by class.");
  Family troubles(all, MetricType::Counter, "ringweir_target_troubles_total",
                  "What went wrong with a target, by kind.");
  for (const balance::Upstream& upstream : snapshot.upstreams) {
    for (const balance::Target& target : upstream.targets()) {
      const balance::TargetState::Tallies tallies = target.state->tallies();
      const Labels labels{{"upstream", std::string(upstream.name())}, {"target", to_string(target.endpoint)}};
      const auto with = [&](const char* name, std::string value) {
        Labels more = labels;
        more.push_back({name, std::move(value)});
        return more;
      };
      for (std::size_t i = 1; i < tallies.responses.size(); ++i) {
        responses.add(tallies.responses[i], with("class", std::to_string(i) + "xx"));
      }
      troubles.add(tallies.timeouts, with("kind", "timeout"))
          .add(tallies.unreachables, with("kind", "unreachable"))
          .add(tallies.ejections, with("kind", "ejection"))
          .add(tallies.failovers, with("kind", "failover"))
          .add(tallies.probes_bad, with("kind", "probe"));
    }
  }
}

}  // namespace

void collect_proxy(std::vector<MetricFamily>& all, const Sums& sums) {
  collect_transactions(all, sums);
  for (std::size_t i = 0; i < std::size(kRows);) {
    Family family(all, MetricType::Counter, kRows[i].family, kRows[i].help);
    const std::string_view name = kRows[i].family;
    for (; i < std::size(kRows) && name == kRows[i].family; ++i) {
      family.add(sum_of(sums, kRows[i].counter),
                 kRows[i].label ? Labels{{kRows[i].label, kRows[i].value}} : Labels{});
    }
  }
  Family strays(all, MetricType::Counter, "ringweir_proxy_strays_total",
                "Messages to the proxy that ended in silence, by reason.");
  for (std::size_t i = 0; i < std::size(kStrays); ++i) {
    strays.add(sums.of([i](const Counters& c) -> const Counter& { return c.proxy.strays[i]; }),
               {{"reason", kStrays[i]}});
  }
}

void collect_upstreams(std::vector<MetricFamily>& all, const ProcessView& process) {
  const auto snapshot = process.snapshot ? process.snapshot() : nullptr;
  const Instant now = process.now();
  if (snapshot && !snapshot->upstreams.empty()) {
    each_target(all, *snapshot, MetricType::Gauge, "ringweir_target_up",
                "1 while requests that begin something may go to a target.",
                [now](const balance::Target& t) { return t.state->usable(now) ? 1.0 : 0.0; });
    each_target(all, *snapshot, MetricType::Gauge, "ringweir_target_draining",
                "1 while an operator drains a target.",
                [](const balance::Target& t) { return t.state->draining() ? 1.0 : 0.0; });
    each_target(all, *snapshot, MetricType::Gauge, "ringweir_target_calls", "Calls open at a target.",
                [](const balance::Target& t) { return std::uint64_t{t.state->calls()}; });
    each_target(all, *snapshot, MetricType::Gauge, "ringweir_target_in_flight",
                "Transactions in flight to a target.",
                [](const balance::Target& t) { return std::uint64_t{t.state->outstanding()}; });
    each_target(all, *snapshot, MetricType::Gauge, "ringweir_target_response_seconds",
                "Moving average of a target's response time.", [now](const balance::Target& t) {
                  return std::chrono::duration<double>(t.state->ewma(now)).count();
                });
    each_target(all, *snapshot, MetricType::Counter, "ringweir_target_calls_total",
                "Calls begun at a target.",
                [](const balance::Target& t) { return t.state->tallies().calls; });
    collect_target_tallies(all, *snapshot);
  }
  if (process.prober) {
    Family probes(all, MetricType::Counter, "ringweir_probes_total", "Health probes, by outcome.");
    for (std::size_t i = 0; i < static_cast<std::size_t>(ProbeOutcome::count_); ++i) {
      const auto outcome = static_cast<ProbeOutcome>(i);
      probes.add(process.prober->count(outcome), {{"outcome", std::string(to_string(outcome))}});
    }
  }
  if (process.resolver) {
    const Resolver::Tallies names = process.resolver->tallies();
    Family(all, MetricType::Counter, "ringweir_names_total", "Resolutions of targets' names, by result.")
        .add(names.answered, {{"result", "answered"}})
        .add(names.failed, {{"result", "failed"}});
    Family(all, MetricType::Counter, "ringweir_name_changes_total",
           "Resolutions that changed where a name leads.")
        .add(names.changed);
  }
}

}  // namespace ringweir::control
