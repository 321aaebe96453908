#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "app/admin_option.h"
#include "app/output.h"
#include "ringweir/control/config.h"
#include "ringweir/control/config_users.h"
#include "ringweir/control/explain_route.h"
#include "ringweir/control/trace_view.h"

namespace ringweir::app {
namespace {

struct Options {
  std::string file;
  control::RouteQuestion question;
  OutputOption output;
};

std::string plural(std::size_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

int refuse(const control::Diagnostics& problems) {
  for (const control::Diagnostic& problem : problems) fmt::print(stderr, "{}\n", to_string(problem));
  fmt::print(stderr, "{}\n", plural(problems.size(), "error"));
  return kUsage;
}

int explain(const control::Config& config, const Options& options) {
  const auto steps = control::explain_route(config, options.question);
  if (!steps) return fail(kUsage, steps.error());
  if (options.output.json()) {
    Json json = Json::array();
    for (const auto& [what, text] : *steps) json.push_back({{"step", what}, {"text", text}});
    print(json.dump(2) + '\n');
    return kDone;
  }
  for (const auto& [what, text] : *steps) print(fmt::format("{:<15} {}\n", what, control::printable(text)));
  return kDone;
}

int check(const Options& options) {
  const control::ConfigResult config = control::load_config(options.file);
  if (!config) return refuse(config.error());
  if (!options.question.request.empty()) return explain(*config, options);
  const auto users = control::load_users(*config, {});
  if (!users) return refuse(users.error());
  std::string shards = config->node.shards ? plural(config->node.shards, "shard") : "a shard per core";
  std::string who = *users ? plural((*users)->size(), "user") : "no authentication";
  std::string farms = config->upstreams.empty() ? "" : ", " + plural(config->upstreams.size(), "upstream");
  print(fmt::format("{}: good: node {}, {}, {}, {}, {}{}, {}\n", options.file, config->node.name, shards,
                    plural(config->listeners.size(), "listener"), plural(config->domains.size(), "domain"),
                    who, farms, plural(config->routes.size(), "route")));
  return kDone;
}

}  // namespace

void add_check(CLI::App& app, Outcome& outcome) {
  auto* command =
      app.add_subcommand("check", "read a configuration and its users; prints every error with its place");
  const auto options = std::make_shared<Options>();
  command->add_option("FILE", options->file, "the configuration")->required();
  auto* asked = command->add_option("--explain", options->question.request,
                                    "say what it would do with a request: METHOD URI");
  command->add_option("--call-id", options->question.call_id, "of that request")->needs(asked);
  command->add_option("--from", options->question.from, "its From URI")->needs(asked);
  command->add_option("--to", options->question.to, "its To URI")->needs(asked);
  command->add_option("--source", options->question.source, "the address it comes from")->needs(asked);
  add_output_option(*command, options->output);
  command->footer(
      "Example: ringweir check /etc/ringweir/ringweir.yaml\n"
      "Example: ringweir check edge.yaml --explain \"INVITE sip:9100@example.com\"");
  command->callback([options, &outcome] { outcome.code = check(*options); });
}

}  // namespace ringweir::app
