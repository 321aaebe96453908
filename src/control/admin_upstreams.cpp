// The admin interface's upstreams: who is a target and how it does, taking one out and back, why a call went
// where it did.
#include <algorithm>

#include "control/admin_json.h"
#include "ringweir/control/admin_api.h"
#include "ringweir/control/decisions.h"
#include "ringweir/control/prober.h"

namespace ringweir::control {
namespace {

constexpr std::size_t kDecisionsMax = 1'000;

Json last_probe_json(const ProcessView& process, std::string_view upstream, const Endpoint& endpoint,
                     Instant now) {
  const auto last = process.prober ? process.prober->last(upstream, endpoint) : std::nullopt;
  if (!last) return nullptr;
  Json json;
  json["outcome"] = to_string(last->outcome);
  if (last->status != 0) json["status"] = last->status;
  json["took_us"] = last->took / 1us;
  json["ago_ms"] = to_ms(now - last->at);
  return json;
}

Json target_json(const ProcessView& process, const balance::Upstream& upstream, const balance::Target& target,
                 Instant now) {
  const balance::TargetState& state = *target.state;
  const balance::TargetState::Tallies tallies = state.tallies();
  const balance::Ejection ejection = state.ejection();
  Json json;
  json["uri"] = target.uri;
  json["endpoint"] = to_string(target.endpoint);
  json["state"] = state.draining() ? "draining" : to_string(state.health(now));
  json["health"] = to_string(state.health(now));
  json["draining"] = state.draining();
  json["weight"] = target.weight;
  json["priority"] = target.priority;
  json["share"] =
      static_cast<double>(state.share(now, upstream.slow_start())) / balance::TargetState::kShareFull;
  json["calls"] = state.calls();
  json["in_flight"] = state.outstanding();
  json["ewma_us"] = state.ewma(now) / 1us;
  json["calls_total"] = tallies.calls;
  for (std::size_t i = 1; i < tallies.responses.size(); ++i) {
    json["responses"][std::to_string(i) + "xx"] = tallies.responses[i];
  }
  json["timeouts"] = tallies.timeouts;
  json["unreachable"] = tallies.unreachables;
  json["failovers"] = tallies.failovers;
  json["ejections"] = tallies.ejections;
  if (ejection.holds(now)) {
    json["ejected"] = {{"cause", to_string(ejection.cause)},
                       {"for_ms", to_ms(Instant(std::chrono::milliseconds(ejection.until_ms)) - now)}};
  }
  json["probes"] = {{"good", tallies.probes_good}, {"bad", tallies.probes_bad}};
  json["last_probe"] = last_probe_json(process, upstream.name(), target.endpoint, now);
  return json;
}

// "10.0.0.11:5060", "10.0.0.11" on port 5060, or the URI as configured, which may stand for several.
bool is_meant(const balance::Target& target, const std::string& text) {
  return text == target.uri || text == to_string(target.endpoint) ||
         parse_endpoint(text, 5060) == target.endpoint;
}

}  // namespace

AdminResponse AdminApi::upstreams() const {
  const auto snapshot = process_.snapshot ? process_.snapshot() : nullptr;
  const Instant now = process_.now();
  Json json;
  json["upstreams"] = Json::array();
  if (!snapshot) return ok(json);
  for (const balance::Upstream& upstream : snapshot->upstreams) {
    Json one;
    one["name"] = upstream.name();
    one["algorithm"] = balance::to_string(upstream.algorithm());
    one["targets"] = Json::array();
    for (const balance::Target& target : upstream.targets()) {
      one["targets"].push_back(target_json(process_, upstream, target, now));
    }
    json["upstreams"].push_back(std::move(one));
  }
  return ok(json);
}

// Both are an operator's word and stay until the other is said, over reloads too.
AdminResponse AdminApi::set_draining(const AdminRequest& request, bool drain) const {
  const auto snapshot = process_.snapshot ? process_.snapshot() : nullptr;
  const std::string name = request.parameter("upstream"), wanted = request.parameter("target");
  if (!snapshot) return refusal(501, "this process has no upstreams");
  const auto upstream =
      std::ranges::find(snapshot->upstreams, name, [](const auto& u) { return std::string(u.name()); });
  if (upstream == snapshot->upstreams.end()) return refusal(404, "there is no upstream '" + name + "'");
  Json json;
  json["targets"] = Json::array();
  for (const balance::Target& target : upstream->targets()) {
    if (!is_meant(target, wanted)) continue;
    drain ? target.state->drain() : target.state->undrain(process_.now());
    json["targets"].push_back({{"uri", target.uri},
                               {"endpoint", to_string(target.endpoint)},
                               {"draining", target.state->draining()},
                               {"calls", target.state->calls()},
                               {"in_flight", target.state->outstanding()}});
  }
  if (json["targets"].empty()) return refusal(404, "upstream '" + name + "' has no target '" + wanted + "'");
  return ok(json);
}

AdminResponse AdminApi::decisions(const AdminRequest& request) const {
  const std::string call_id = request.parameter("call_id");
  if (call_id.empty()) return refusal(400, "parameter call_id is needed");
  const auto snapshot = process_.snapshot ? process_.snapshot() : nullptr;
  std::vector<const shard::DecisionRing*> rings;
  for (const auto& face : process_.shared.faces) rings.push_back(&face->decisions);
  const auto found = find_decisions(rings, call_id, request.parameter("match") == "prefix", kDecisionsMax);
  Json json;
  json["decisions"] = Json::array();
  for (const ShardDecision& each : found) {
    const shard::Decision& decision = each.decision;
    Json one;
    one["time_us"] = decision.wall_us;
    one["shard"] = each.shard;
    one["call_id"] = decision.call_id;
    one["kind"] = to_string(decision.kind);
    if (const balance::Upstream* upstream = snapshot ? upstream_of(decision, *snapshot) : nullptr) {
      one["upstream"] = upstream->name();
    }
    if (decision.kind != shard::Decided::refused) one["target"] = to_string(decision.target);
    one["why"] = snapshot ? sentence(decision, *snapshot) : std::string();
    json["decisions"].push_back(std::move(one));
  }
  return ok(json);
}

}  // namespace ringweir::control
