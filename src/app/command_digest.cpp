#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include "app/output.h"
#include "ringweir/control/explain.h"

namespace ringweir::app {
namespace {

struct Options {
  std::string file;
  std::string password, ha1, username;
  bool has_password = false, has_ha1 = false, has_username = false;
  OutputOption output;
};

int explain(const Options& options) {
  std::string message;
  if (options.file == "-") {
    message.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    std::ifstream in(options.file, std::ios::binary);
    if (!in) return fail(kUsage, "cannot read " + options.file);
    message.assign(std::istreambuf_iterator<char>(in), {});
  }
  control::ExplainInput input{message, {}, {}, {}};
  if (options.has_password) input.password = options.password;
  if (options.has_ha1) input.stored_ha1 = options.ha1;
  if (options.has_username) input.username = options.username;
  const auto explanation = control::explain_digest(input);
  if (!explanation) return fail(kFailed, options.file + ": " + explanation.error());
  print(options.output.json() ? explanation_json(*explanation) : explanation_text(*explanation));
  return explanation->steps.matches ? kDone : kFailed;
}

}  // namespace

void add_digest(CLI::App& app, Outcome& outcome) {
  auto* digest = app.add_subcommand("digest", "digest authentication, by hand");
  digest->require_subcommand(1);
  digest->footer("Example: ringweir digest explain request.sip --password 101");

  const auto options = std::make_shared<Options>();
  auto* command = digest->add_subcommand("explain", "compute a captured request's response step by step; exits 1 when it differs");
  command->add_option("FILE", options->file, "a request with (Proxy-)Authorization, as text; - for standard input")->required();
  auto* secret = command->add_option_group("secret");
  auto* password = secret->add_option("--password", options->password, "the user's password");
  auto* ha1 = secret->add_option("--ha1", options->ha1, "or the stored HA1, in hex");
  secret->require_option(1);
  auto* username = command->add_option("--username", options->username, "instead of the user name in the message");
  add_output_option(*command, options->output);
  command->footer("Example: ringweir digest explain request.sip --password 101");
  command->callback([=, &outcome] {
    options->has_password = password->count() > 0;
    options->has_ha1 = ha1->count() > 0;
    options->has_username = username->count() > 0;
    outcome.code = explain(*options);
  });
}

}  // namespace ringweir::app
