// What a configuration would do with a request, from the file alone: no socket, no DNS, every target up.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "ringweir/base/result.h"
#include "ringweir/control/config.h"

namespace ringweir::control {

struct RouteQuestion {
  std::string request{};     // "INVITE sip:9@example.com"
  std::string call_id{};     // empty: one is drawn
  std::string from{}, to{};  // URIs, for hash_from and hash_to; empty: drawn, and the request URI
  std::string source{};      // the address it comes from; empty: one that no range holds
};

// What it comes to, step by step: "route", "2 of 3: user 9*: forward pbx, strip 1". An error is a sentence.
using RouteSteps = std::vector<std::pair<std::string, std::string>>;
Result<RouteSteps, std::string> explain_route(const Config& config, const RouteQuestion& question);

}  // namespace ringweir::control
