#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <ctime>
#include <memory>
#include <set>

#include "app/admin_option.h"
#include "app/output.h"
#include "app/upstream_table.h"
#include "ringweir/control/trace_view.h"

namespace ringweir::app {
namespace {

struct Options {
  AdminOption admin;
  OutputOption output;
  std::string upstream, target, call_id;
};

using control::printable;

int ls(const Options& options) {
  int code = kDone;
  const auto client = options.admin.client(code);
  if (!client) return code;
  const auto answer = get_json(*client, "/api/v1/upstreams");
  if (!answer) return fail(kFailed, answer.error().why);
  Json upstreams = Json::array();
  for (const Json& one : answer->at("upstreams")) {
    if (options.upstream.empty() || one.value("name", "") == options.upstream) upstreams.push_back(one);
  }
  if (upstreams.empty() && !options.upstream.empty())
    return fail(kFailed, "there is no upstream '" + options.upstream + "'");
  print(options.output.json() ? upstreams.dump(2) + '\n' : upstream_table(upstreams));
  return kDone;
}

int set_draining(const Options& options, bool drain) {
  int code = kDone;
  const auto client = options.admin.client(code);
  if (!client) return code;
  const auto answer =
      post_json(*client, fmt::format("/api/v1/upstreams/{}?upstream={}&target={}",
                                     drain ? "drain" : "undrain", control::encode_component(options.upstream),
                                     control::encode_component(options.target)));
  if (!answer) return fail(kFailed, answer.error().why);
  for (const Json& target : answer->at("targets")) {
    print(fmt::format("{} {}: {}\n", options.upstream, target.value("endpoint", ""),
                      drain ? fmt::format("draining; {} calls open, {} transactions in flight",
                                          target.value("calls", 0u), target.value("in_flight", 0u))
                            : "in use again"));
  }
  return kDone;
}

std::expected<Json, Refused> decisions(const control::AdminClient& client, const std::string& call_id,
                                       bool prefix) {
  return get_json(client, "/api/v1/decisions?call_id=" + control::encode_component(call_id) +
                              (prefix ? "&match=prefix" : ""));
}

int why(const Options& options) {
  int code = kDone;
  const auto client = options.admin.client(code);
  if (!client) return code;
  auto found = decisions(*client, options.call_id, false);
  if (found && found->at("decisions").empty()) found = decisions(*client, options.call_id, true);
  if (!found) return fail(kFailed, found.error().why);
  const Json& list = found->at("decisions");
  if (list.empty()) return fail(kFailed, "no decision about that Call-ID is kept");
  std::set<std::string> ids;
  for (const Json& each : list) ids.insert(each.value("call_id", ""));
  if (ids.size() > 1)
    return fail(kFailed, fmt::format("{} calls begin so; give more of the Call-ID", ids.size()));
  if (options.output.json()) {
    print(list.dump(2) + '\n');
    return kDone;
  }
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  const control::TraceStyle style{on_terminal(), static_cast<std::int32_t>(local.tm_gmtoff)};
  print(printable(*ids.begin()) + '\n');
  for (const Json& each : list) {
    print(fmt::format("{} {:<8} {}\n",
                      control::format_time_of_day(each.value("time_us", std::int64_t{0}), style),
                      each.value("kind", ""), printable(each.value("why", ""))));
  }
  return kDone;
}

}  // namespace

void add_upstream(CLI::App& app, Outcome& outcome) {
  auto* upstream = app.add_subcommand("upstream", "the targets that requests are forwarded to");
  upstream->require_subcommand(1);
  upstream->footer("Example: ringweir upstream ls");
  const auto options = std::make_shared<Options>();

  auto* listing = upstream->add_subcommand("ls", "every target: its state, load, answers and last probe");
  listing->add_option("UPSTREAM", options->upstream, "this one only");
  listing->footer("Example: ringweir upstream ls pbx -o json");
  listing->callback([options, &outcome] { outcome.code = ls(*options); });

  auto* draining =
      upstream->add_subcommand("drain", "send a target nothing new; its calls go on. Stays so over reloads");
  auto* undraining =
      upstream->add_subcommand("undrain", "use a target again, slowly at first where slow_start says so");
  for (auto* command : {draining, undraining}) {
    command->add_option("UPSTREAM", options->upstream, "its name")->required();
    command->add_option("TARGET", options->target, "address, address:port, or its URI as configured")
        ->required();
  }
  draining->footer("Example: ringweir upstream drain pbx 10.0.0.11");
  undraining->footer("Example: ringweir upstream undrain pbx 10.0.0.11");
  draining->callback([options, &outcome] { outcome.code = set_draining(*options, true); });
  undraining->callback([options, &outcome] { outcome.code = set_draining(*options, false); });

  auto* asking = upstream->add_subcommand("why", "why a call went where it did");
  asking
      ->add_option("CALL-ID", options->call_id, "whole, or as much of its beginning as no other call shares")
      ->required();
  asking->footer("Example: ringweir upstream why MDhjYTg0");
  asking->callback([options, &outcome] { outcome.code = why(*options); });

  for (auto* command : {listing, draining, undraining, asking}) add_admin_option(*command, options->admin);
  for (auto* command : {listing, asking}) add_output_option(*command, options->output);
}

}  // namespace ringweir::app
