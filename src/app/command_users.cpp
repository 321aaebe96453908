#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <iostream>
#include <memory>

#include "app/admin_option.h"
#include "app/output.h"
#include "ringweir/control/admin_users.h"
#include "ringweir/control/config.h"
#include "ringweir/control/config_users.h"
#include "ringweir/control/trace_view.h"

namespace ringweir::app {
namespace {

struct LsOptions {
  AdminOption admin;
  OutputOption output;
  std::string config;
};

// The users of a configuration, without a running process.
std::expected<std::vector<std::string>, int> from_config(const std::string& file) {
  const control::ConfigResult config = control::load_config(file);
  const auto refuse = [](const control::Diagnostics& problems) {
    for (const control::Diagnostic& problem : problems) fmt::print(stderr, "{}\n", to_string(problem));
    return std::unexpected(int{kUsage});
  };
  if (!config) return refuse(config.error());
  const auto users = control::load_users(*config, {});
  if (!users) return refuse(users.error());
  std::vector<std::string> names;
  if (*users) (*users)->for_each([&](const auth::User& user) { names.emplace_back(user.username); });
  return names;
}

std::expected<std::vector<std::string>, int> from_process(const AdminOption& admin) {
  int code = kDone;
  const auto client = admin.client(code);
  if (!client) return std::unexpected(code);
  std::vector<std::string> names;
  std::string cursor;
  do {
    const auto page = get_json(*client, "/api/v1/users?limit=10000" + (cursor.empty() ? "" : "&cursor=" + cursor));
    if (!page) return std::unexpected(fail(kFailed, page.error().why));
    for (const Json& name : page->at("users")) names.push_back(name);
    cursor = page->value("next", "");
  } while (!cursor.empty());
  return names;
}

int ls(const LsOptions& options) {
  const auto names = options.config.empty() ? from_process(options.admin) : from_config(options.config);
  if (!names) return names.error();
  if (options.output.json()) {
    print(Json(*names).dump(2) + '\n');
    return kDone;
  }
  std::vector<Row> rows;
  for (const std::string& name : *names) rows.push_back({control::printable(name)});
  print(table({"USER"}, rows));
  return kDone;
}

// One line of standard input; not shown when it is a terminal.
std::string ask_password() {
  termios before{};
  const bool terminal = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &before) == 0;
  if (terminal) {
    fmt::print(stderr, "password: ");
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  std::string password;
  std::getline(std::cin, password);
  if (terminal) {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fmt::print(stderr, "\n");
  }
  if (password.ends_with('\r')) password.pop_back();
  return password;
}

struct AddOptions {
  control::NewUser user;
  std::string file;
  bool password_given = false;
};

int add(AddOptions options) {
  if (!options.password_given) options.user.password = ask_password();
  const auto line = control::user_line(options.user);
  if (!line) return fail(kUsage, line.error());
  if (options.file.empty()) {
    print(*line + '\n');
    return kDone;
  }
  if (const auto done = control::append_user(options.file, options.user); !done) return fail(kFailed, done.error());
  print(fmt::format("{}: {} added; `ringweir reload` makes it known to a running process\n", options.file,
                    control::printable(options.user.name)));
  return kDone;
}

}  // namespace

void add_users(CLI::App& app, Outcome& outcome) {
  auto* users = app.add_subcommand("users", "who may authenticate");
  users->require_subcommand(1);
  users->footer("Example: ringweir users ls");

  const auto listed = std::make_shared<LsOptions>();
  auto* listing = users->add_subcommand("ls", "names of the running process' users, or of a configuration's");
  auto* address = listing->add_option("--admin", listed->admin.address, "HOST:PORT of the running ringweir's admin interface");
  address->capture_default_str();
  listing->add_option("--config", listed->config, "read the users of this configuration instead")
      ->type_name("FILE")
      ->excludes(address);
  add_output_option(*listing, listed->output);
  listing->footer("Example: ringweir users ls -o json");
  listing->callback([listed, &outcome] { outcome.code = ls(*listed); });

  const auto added = std::make_shared<AddOptions>();
  auto* adding = users->add_subcommand("add", "print a line for a users file, or add it to one");
  adding->add_option("NAME", added->user.name, "the user name")->required();
  auto* password = adding->add_option("--password", added->user.password, "the password; asked for when not given");
  adding->add_option("--file", added->file, "add the line to this users file (made when it is not there)");
  adding->add_option("--realm", added->user.realm, "write an HA1 for this realm instead of the password");
  adding->add_option("--algorithm", added->user.algorithm, "of the HA1: MD5 (default), SHA-256, SHA-512-256");
  adding->footer("Example: ringweir users add 103 --realm example.com --file users.csv");
  adding->callback([added, password, &outcome] {
    added->password_given = password->count() > 0;
    outcome.code = add(*added);
  });
}

}  // namespace ringweir::app
