#include <CLI/CLI.hpp>
#include <memory>

#include "app/admin_option.h"
#include "app/output.h"

namespace ringweir::app {
namespace {

int reload(const AdminOption& admin) {
  int code = kDone;
  const auto client = admin.client(code);
  if (!client) return code;
  const auto report = post_json(*client, "/api/v1/reload");
  if (!report) return fail(kFailed, report.error().why);
  const bool done = report->value("done", false);
  for (const Json& line : report->at("lines")) {
    done ? print(line.get<std::string>() + '\n') : (void)fail(kUsage, line.get<std::string>());
  }
  if (done) return kDone;
  return fail(kUsage, "reload refused; the configuration in use stays as it is");
}

}  // namespace

void add_reload(CLI::App& app, Outcome& outcome) {
  auto* command = app.add_subcommand("reload", "read configuration and users again, all or nothing; says what changed");
  const auto admin = std::make_shared<AdminOption>();
  add_admin_option(*command, *admin);
  command->footer("Example: ringweir reload --admin 127.0.0.1:8080");
  command->callback([admin, &outcome] { outcome.code = reload(*admin); });
}

}  // namespace ringweir::app
