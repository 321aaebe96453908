#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "app/output.h"
#include "ringweir/control/config.h"
#include "ringweir/control/doctor.h"

namespace ringweir::app {
namespace {

struct Options {
  std::string config;
  OutputOption output;
};

int doctor(const Options& options) {
  std::vector<Endpoint> binds{{IpAddress::v4(127, 0, 0, 1), 5060}};
  if (!options.config.empty()) {
    const control::ConfigResult config = control::load_config(options.config);
    if (!config) {
      for (const control::Diagnostic& problem : config.error()) fail(kUsage, to_string(problem));
      return kUsage;
    }
    binds.clear();
    for (const control::Listener& listener : config->listeners) binds.push_back(listener.bind);
  }
  const auto findings = control::judge(control::read_host_facts(binds));
  print(options.output.json() ? findings_json(findings) : findings_text(findings, on_terminal()));
  const bool failed = std::ranges::any_of(findings, [](const control::Finding& finding) {
    return finding.level == control::FindingLevel::fail;
  });
  return failed ? kFailed : kDone;
}

}  // namespace

void add_doctor(CLI::App& app, Outcome& outcome) {
  auto* command = app.add_subcommand("doctor", "is this host fit? each finding with its fix; exits 1 when one is fatal");
  const auto options = std::make_shared<Options>();
  command->add_option("--config", options->config, "look at this configuration's ports (default: udp 127.0.0.1:5060)")
      ->type_name("FILE");
  add_output_option(*command, options->output);
  command->footer("Example: ringweir doctor --config /etc/ringweir/ringweir.yaml");
  command->callback([options, &outcome] { outcome.code = doctor(*options); });
}

}  // namespace ringweir::app
