#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>

#include "app/admin_option.h"
#include "app/output.h"

namespace ringweir::app {
namespace {

struct Options {
  AdminOption admin;
  OutputOption output;
};

std::string number(const Json& json, const char* name) { return std::to_string(json.value(name, std::uint64_t{0})); }

std::string text_of(const Json& status) {
  std::string out = fmt::format("{} {}, pid {}, up {}s, {}\n", status["name"].get<std::string>(),
                                status["version"].get<std::string>(), status["pid"].get<int>(),
                                status["uptime_s"].get<std::int64_t>(), status["ready"].get<bool>() ? "ready" : "not ready");
  const std::string reason = status["io"]["reason"];
  out += fmt::format("io {}{}\n", status["io"]["backend"].get<std::string>(), reason.empty() ? "" : " (" + reason + ")");
  for (const Json& listener : status["listeners"]) {
    std::string transports;
    for (const Json& transport : listener["transports"]) transports += transport.get<std::string>() + ' ';
    out += fmt::format("listener {}: {}{}\n", listener["name"].get<std::string>(), transports,
                       listener["bound"].get<std::string>());
  }
  out += fmt::format("{} bindings of {} addresses of record\n\n", number(status, "bindings"), number(status, "aors"));
  std::vector<Row> rows;
  for (const Json& shard : status["shards"]) {
    rows.push_back({number(shard, "shard"), number(shard, "bindings"), number(shard, "requests"), number(shard, "responses"),
                    number(shard, "dropped"), number(shard, "handed_over"), number(shard, "taken_in"),
                    number(shard, "mailbox_full")});
  }
  return out + table({"SHARD", "BINDINGS", "REQUESTS", "RESPONSES", "DROPPED", "HANDED-OVER", "TAKEN-IN", "MAILBOX-FULL"}, rows);
}

int status(const Options& options) {
  int code = kDone;
  const auto client = options.admin.client(code);
  if (!client) return code;
  const auto answer = get_json(*client, "/api/v1/status");
  if (!answer) return fail(kFailed, answer.error().why);
  print(options.output.json() ? answer->dump(2) + '\n' : text_of(*answer));
  return kDone;
}

}  // namespace

void add_status(CLI::App& app, Outcome& outcome) {
  auto* command = app.add_subcommand("status", "what runs: listeners, io backend, figures of each shard");
  const auto options = std::make_shared<Options>();
  add_admin_option(*command, options->admin);
  add_output_option(*command, options->output);
  command->footer("Example: ringweir status -o json");
  command->callback([options, &outcome] { outcome.code = status(*options); });
}

}  // namespace ringweir::app
