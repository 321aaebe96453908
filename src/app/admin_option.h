// Where the running ringweir is: --admin HOST:PORT, or the admin address of a configuration.
#pragma once
#include <CLI/App.hpp>
#include <expected>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "ringweir/control/admin_client.h"

namespace ringweir::app {

using Json = nlohmann::ordered_json;

struct AdminOption {
  std::string address = "127.0.0.1:8080";
  std::string config;

  // nullopt after having said why, with an exit code in `code`.
  std::optional<control::AdminClient> client(int& code) const;
};
void add_admin_option(CLI::App& command, AdminOption& option);

// The JSON of an answer with status 200; otherwise the reason, as a sentence. 404 is told apart by `missing`.
struct Refused {
  std::string why;
  unsigned status;  // 0: no answer
};
std::expected<Json, Refused> get_json(const control::AdminClient& client, const std::string& target);
std::expected<Json, Refused> post_json(const control::AdminClient& client, const std::string& target);

}  // namespace ringweir::app
