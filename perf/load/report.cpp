#include "report.h"

#include <fmt/format.h>

#include <string>

#include "message.h"

namespace ringweir::load {
namespace {

struct Figures {
  double seconds, per_second, own_us, own_utilisation, server_us, server_utilisation, core_us,
      core_utilisation;
};

Figures figures_of(const Outcome& outcome) {
  const auto spent = [](std::int64_t from, std::int64_t to) { return static_cast<double>(to - from); };
  const double wall = spent(outcome.from.wall_ns, outcome.to.wall_ns);
  const double own = spent(outcome.from.own_ns, outcome.to.own_ns);
  const double server = spent(outcome.from.server_ns, outcome.to.server_ns);
  const auto busy = static_cast<double>(outcome.to.core_busy - outcome.from.core_busy);
  const auto total = static_cast<double>(outcome.to.core_total - outcome.from.core_total);
  const double count = outcome.completed == 0 ? 1 : static_cast<double>(outcome.completed);
  const double core_share = total == 0 ? 0 : busy / total;
  Figures figures{};
  figures.seconds = wall / 1e9;
  figures.per_second = wall == 0 ? 0 : static_cast<double>(outcome.completed) * 1e9 / wall;
  figures.own_us = own / 1e3 / count;
  figures.own_utilisation = wall == 0 ? 0 : own / wall;
  figures.server_us = server / 1e3 / count;
  figures.server_utilisation = wall == 0 ? 0 : server / wall;
  figures.core_us = core_share * wall / 1e3 / count;
  figures.core_utilisation = core_share;
  return figures;
}

double us(std::uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e3;
}

std::string quantiles_json(const char* name, const Histogram& histogram) {
  return fmt::format(R"("{}": {{"p50": {:.1f}, "p90": {:.1f}, "p99": {:.1f}, "max": {:.1f}}})", name,
                     us(histogram.quantile(0.5)), us(histogram.quantile(0.9)), us(histogram.quantile(0.99)),
                     us(histogram.max()));
}

template <class Map>
std::string counts_of(const Map& counts, const char* form) {
  std::string text;
  for (const auto& [name, count] : counts) {
    if (!text.empty()) text += ", ";
    text += fmt::format(fmt::runtime(form), name, count);
  }
  return text;
}

std::string outcome_json(const Outcome& outcome) {
  const Figures f = figures_of(outcome);
  const Histogram& latency = outcome.latency;
  std::string text = fmt::format(
      R"("completed": {}, "seconds": {:.4f}, "per_second": {:.1f}, )"
      R"("latency_us": {{"p50": {:.1f}, "p90": {:.1f}, "p99": {:.1f}, "p99_9": {:.1f}, "max": {:.1f}}}, )",
      outcome.completed, f.seconds, f.per_second, us(latency.quantile(0.5)), us(latency.quantile(0.9)),
      us(latency.quantile(0.99)), us(latency.quantile(0.999)), us(latency.max()));
  text += fmt::format(
      R"("retransmissions": {}, "timeouts": {}, "challenges": {}, "stale": {}, "late": {}, "mismatches": {}, )"
      R"("not_started": {}, "abandoned": {}, "unexpected": {{{}}}, )",
      outcome.retransmissions, outcome.timeouts, outcome.challenges, outcome.stale, outcome.late,
      outcome.mismatches, outcome.not_started, outcome.abandoned,
      counts_of(outcome.unexpected, "\"{}\": {}"));
  text += fmt::format(R"("load_cpu_us": {:.4f}, "load_utilisation": {:.4f}, "server_cpu_us": {:.4f}, )"
                      R"("server_utilisation": {:.4f}, "core_us": {:.4f}, "core_utilisation": {:.4f})",
                      f.own_us, f.own_utilisation, f.server_us, f.server_utilisation, f.core_us,
                      f.core_utilisation);
  return text;
}

std::string calls_json(const Options& options, const CallCounts& calls) {
  std::string text = fmt::format(
      R"("calls": {{"begun": {}, "invite_octets": {}, "forwarded_octets": {}, "answered": {}, "trying": {}, "without_ringing": {}, "answered_again": {}, )"
      R"("invited_again": {}, "disorder": {}, "misrouted": {}, "reached_twice": {}, )"
      R"("lost_invite": {}, "lost_answer": {}, "lost_bye": {}, )",
      calls.begun, calls.invite_octets, calls.forwarded_octets, calls.answered, calls.trying,
      calls.without_ringing, calls.answered_again, calls.invited_again, calls.disorder, calls.misrouted,
      calls.reached_twice, calls.lost_invite, calls.lost_answer, calls.lost_bye);
  text += quantiles_json("first_response_us", calls.first_response) + ", ";
  text += quantiles_json("ringing_us", calls.ringing) + ", ";
  text += fmt::format(R"("last_call_id": "{}", "last_failed_begun_s": {:.6f}, "bye_refused": {{{}}}, )",
                      call_id_of(options.seed, calls.last_token),
                      static_cast<double>(calls.last_failed_begun_ns) / 1e9,
                      counts_of(calls.bye_refused, "\"{}\": {}"));
  text += fmt::format(R"("strange": {{{}}}, "per_target": {{{}}}}})", counts_of(calls.strange, "\"{}\": {}"),
                      counts_of(calls.per_target, "\"{}\": {}"));
  return text;
}

void print_json(const Options& options, const Result& result) {
  fmt::print(
      R"({{"workload": "{}", "target": "{}", "users": {}, "sockets": {}, "window": {}, "rate": {}, "seed": {}, )",
      name_of(options.workload), options.target_text, options.users, options.sockets,
      options.rate > 0 ? 0 : options.window, options.rate, options.seed);
  fmt::print("{}, ", outcome_json(result.outcome));
  if (result.registered_first)
    fmt::print(R"("registered_first": {{{}}}, )", outcome_json(*result.registered_first));
  if (result.outcome.calls) fmt::print("{}, ", calls_json(options, *result.outcome.calls));
  if (result.outcome.flood) fmt::print(R"("answers": {{{}}}, )", counts_of(result.outcome.flood->answers, "\"{}\": {}"));
  const TrafficCount& traffic = result.traffic;
  fmt::print(R"("datagrams_sent": {}, "datagrams_received": {}, "send_calls": {}, "receive_calls": {}, )"
             R"("send_errors": {}, "port_unreachable": {}, "clean": {}}})"
             "\n",
             traffic.sent, traffic.received, traffic.send_calls, traffic.receive_calls, traffic.send_errors,
             traffic.refused, result.outcome.clean());
}

void print_load(const Options& options) {
  const std::string how = options.rate > 0 ? fmt::format("open loop, {:.0f} a second", options.rate)
                                           : fmt::format("closed loop, {} in flight", options.window);
  fmt::print("{} to {}: {}, {} users, {} socket{}, seed {}\n", name_of(options.workload), options.target_text,
             how, options.users, options.sockets, options.sockets == 1 ? "" : "s", options.seed);
}

void print_server(const Options& options, const Figures& f) {
  if (!options.watch_pids.empty()) {
    fmt::print("  server CPU         {:.3f} us a transaction, {:.1f} % of a core\n", f.server_us,
               f.server_utilisation * 100);
  }
  if (options.watch_cpu >= 0) {
    fmt::print("  server core {:<6} {:.3f} us a transaction, {:.1f} % busy\n", options.watch_cpu, f.core_us,
               f.core_utilisation * 100);
  }
}

void print_calls(const CallCounts& calls) {
  const auto line = [](const char* name, const Histogram& histogram) {
    fmt::print("  {:<18} p50 {:.0f}  p90 {:.0f}  p99 {:.0f}  max {:.0f}\n", name, us(histogram.quantile(0.5)),
               us(histogram.quantile(0.9)), us(histogram.quantile(0.99)), us(histogram.max()));
  };
  line("first response us", calls.first_response);
  line("INVITE to 180 us", calls.ringing);
  fmt::print(
      "  calls              {} begun, {} answered; lost: {} without an answer to INVITE, {} ringing, {} at "
      "BYE\n",
      calls.begun, calls.answered, calls.lost_invite, calls.lost_answer, calls.lost_bye);
  fmt::print("  seen               {} x 100, {} x 200 without 180, {} x 200 again, {} x INVITE again\n",
             calls.trying, calls.without_ringing, calls.answered_again, calls.invited_again);
  fmt::print("  out of order       {}   misrouted {}   at two callees {}   strange requests {}\n",
             calls.disorder, calls.misrouted, calls.reached_twice,
             calls.strange.empty() ? "none" : counts_of(calls.strange, "{}: {}"));
  if (!calls.bye_refused.empty())
    fmt::print("  BYE refused        {}\n", counts_of(calls.bye_refused, "{}: {}"));
  if (!calls.per_target.empty())
    fmt::print("  callees            {}\n", counts_of(calls.per_target, "{}: {}"));
}

void print_table(const Options& options, const Result& result) {
  const Outcome& outcome = result.outcome;
  const Figures f = figures_of(outcome);
  const Histogram& latency = outcome.latency;
  print_load(options);
  if (result.registered_first) {
    const Figures before = figures_of(*result.registered_first);
    fmt::print("  registered first   {} in {:.2f} s ({:.0f} a second)\n", result.registered_first->completed,
               before.seconds, before.per_second);
  }
  fmt::print("  completed          {} in {:.2f} s = {:.0f} a second\n", outcome.completed, f.seconds,
             f.per_second);
  fmt::print("  latency us         p50 {:.0f}  p90 {:.0f}  p99 {:.0f}  p99.9 {:.0f}  max {:.0f}\n",
             us(latency.quantile(0.5)), us(latency.quantile(0.9)), us(latency.quantile(0.99)),
             us(latency.quantile(0.999)), us(latency.max()));
  fmt::print("  retransmissions    {}   timeouts {}   late replies {}\n", outcome.retransmissions,
             outcome.timeouts, outcome.late);
  if (outcome.calls) print_calls(*outcome.calls);
  if (outcome.flood) fmt::print("  answers            {}\n", outcome.flood->answers.empty() ? "none" : counts_of(outcome.flood->answers, "{}: {}"));
  fmt::print("  challenges         {}   stale {}\n", outcome.challenges, outcome.stale);
  fmt::print("  mismatches         {}   unexpected {}\n", outcome.mismatches,
             outcome.unexpected.empty() ? "none" : counts_of(outcome.unexpected, "{}: {}"));
  if (outcome.not_started + outcome.abandoned != 0) {
    fmt::print("  not started        {}   abandoned {}\n", outcome.not_started, outcome.abandoned);
  }
  fmt::print("  datagrams          {} sent in {} calls, {} received in {} calls, {} errors, {} unreachable\n",
             result.traffic.sent, result.traffic.send_calls, result.traffic.received,
             result.traffic.receive_calls, result.traffic.send_errors, result.traffic.refused);
  fmt::print("  this load's CPU    {:.3f} us a transaction, {:.1f} % of a core\n", f.own_us,
             f.own_utilisation * 100);
  print_server(options, f);
}

}  // namespace

void print(const Options& options, const Result& result) {
  options.json ? print_json(options, result) : print_table(options, result);
}

}  // namespace ringweir::load
