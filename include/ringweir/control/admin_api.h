// What the admin interface answers, without the HTTP around it. One thread at a time.
//
//   GET  /metrics  /healthz  /readyz
//   GET  /api/v1/status
//   GET  /api/v1/registrations?aor=PATTERN&limit=N&cursor=C     PATTERN may hold '*'; cursor is the page before's "next"
//   GET  /api/v1/registrations/AOR
//   GET  /api/v1/users?limit=N&cursor=C                         names only
//   GET  /api/v1/trace?since=C&call_id=ID&match=prefix&limit=N  since: "next" of a page, or `now`
//   GET  /api/v1/trace?follow=1...                              answered by the server, a line of JSON a message
//   GET  /api/v1/upstreams
//   GET  /api/v1/decisions?call_id=ID&match=prefix              why a call went where it did
//   POST /api/v1/upstreams/drain?upstream=U&target=T            T: an endpoint, or a URI as configured
//   POST /api/v1/upstreams/undrain?upstream=U&target=T
//   POST /api/v1/trace/recording?on=1|0
//   POST /api/v1/reload
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "ringweir/base/result.h"
#include "ringweir/control/process.h"
#include "ringweir/control/trace_reader.h"

namespace ringweir::control {

struct AdminRequest {
  std::string method;                         // "GET"; HEAD is asked as GET
  std::string path;                           // decoded
  std::map<std::string, std::string> query;   // decoded
  std::string host, origin;                   // header fields as sent
  bool on_loopback = true;                    // the connection came to a loopback address

  std::string parameter(const std::string& name) const {
    const auto found = query.find(name);
    return found == query.end() ? std::string() : found->second;
  }
};
// Path and query of a request target. nullopt when it is not one ("*", a bad escape).
std::optional<AdminRequest> parse_target(std::string_view target);

struct AdminResponse {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string allow;  // of a 405
};

// A name rebound to our address by a page in somebody's browser carries its own name in Host, and its own origin in Origin.
bool smells_of_rebinding(const AdminRequest& request);

// What a follower of the trace asked for.
struct TraceQuery {
  TraceCursor from;
  TraceFilter filter;
};

class AdminApi {
 public:
  explicit AdminApi(ProcessView& process);

  AdminResponse handle(const AdminRequest& request);
  // A request that takes as long as a configuration takes to load; handle() answers it too, but holds the caller up.
  bool takes_long(const AdminRequest& request) const;
  // handle() for one of those: may be called on another thread meanwhile, one at a time.
  AdminResponse handle_slowly(const AdminRequest& request) const;

  bool is_follow(const AdminRequest& request) const;
  // Or the 400 (403) to answer. Not over HTTP/1.0, which has no chunks.
  Result<TraceQuery, AdminResponse> follow(const AdminRequest& request) const;
  const TraceRings& rings() const noexcept { return rings_; }

 private:
  AdminResponse get(const AdminRequest& request);
  AdminResponse post(const AdminRequest& request);
  AdminResponse ready() const;
  AdminResponse status() const;
  AdminResponse registrations(const AdminRequest& request);
  AdminResponse registration(std::string_view aor);
  AdminResponse users(const AdminRequest& request) const;
  AdminResponse upstreams() const;
  AdminResponse set_draining(const AdminRequest& request, bool drain) const;
  AdminResponse decisions(const AdminRequest& request) const;
  AdminResponse trace(const AdminRequest& request) const;
  AdminResponse set_recording(const AdminRequest& request);
  AdminResponse reload() const;
  bool recording() const;

  ProcessView& process_;
  TraceRings rings_;
  location::Participant reader_;      // offline between requests
  std::optional<TraceTap> recorder_;  // switched on by POST
};

}  // namespace ringweir::control
