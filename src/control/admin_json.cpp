#include "control/admin_json.h"

#include <unistd.h>

#include <span>

#include "ringweir/sip/scan.h"

namespace ringweir::control {
namespace {

Json shard_json(const ProcessView& process, std::size_t i, std::span<const Duration> cpu) {
  const shard::Face& face = *process.shared.faces[i];
  const shard::Counters& counters = face.counters;
  const auto sum = [](const auto& row) {
    std::uint64_t n = 0;
    for (const Counter& counter : row) n += counter.read();
    return n;
  };
  Json json;
  json["shard"] = i;
  json["generation"] = face.generation.load(std::memory_order_relaxed);
  json["bindings"] = face.bindings.load(std::memory_order_relaxed);
  json["requests"] = sum(counters.requests);
  json["responses"] = sum(counters.responses_sent);
  for (std::size_t code = 100; code < 700; code += 100) {
    json["responses_by_class"][std::to_string(code / 100) + "xx"] =
        sum(std::span(counters.responses_sent).subspan(code, 100));
  }
  json["transactions"] = sum(counters.proxy.began) - sum(counters.proxy.ended);
  json["unanswered"] = face.transactions.load(std::memory_order_relaxed);
  json["dropped"] = sum(counters.dropped);
  json["waited_us"] = counters.waits_us.read();  // of `waits` messages together
  json["waits"] = sum(counters.waits);
  json["malformed"] = counters.malformed.read();
  json["handed_over"] = counters.handed_over.read();
  json["taken_in"] = counters.taken_in.read();
  json["mailbox_full"] = counters.mailbox_full.read();
  json["trace_messages"] = face.trace.next_sequence();
  if (i < process.drivers.size()) {
    const io::DriverCounters& io = *process.drivers[i];
    json["datagrams_in"] = io.datagrams_in.read();
    json["datagrams_out"] = io.datagrams_out.read();
    json["bytes_in"] = io.bytes_in.read();
    json["bytes_out"] = io.bytes_out.read();
    json["turns"] = io.turns.read();
  }
  if (i < cpu.size()) json["cpu_us"] = cpu[i] / 1us;
  return json;
}

}  // namespace

Json to_json(const location::BindingSet& set, const ProcessView& process, Instant now, WallMs wall_ms) {
  Json json;
  json["aor"] = set.aor();
  json["bindings"] = Json::array();
  for (std::size_t i = 0; i < set.size(); ++i) {
    const location::BindingView binding = set.view(i);
    if (!binding.alive(now)) continue;
    Json one;
    one["contact"] = binding.contact;
    one["expires_in_s"] = binding.remaining_s(now);
    one["q"] = binding.q_thousandths / 1000.0;
    one["source"] = to_string(binding.source);
    one["user_agent"] = process.directory.user_agent(binding.user_agent);
    one["call_id"] = binding.call_id;
    one["cseq"] = binding.cseq;
    one["registered_ms"] = wall_ms - to_ms(now - binding.registered_at);
    one["shard"] = binding.owner;
    if (binding.socket < process.listeners.size()) one["listener"] = process.listeners[binding.socket].name;
    json["bindings"].push_back(std::move(one));
  }
  return json;
}

Json to_json(const shard::TraceEntry& entry) {
  Json json;
  json["time_us"] = entry.wall_us;
  json["shard"] = entry.shard;
  json["sequence"] = entry.sequence;
  json["direction"] = entry.direction == shard::Direction::in ? "in" : "out";
  json["peer"] = to_string(entry.peer);
  json["local"] = to_string(entry.local);
  json["call_id"] = sip::glimpse(entry.text).call_id;
  json["text"] = entry.text;
  return json;
}

Json status_json(const ProcessView& process, bool recording) {
  Json json;
  json["name"] = process.node;
  json["version"] = process.version;
  json["pid"] = getpid();
  json["started_ms"] = process.started_ms;
  json["uptime_s"] = (process.wall_ms() - process.started_ms) / 1000;
  json["ready"] = process.ready.load(std::memory_order_acquire);
  json["io"] = {{"backend", process.io_backend}, {"reason", process.io_reason}};
  json["listeners"] = Json::array();
  for (const ListenerView& listener : process.listeners) {
    json["listeners"].push_back(
        {{"name", listener.name}, {"bound", to_string(listener.bound)}, {"transports", listener.transports}});
  }
  std::uint64_t bindings = 0;
  for (const auto& face : process.shared.faces) bindings += face->bindings.load(std::memory_order_relaxed);
  json["bindings"] = bindings;
  json["aors"] = process.directory.aors();
  if (const auto users = process.users ? process.users() : nullptr) json["users"] = users->size();
  json["trace"] = {{"recording", recording}};
  json["shards"] = Json::array();
  const std::vector<Duration> cpu = process.shard_cpu ? process.shard_cpu() : std::vector<Duration>();
  for (std::size_t i = 0; i < process.shards(); ++i) json["shards"].push_back(shard_json(process, i, cpu));
  return json;
}

AdminResponse ok(const Json& json) { return {200, "application/json", dump(json) + '\n', {}}; }

AdminResponse refusal(unsigned status, std::string why) {
  return {status, "application/json", dump(Json{{"error", std::move(why)}}) + '\n', {}};
}

}  // namespace ringweir::control
