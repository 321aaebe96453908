#include <CLI/CLI.hpp>
#include <memory>

#include "ringweir/app/command.h"
#include "ringweir/control/server.h"

namespace ringweir::app {

void add_serve(CLI::App& app, Outcome& outcome) {
  auto* command = app.add_subcommand("serve", "run; SIGHUP reloads, SIGTERM stops");
  const auto options = std::make_shared<control::ServeOptions>();
  auto* source = command->add_option_group("configuration");
  source->add_option("--config", options->config, "the configuration")->type_name("FILE");
  source->add_flag("--lab", options->lab, "no file: users 100, 101, 102 (password = user name) on 127.0.0.1:5060");
  source->require_option(1);
  command->footer("Example: ringweir serve --config /etc/ringweir/ringweir.yaml");
  command->callback([options, &outcome] { outcome.code = control::serve(*options); });
}

}  // namespace ringweir::app
