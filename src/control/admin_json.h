// The admin interface's JSON: one function a thing.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "ringweir/control/admin_api.h"

namespace ringweir::control {

using Json = nlohmann::ordered_json;

// What a peer sent need not be UTF-8; what we say must be.
inline std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json to_json(const location::BindingSet& set, const ProcessView& process, Instant now, WallMs wall_ms);
Json to_json(const shard::TraceEntry& entry);
Json status_json(const ProcessView& process, bool recording);

AdminResponse ok(const Json& json);
AdminResponse refusal(unsigned status, std::string why);

}  // namespace ringweir::control
