// A ShardRig with a farm of upstream targets, and the ends of calls: what the edge sends is read as SipText and answered by hand, one
// message at a time. The clock moves only when the test says so.
#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ringweir/balance/upstream.h"
#include "support/request_text.h"
#include "support/shard_rig.h"
#include "support/sip_text.h"

namespace ringweir::support {

inline const Endpoint kEdge{IpAddress::v4(192, 0, 2, 10), 5060};
inline const Endpoint kCaller{IpAddress::v4(192, 0, 2, 7), 5062};
inline const Endpoint kCallee{IpAddress::v4(192, 0, 2, 8), 5064};
inline const Endpoint kStranger{IpAddress::v4(198, 51, 100, 66), 6666};
inline Endpoint target_at(std::uint8_t i) { return {IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(11 + i)), 5060}; }

// A datagram that the edge sent.
struct Seen {
  SipText sip;
  std::string raw;
  Endpoint to;
  std::uint16_t socket = 0;

  // "INVITE", "200", or "" where there was nothing.
  std::string what() const {
    return sip.status ? std::to_string(sip.status) : sip.start_line.substr(0, sip.start_line.find(' '));
  }
  std::string uri() const {
    const std::size_t begin = sip.start_line.find(' ') + 1;
    return sip.start_line.substr(begin, sip.start_line.rfind(' ') - begin);
  }
  std::string get(std::string_view name) const { return std::string{sip.get(name)}; }
  std::string branch() const { return parameter_of(sip.get("via"), "branch"); }
  explicit operator bool() const { return !raw.empty(); }
};

struct ResponseParts {
  std::string to_tag = "callee1";
  std::string contact{};
  std::vector<std::string> lines{};
  std::string body{};
};

// As a user agent answers what it got (RFC 3261 8.2.6, 12.1.1).
inline std::string response_to(const Seen& request, int status, const ResponseParts& parts = {}) {
  std::string out = "SIP/2.0 " + std::to_string(status) + " Said So\r\n";
  for (const auto& [name, value] : request.sip.headers) {
    if (name == "via") out += "Via: " + value + "\r\n";
    if (name == "record-route") out += "Record-Route: " + value + "\r\n";
    if (name == "from") out += "From: " + value + "\r\n";
    if (name == "call-id") out += "Call-ID: " + value + "\r\n";
    if (name == "cseq") out += "CSeq: " + value + "\r\n";
    if (name == "to") {
      const bool tagged = value.find(";tag=") != value.npos;
      out += "To: " + value + (tagged || status == 100 || parts.to_tag.empty() ? "" : ";tag=" + parts.to_tag) + "\r\n";
    }
  }
  if (!parts.contact.empty()) out += "Contact: <" + parts.contact + ">\r\n";
  for (const std::string& line : parts.lines) out += line + "\r\n";
  return out + "Content-Length: " + std::to_string(parts.body.size()) + "\r\n\r\n" + parts.body;
}

inline std::string uri_in(std::string_view name_addr) {
  const std::size_t begin = name_addr.find('<') + 1;
  return std::string{name_addr.substr(begin, name_addr.find('>') - begin)};
}

// The ACK to a final response other than 2xx: one hop's (RFC 3261 17.1.1.3).
inline RequestText ack_of(const RequestText& invite, const Seen& response) {
  RequestText ack = invite;
  ack.method = "ACK";
  ack.to = response.get("to");
  ack.lines.clear();
  ack.body.clear();
  return ack;
}
inline RequestText cancel_of(const RequestText& invite) {
  RequestText cancel = invite;
  cancel.method = "CANCEL";
  cancel.lines.clear();
  cancel.body.clear();
  return cancel;
}

// One end's view of a dialog (RFC 3261 12).
struct Dialog {
  std::string uri, from, to, call_id, sent_by;
  std::vector<std::string> routes;
  std::uint32_t cseq = 1;
  int branches = 0;

  RequestText request(std::string method) {
    RequestText out;
    if (method != "ACK") ++cseq;
    out.method = std::move(method);
    out.uri = uri;
    out.via = "SIP/2.0/UDP " + sent_by + ";rport;branch=z9hG4bK-d" + std::to_string(++branches) + sent_by.substr(0, 9);
    out.from = from;
    out.to = to;
    out.call_id = call_id;
    out.cseq = cseq;
    for (const std::string& route : routes) out.with("Route: " + route);
    return out;
  }
};

// Of who called, by the 2xx or 1xx that came back; routes in reverse order (12.1.2).
inline Dialog caller_dialog(const RequestText& invite, const Seen& response, const Endpoint& caller = kCaller) {
  Dialog d{uri_in(response.sip.get("contact")), invite.from, response.get("to"), invite.call_id, to_string(caller), {}, invite.cseq, 0};
  for (const auto& [name, value] : response.sip.headers) {
    if (name == "record-route") d.routes.insert(d.routes.begin(), value);
  }
  return d;
}
// Of who was called, by the INVITE; routes in order (12.1.1).
inline Dialog callee_dialog(const Seen& invite, const std::string& to_tag, const Endpoint& callee) {
  Dialog d{uri_in(invite.sip.get("contact")), invite.get("to") + ";tag=" + to_tag, invite.get("from"), invite.get("call-id"),
           to_string(callee), {}, 100, 0};
  for (const auto& [name, value] : invite.sip.headers) {
    if (name == "record-route") d.routes.push_back(value);
  }
  return d;
}

struct CallOptions {
  RigOptions rig{};
  std::vector<Endpoint> endpoints{kEdge};
  std::size_t targets = 2;
  balance::Algorithm algorithm = balance::Algorithm::round_robin;
  balance::Failover failover{.codes = balance::StatusSet::of(503)};
  balance::Passive passive{};
  bool stateless = false;
  std::vector<sip::Method> authenticate{};
  std::uint8_t strip = 0;
  std::string prefix{};
  std::function<void(SnapshotOptions&)> routes{};       // changes the routes
  std::function<void(shard::Snapshot&)> change{};       // and what comes of all this
};

class CallRig {
 public:
  explicit CallRig(CallOptions options = {})
      : options_(std::move(options)), states_(make_states(options_.targets)), snapshot(make(options_, 1)) {
    options_.rig.local = options_.endpoints;
    rig = std::make_unique<ShardRig>(options_.rig, snapshot);
  }

  // --- The network.
  void say(std::string_view bytes, const Endpoint& from, std::uint16_t socket = 0, std::uint32_t shard = 0) {
    check(rig->drivers[shard]->deliver(bytes, from, socket), "room for one datagram");
    turn();
  }
  void say(const RequestText& request, const Endpoint& from = kCaller, std::uint16_t socket = 0) { say(request.text(), from, socket); }
  // The next datagram to `to` that nobody took; none: an empty one.
  Seen take(const Endpoint& to) {
    for (auto at = seen.begin(); at != seen.end(); ++at) {
      if (at->to != to) continue;
      Seen out = std::move(*at);
      seen.erase(at);
      return out;
    }
    return {};
  }
  // What went to `to` since it was last asked, in a word each: "100 180 200".
  std::string all_to(const Endpoint& to) {
    std::string out;
    for (Seen one = take(to); one; one = take(to)) out += (out.empty() ? "" : " ") + one.what();
    return out;
  }
  // Time passes, timer by timer.
  void pass(Duration by) {
    const Instant until = rig->clock.now + by;
    while (rig->clock.now < until) {
      Instant next = until;
      for (const auto& shard : rig->shards) next = std::min(next, std::max(shard->engine().next_due(), rig->clock.now + 1ms));
      rig->clock.advance(next - rig->clock.now);
      turn();
    }
  }
  void unreachable(const Endpoint& peer, std::uint16_t socket = 0) {
    rig->drivers[0]->report_unreachable(peer, socket);
    turn();
  }

  // --- The usual steps.
  static RequestText invite(const std::string& user = "9001") {
    RequestText out;
    out.method = "INVITE";
    out.uri = "sip:" + user + "@example.com";
    out.from = "<sip:100@example.com>;tag=caller1";
    out.to = "<sip:" + user + "@example.com>";
    out.with("Contact: <sip:100@192.0.2.7:5062>");
    return out;
  }
  // A phone registers. `parameters` of its Contact: "q=0.5".
  void registers(const std::string& user, const Endpoint& phone, const std::string& parameters = {}, std::uint16_t socket = 0) {
    RequestText out;
    out.via = "SIP/2.0/UDP " + to_string(phone) + ";rport;branch=z9hG4bK-r" + std::to_string(++registrations_);
    out.call_id = "registration-" + std::to_string(registrations_);
    out.from = out.to = "<sip:" + user + "@example.com>";
    out.from += ";tag=r";
    out.with("Contact: <sip:" + user + "@" + to_string(phone) + ">" + (parameters.empty() ? "" : ";" + parameters));
    say(out, phone, socket);
    check(take(phone).what() == "200", "a registration");
  }
  // INVITE to a target and its 200, ACKed by nobody yet. The target's number, or -1.
  int call_target(const RequestText& request, Seen* invite_seen = nullptr, Seen* answer_seen = nullptr) {
    say(request);
    for (std::uint8_t i = 0; i < options_.targets; ++i) {
      Seen seen_there = take(target_at(i));
      if (!seen_there) continue;
      say(response_to(seen_there, 200, {.contact = "sip:pbx@" + to_string(target_at(i))}), target_at(i));
      Seen answer = take(kCaller);
      while (answer && answer.what() != "200") answer = take(kCaller);
      if (invite_seen) *invite_seen = std::move(seen_there);
      if (answer_seen) *answer_seen = std::move(answer);
      return i;
    }
    return -1;
  }

  // --- What is left.
  proxy::Engine const& engine(std::uint32_t shard = 0) const { return rig->shards[shard]->engine(); }
  const shard::Counters& counters(std::uint32_t shard = 0) const { return rig->shared.faces[shard]->counters; }
  std::uint64_t stray(proxy::Stray why) const { return counters().proxy.strays[static_cast<std::size_t>(why)].read(); }
  std::uint64_t dropped(shard::Dropped why) const { return counters().dropped[static_cast<std::size_t>(why)].read(); }
  balance::TargetState& state(std::size_t i) { return *states_[i]; }
  // After all timers: every transaction, text, buffer and count is gone, or is named here. Open calls are the test's own.
  std::string leftovers() {
    pass(300s);
    std::string out;
    const auto name = [&out](const char* what, std::uint64_t count) {
      if (count != 0) out += std::string{what} + " " + std::to_string(count) + "; ";
    };
    for (std::uint32_t i = 0; i < rig->shards.size(); ++i) {
      name("contexts", engine(i).contexts());
      name("branches", engine(i).branches());
      name("texts", engine(i).texts().counters().texts.read());
      name("unanswered", engine(i).unanswered());
      for (std::size_t m = 0; m < 4; ++m) {
        name("machines alive", counters(i).proxy.began[m].read() - counters(i).proxy.ended[m].read());
      }
      name("buffers", rig->drivers[i]->buffers_taken());
    }
    for (const auto& each : states_) {
      name("outstanding", each->outstanding());
      name("unpaired", each->tallies().unpaired);
    }
    return out;
  }

  // A configuration that differs; the one before it is kept alive.
  void reload(const CallOptions& options) {
    older_.push_back(std::make_unique<shard::Snapshot>(make(options, ++generation_)));
    rig->publish(*older_.back());
    turn();
  }

 private:
  static std::vector<std::unique_ptr<balance::TargetState>> make_states(std::size_t count) {
    std::vector<std::unique_ptr<balance::TargetState>> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(std::make_unique<balance::TargetState>());
    return out;
  }
  static std::vector<proxy::Route> usual_routes(const CallOptions& options) {
    std::vector<proxy::Route> routes = SnapshotOptions::usual_routes();
    proxy::Route farm;
    farm.match.has_user = true;
    farm.match.user = "9*";
    farm.action.kind = proxy::Action::Kind::forward;
    farm.action.stateless = options.stateless;
    farm.action.strip = options.strip;
    farm.action.prefix = options.prefix;
    routes.insert(routes.begin(), farm);
    return routes;
  }
  shard::Snapshot make(const CallOptions& options, std::uint64_t generation) const {
    SnapshotOptions plain;
    plain.generation = generation;
    plain.endpoints = options.endpoints;
    plain.authenticates = !options.authenticate.empty();
    plain.routes = usual_routes(options);
    if (options.routes) options.routes(plain);
    shard::Snapshot out = make_snapshot(plain);
    out.methods_authenticated = 0;
    for (const sip::Method method : options.authenticate) out.methods_authenticated |= 1u << static_cast<unsigned>(method);
    balance::Upstream::Settings farm{.name = "pbx", .algorithm = options.algorithm};
    farm.failover = options.failover;
    farm.passive = options.passive;
    for (std::size_t i = 0; i < std::min(options.targets, states_.size()); ++i) {
      const Endpoint at = target_at(static_cast<std::uint8_t>(i));
      farm.targets.push_back({.endpoint = at, .uri = "sip:" + to_string(at), .state = states_[i].get()});
    }
    out.upstreams.emplace_back(std::move(farm));
    if (options.change) options.change(out);
    return out;
  }
  void turn() {
    if (watch) watch(true);
    rig->turn_all();
    if (watch) watch(false);
    collect();
  }
  void collect() {
    for (const auto& driver : rig->drivers) {
      for (const io::SimSent& sent : driver->sent()) {
        Seen one;
        one.raw = sent.bytes;
        one.to = sent.to;
        one.socket = sent.socket;
        if (auto read = read_sip(sent.bytes)) one.sip = std::move(*read);
        seen.push_back(std::move(one));
      }
      driver->clear_sent();
    }
  }

  CallOptions options_;
  std::vector<std::unique_ptr<balance::TargetState>> states_;  // outlive the rig
  std::vector<std::unique_ptr<shard::Snapshot>> older_;
  std::uint64_t generation_ = 1;
  int registrations_ = 0;

 public:
  shard::Snapshot snapshot;
  std::deque<Seen> seen;  // that nobody took yet
  void (*watch)(bool) = nullptr;  // told when the edge begins to work, and when it is done
  std::unique_ptr<ShardRig> rig;
};

}  // namespace ringweir::support
