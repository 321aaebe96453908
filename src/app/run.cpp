#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "ringweir/app/command.h"

namespace ringweir::app {

int run(int argc, char** argv) {
  CLI::App app("SIP edge: load balancer, registrar and digest authenticator", "ringweir");
  app.set_version_flag("--version", "ringweir " RINGWEIR_VERSION);
  app.require_subcommand(1);
  app.footer("Example: ringweir serve --lab, then register a softphone as 100 at 127.0.0.1, password 100.\n"
             "Exit codes: 0 done, 1 failed, 2 usage or configuration.");
  Outcome outcome;
  for (const auto add : {add_serve, add_check, add_doctor, add_reg, add_users, add_digest, add_trace, add_upstream, add_top, add_reload, add_status}) {
    add(app, outcome);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ringweir: %s\n", error.what());
    return kFailed;
  }
  return outcome.code;
}

}  // namespace ringweir::app
