#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>

#include "app/admin_option.h"
#include "app/output.h"
#include "ringweir/control/trace_view.h"

namespace ringweir::app {
namespace {

struct Options {
  AdminOption admin;
  OutputOption output;
  std::string aor;
};

using control::printable;

// Every registration that the pattern fits, page by page.
std::expected<Json, Refused> list(const control::AdminClient& client, const std::string& pattern) {
  Json all = Json::array();
  std::string cursor;
  do {
    std::string target = "/api/v1/registrations?limit=1000";
    if (!pattern.empty()) target += "&aor=" + control::encode_component(pattern);
    if (!cursor.empty()) target += "&cursor=" + cursor;
    const auto page = get_json(client, target);
    if (!page) return page;
    for (const Json& one : page->at("registrations")) all.push_back(one);
    cursor = page->value("next", "");
  } while (!cursor.empty());
  return all;
}

int ls(const Options& options) {
  int code = kDone;
  const auto client = options.admin.client(code);
  if (!client) return code;
  const auto all = list(*client, options.aor);
  if (!all) return fail(kFailed, all.error().why);
  if (options.output.json()) {
    print(all->dump(2) + '\n');
    return kDone;
  }
  std::vector<Row> rows;
  for (const Json& one : *all) {
    for (const Json& binding : one["bindings"]) {
      rows.push_back({printable(one["aor"].get<std::string>()), printable(binding["contact"].get<std::string>()),
                      fmt::format("{}s", binding["expires_in_s"].get<std::uint32_t>()), binding["source"],
                      printable(binding["user_agent"].get<std::string>())});
    }
  }
  print(table({"AOR", "CONTACT", "EXPIRES", "SOURCE", "USER-AGENT"}, rows));
  return kDone;
}

std::string shown(const Json& registration) {
  std::string out = printable(registration["aor"].get<std::string>()) + '\n';
  for (const Json& binding : registration["bindings"]) {
    const auto line = [&](std::string_view name, const std::string& value) {
      out += fmt::format("  {:<11} {}\n", name, printable(value));
    };
    line("contact", binding["contact"]);
    line("expires in", fmt::format("{}s", binding["expires_in_s"].get<std::uint32_t>()));
    line("q", fmt::format("{}", binding["q"].get<double>()));
    line("source", binding["source"]);
    line("user agent", binding["user_agent"]);
    line("call-id", binding["call_id"]);
    line("cseq", std::to_string(binding["cseq"].get<std::uint32_t>()));
    line("listener", binding.value("listener", ""));
    line("shard", std::to_string(binding["shard"].get<std::uint32_t>()));
    out += '\n';
  }
  return out;
}

int show(const Options& options) {
  int code = kDone;
  const auto client = options.admin.client(code);
  if (!client) return code;
  // A user name alone means that user at any of our domains.
  const bool has_domain = options.aor.find('@') != std::string::npos;
  const auto all = list(*client, has_domain ? options.aor : options.aor + "@*");
  if (!all) return fail(kFailed, all.error().why);
  if (all->empty()) return fail(kFailed, "nothing is registered for " + options.aor);
  if (options.output.json()) {
    print(all->dump(2) + '\n');
    return kDone;
  }
  for (const Json& one : *all) print(shown(one));
  return kDone;
}

}  // namespace

void add_reg(CLI::App& app, Outcome& outcome) {
  auto* reg = app.add_subcommand("reg", "who is registered");
  reg->require_subcommand(1);
  const auto options = std::make_shared<Options>();

  auto* listing = reg->add_subcommand("ls", "every binding, or those of addresses of record that fit a pattern");
  listing->add_option("PATTERN", options->aor, "an address of record; * stands for any text");
  listing->footer("Example: ringweir reg ls '10*@example.com'");
  listing->callback([options, &outcome] { outcome.code = ls(*options); });

  auto* one = reg->add_subcommand("show", "one address of record with all that is known of its bindings");
  one->add_option("AOR", options->aor, "user@domain, or the user alone")->required();
  one->footer("Example: ringweir reg show 101@example.com");
  one->callback([options, &outcome] { outcome.code = show(*options); });

  for (auto* command : {listing, one}) {
    add_admin_option(*command, options->admin);
    add_output_option(*command, options->output);
  }
  reg->footer("Example: ringweir reg ls");
}

}  // namespace ringweir::app
