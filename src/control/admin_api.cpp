#include "ringweir/control/admin_api.h"

#include <algorithm>
#include <charconv>

#include "control/admin_json.h"
#include "ringweir/control/metrics.h"

namespace ringweir::control {
namespace {

constexpr std::string_view kRegistrations = "/api/v1/registrations/";
constexpr std::size_t kTracePageMax = 1'000, kTracePageDefault = 200;
constexpr std::size_t kUsersPageMax = 10'000, kUsersPageDefault = 1'000;

// A whole number from `least`, cut to `most`, or `fallback` when the parameter is absent; nullopt when it is something else.
std::optional<std::size_t> count_of(const AdminRequest& request, const char* name, std::size_t fallback,
                                    std::size_t most, std::size_t least = 1) {
  const std::string text = request.parameter(name);
  if (text.empty()) return fallback;
  std::size_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size() || n < least) return std::nullopt;
  return std::min(n, most);
}

AdminResponse bad(const char* parameter) { return refusal(400, std::string("bad value of parameter ") + parameter); }

AdminResponse plain(unsigned status, std::string text) { return {status, "text/plain; charset=utf-8", std::move(text), {}}; }

constexpr std::string_view kRead[] = {"/metrics", "/healthz", "/readyz", "/api/v1/status", "/api/v1/registrations",
                                     "/api/v1/users", "/api/v1/trace", "/api/v1/upstreams", "/api/v1/decisions"};
constexpr std::string_view kWritten[] = {"/api/v1/reload", "/api/v1/trace/recording", "/api/v1/upstreams/drain",
                                        "/api/v1/upstreams/undrain"};
bool is_read(std::string_view path) {
  return std::ranges::find(kRead, path) != std::end(kRead) || path.starts_with(kRegistrations);
}

bool is_true(std::string_view text) { return text == "1" || text == "true" || text == "yes" || text == "on"; }

}  // namespace

AdminApi::AdminApi(ProcessView& process) : process_(process), reader_(process.directory.grace()) {
  reader_.offline();
  for (const auto& face : process.shared.faces) rings_.push_back(&face->trace);
}

AdminResponse AdminApi::handle(const AdminRequest& request) {
  if (request.path.starts_with("/api/") && smells_of_rebinding(request)) {
    return refusal(403, "Host or Origin is not this server's");
  }
  const bool posts = std::ranges::find(kWritten, request.path) != std::end(kWritten);
  if (request.method == (posts ? "POST" : "GET")) return posts ? post(request) : get(request);
  if (!posts && !is_read(request.path)) return refusal(404, "no such thing here");
  AdminResponse response = refusal(405, "method not allowed");
  response.allow = posts ? "POST" : "GET, HEAD";
  return response;
}

bool AdminApi::takes_long(const AdminRequest& request) const {
  return request.method == "POST" && request.path == "/api/v1/reload";
}

AdminResponse AdminApi::handle_slowly(const AdminRequest& request) const {
  if (smells_of_rebinding(request)) return refusal(403, "Host or Origin is not this server's");
  return reload();
}

AdminResponse AdminApi::post(const AdminRequest& request) {
  if (request.path == "/api/v1/upstreams/drain") return set_draining(request, true);
  if (request.path == "/api/v1/upstreams/undrain") return set_draining(request, false);
  return request.path == "/api/v1/reload" ? reload() : set_recording(request);
}

AdminResponse AdminApi::get(const AdminRequest& request) {
  const std::string& path = request.path;
  if (path == "/metrics") return {200, kMetricsContentType, metrics_text(process_), {}};
  if (path == "/healthz") return plain(200, "ok\n");
  if (path == "/readyz") return ready();
  if (path == "/api/v1/status") return status();
  if (path == "/api/v1/registrations") return registrations(request);
  if (path.starts_with(kRegistrations)) return registration(path.substr(kRegistrations.size()));
  if (path == "/api/v1/users") return users(request);
  if (path == "/api/v1/trace") return trace(request);
  if (path == "/api/v1/upstreams") return upstreams();
  if (path == "/api/v1/decisions") return decisions(request);
  return refusal(404, "no such thing here");
}

AdminResponse AdminApi::ready() const {
  if (process_.ready.load(std::memory_order_acquire)) return plain(200, "ready\n");
  std::string why = process_.why_not_ready ? process_.why_not_ready() : std::string();
  if (why.empty()) why = "starting or stopping";
  return plain(503, "not ready: " + why + '\n');
}

AdminResponse AdminApi::status() const { return ok(status_json(process_, recording())); }

AdminResponse AdminApi::users(const AdminRequest& request) const {
  const auto limit = count_of(request, "limit", kUsersPageDefault, kUsersPageMax);
  const auto from = count_of(request, "cursor", 0, SIZE_MAX, 0);
  if (!limit) return bad("limit");
  if (!from) return bad("cursor");
  const auto users = process_.users ? process_.users() : nullptr;
  Json json;
  json["total"] = users ? users->size() : 0;
  json["users"] = Json::array();
  std::size_t at = 0;
  if (users) {
    users->for_each([&](const auth::User& user) {
      if (at >= *from && at - *from < *limit) json["users"].push_back(user.username);
      ++at;
    });
  }
  if (at > *from && at - *from > *limit) json["next"] = std::to_string(*from + *limit);
  return ok(json);
}

bool AdminApi::recording() const {
  return std::ranges::any_of(rings_, [](const shard::TraceRing* ring) { return ring->recording(); });
}

bool AdminApi::is_follow(const AdminRequest& request) const {
  return request.method == "GET" && request.path == "/api/v1/trace" && is_true(request.parameter("follow"));
}

Result<TraceQuery, AdminResponse> AdminApi::follow(const AdminRequest& request) const {
  if (smells_of_rebinding(request)) return Unexpected<AdminResponse>(refusal(403, "Host is not this server's"));
  TraceQuery query{TraceCursor::newest(rings_), {request.parameter("call_id"), request.parameter("match") == "prefix"}};
  if (const std::string since = request.parameter("since"); !since.empty() && since != "now") {
    const auto cursor = TraceCursor::parse(since, rings_.size());
    if (!cursor) return Unexpected<AdminResponse>(bad("since"));
    query.from = *cursor;
  }
  return query;
}

AdminResponse AdminApi::trace(const AdminRequest& request) const {
  const auto limit = count_of(request, "limit", kTracePageDefault, kTracePageMax);
  if (!limit) return bad("limit");
  TraceCursor cursor = TraceCursor::oldest(rings_);
  if (const std::string since = request.parameter("since"); since == "now") {
    cursor = TraceCursor::newest(rings_);
  } else if (!since.empty()) {
    const auto parsed = TraceCursor::parse(since, rings_.size());
    if (!parsed) return bad("since");
    cursor = *parsed;
  }
  const TraceFilter filter{request.parameter("call_id"), request.parameter("match") == "prefix"};
  const TracePage page = read_trace(rings_, cursor, filter, *limit);
  Json json;
  json["recording"] = recording();
  json["entries"] = Json::array();
  for (const shard::TraceEntry& entry : page.entries) json["entries"].push_back(to_json(entry));
  json["lost"] = page.lost;
  json["more"] = page.more;
  json["next"] = cursor.text();
  return ok(json);
}

AdminResponse AdminApi::set_recording(const AdminRequest& request) {
  const std::string on = request.parameter("on");
  if (is_true(on)) {
    if (!recorder_) recorder_.emplace(rings_);
  } else if (on == "0" || on == "false" || on == "no" || on == "off") {
    recorder_.reset();
  } else {
    return bad("on");
  }
  return ok({{"recording", recording()}});
}

AdminResponse AdminApi::reload() const {
  if (!process_.reload) return refusal(501, "this process has no configuration to reload");
  const ReloadReport report = process_.reload();
  AdminResponse response = ok({{"done", report.done}, {"lines", report.lines}});
  if (!report.done) response.status = 422;
  return response;
}

}  // namespace ringweir::control
