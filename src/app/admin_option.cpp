#include "app/admin_option.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/output.h"
#include "ringweir/control/config.h"

namespace ringweir::app {
namespace {

using control::AdminReply;
using Reply = Result<AdminReply, std::string>;

std::expected<Json, Refused> to_json(const Reply& reply, const std::string& address) {
  if (!reply) return std::unexpected(Refused{reply.error(), 0});
  Json json = Json::parse(reply->body, nullptr, false);
  if (reply->status == 200 && !json.is_discarded()) return json;
  std::string why = fmt::format("{}: HTTP status {}", address, reply->status);
  if (json.is_object() && json.contains("error") && json["error"].is_string()) why = json["error"];
  if (json.is_object() && json.contains("lines")) return json;  // a refused reload says why in its lines
  return std::unexpected(Refused{why, reply->status});
}

}  // namespace

void add_admin_option(CLI::App& command, AdminOption& option) {
  auto* address = command.add_option("--admin", option.address, "HOST:PORT of the running ringweir's admin interface")
                      ->capture_default_str();
  command.add_option("--config", option.config, "take the admin address from this configuration")
      ->type_name("FILE")
      ->excludes(address);
}

std::optional<control::AdminClient> AdminOption::client(int& code) const {
  if (config.empty()) {
    if (address.find(':') == std::string::npos) {
      code = fail(kUsage, "--admin wants HOST:PORT, as in 127.0.0.1:8080");
      return std::nullopt;
    }
    return control::AdminClient(address);
  }
  const control::ConfigResult loaded = control::load_config(config);
  if (!loaded) {
    for (const control::Diagnostic& problem : loaded.error()) fmt::print(stderr, "{}\n", to_string(problem));
    code = kUsage;
    return std::nullopt;
  }
  if (!loaded->admin.bind) {
    code = fail(kUsage, config + ": admin.bind is off");
    return std::nullopt;
  }
  Endpoint bind = *loaded->admin.bind;
  if (bind.ip.is_unspecified()) bind.ip = IpAddress::v4(127, 0, 0, 1);
  return control::AdminClient(to_string(bind));
}

std::expected<Json, Refused> get_json(const control::AdminClient& client, const std::string& target) {
  return to_json(client.get(target), client.address());
}
std::expected<Json, Refused> post_json(const control::AdminClient& client, const std::string& target) {
  return to_json(client.post(target), client.address());
}

}  // namespace ringweir::app
