#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>

#include "app/output.h"
#include "ringweir/control/config.h"
#include "ringweir/control/config_users.h"

namespace ringweir::app {
namespace {

std::string plural(std::size_t n, std::string_view what) { return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s"); }

int refuse(const control::Diagnostics& problems) {
  for (const control::Diagnostic& problem : problems) fmt::print(stderr, "{}\n", to_string(problem));
  fmt::print(stderr, "{}\n", plural(problems.size(), "error"));
  return kUsage;
}

int check(const std::string& file) {
  const control::ConfigResult config = control::load_config(file);
  if (!config) return refuse(config.error());
  const auto users = control::load_users(*config, {});
  if (!users) return refuse(users.error());
  std::string shards = config->node.shards ? plural(config->node.shards, "shard") : "a shard per core";
  std::string who = *users ? plural((*users)->size(), "user") : "no authentication";
  print(fmt::format("{}: good: node {}, {}, {}, {}, {}, {}\n", file, config->node.name, shards,
                    plural(config->listeners.size(), "listener"), plural(config->domains.size(), "domain"), who,
                    plural(config->routes.size(), "route")));
  return kDone;
}

}  // namespace

void add_check(CLI::App& app, Outcome& outcome) {
  auto* command = app.add_subcommand("check", "read a configuration and its users; prints every error with its place");
  const auto file = std::make_shared<std::string>();
  command->add_option("FILE", *file, "the configuration")->required();
  command->footer("Example: ringweir check /etc/ringweir/ringweir.yaml");
  command->callback([file, &outcome] { outcome.code = check(*file); });
}

}  // namespace ringweir::app
