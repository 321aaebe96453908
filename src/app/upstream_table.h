// Targets as a table: for `upstream ls` and `top`.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

namespace ringweir::app {

// `upstreams`: as GET /api/v1/upstreams lists them.
std::string upstream_table(const nlohmann::ordered_json& upstreams);
std::string short_time(std::uint64_t us);  // "830us", "12.4ms", "3.1s"

}  // namespace ringweir::app
