#include "call_engine.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace ringweir::load {
namespace {

// What a proxy would put into a request that an echo only returns: the sizes are those of ringweir's.
constexpr std::string_view kHop =
    "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKf00112233445566778899aabbccddeeff\r\n";
constexpr std::string_view kRecord =
    "Record-Route: <sip:127.0.0.1:5060;lr;rw=AQEBfwAAAROIAgF_AAABdTAAAAAAAAAAAAAAAAAAAAA>\r\n";

}  // namespace

CallEngine::CallEngine(const Options& options, Peers& peers)
    : options_(options), peers_(peers), world_(options, peers), callers_(world_), callees_(world_, peers) {}

Outcome CallEngine::run(const Phase& phase) {
  world_.outcome = {};
  world_.outcome.calls.emplace();
  world_.counting = false;
  world_.wheel.start(now_ns());
  if (options_.ring != 0) {
    hold_ = Hold::gathering;
    callees_.hold();
    callers_.be_patient(patience_ns());
  }
  Drive(*this, peers_, options_).run(phase, world_.outcome);
  return std::move(world_.outcome);
}

std::int64_t CallEngine::patience_ns() const noexcept {
  const std::int64_t hold = options_.ring == 0 ? 0 : options_.hold_s * std::int64_t{1'000'000'000};
  return 2 * (kTransactionNs + kT1Ns) + hold;
}

// A call that rings for long is not in the way of the next.
bool CallEngine::room() const noexcept {
  const std::uint32_t busy = hold_ == Hold::none ? in_flight() : world_.in(CallStep::inviting);
  return busy < options_.window;
}

bool CallEngine::begin(Workload /*workload*/, std::int64_t started_ns, std::int64_t now) {
  world_.now = now;
  return callers_.begin(started_ns);
}

void CallEngine::take(std::uint32_t peer, std::string_view message, std::int64_t now) {
  world_.now = now;
  if (options_.echo) {
    reflect(peer, message);
  } else if (message.starts_with("SIP/2.0 ")) {
    callers_.take(message);
  } else {
    callees_.take(peer, message);
  }
}

void CallEngine::run_timers(std::int64_t now) {
  world_.now = now;
  world_.wheel.turn(now, [&](std::uint64_t token) {
    Call* const call = world_.table.find(token);
    if (call == nullptr) return;
    if (call->wake_ns > now) return;  // woken for an earlier one
    call->wake_ns = kNever;
    callees_.run_timers(*call);
    callers_.run_timers(*call);
    if (world_.table.find(token) != nullptr)
      world_.wake(*call, std::min(call->resend_ns, call->callee_resend_ns));
  });
  if (hold_ != Hold::none) run_hold();
}

bool CallEngine::told() const {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  const bool spoken = poll(&input, 1, 0) > 0 && input.revents != 0;
  return spoken || world_.now - ringing_since_ns_ >= options_.hold_s * std::int64_t{1'000'000'000};
}

// Gathers so many calls that ring, says so in a line, and has them answered a window at a time when told by a
// line on the input, by its end, or by the time.
void CallEngine::run_hold() {
  if (hold_ == Hold::gathering && world_.counts().begun >= options_.ring &&
      world_.in(CallStep::inviting) == 0) {
    hold_ = Hold::ringing;
    ringing_since_ns_ = world_.now;
    fmt::print(R"({{"ringing": {}, "retransmissions": {}}})"
               "\n",
               world_.in(CallStep::ringing), world_.outcome.retransmissions);
    std::fflush(stdout);
  }
  if (hold_ == Hold::ringing && told()) {
    hold_ = Hold::answering;
    finished_before_ = world_.finished;
  }
  if (hold_ != Hold::answering) return;
  const std::vector<std::uint64_t>& held = callees_.held();
  while (answered_ < held.size() && answered_ - (world_.finished - finished_before_) < options_.window) {
    Call* const call = world_.table.find(held[answered_++]);
    if (call != nullptr) callees_.answer(*call);
  }
}

// The peer is an echo: what comes back has reached the other side, and we do to it what a proxy would, so
// that the datagrams of a call have the sizes they have with one.
void CallEngine::reflect(std::uint32_t peer, std::string_view message) {
  if (!message.starts_with("SIP/2.0 ")) {
    reflect_request(peer, message);
    return;
  }
  if (!message.starts_with("SIP/2.0 100")) {
    const std::size_t via = message.find("Via: ");
    const std::size_t end = message.find("\r\n", via) + 2;
    reflected_.assign(message.substr(0, via)).append(message.substr(end));
    message = reflected_;
  }
  callers_.take(message);
}

void CallEngine::reflect_request(std::uint32_t peer, std::string_view message) {
  const bool invite = message.starts_with("INVITE ");
  const auto token = token_of(message);
  Call* const call = token ? world_.table.find(*token) : nullptr;
  if (call == nullptr) {
    ++world_.outcome.late;
    return;
  }
  std::uint32_t callee_peer = call->callee_peer;
  if (invite) {
    const auto callees = static_cast<std::uint32_t>(options_.callee_ports.size());
    callee_peer = callees == 0 ? call->callee % options_.sockets : options_.sockets + call->callee % callees;
    if (options_.echo_trying) {
      Repeated lines;
      hear_request(message, "", lines);
      world_.messages.respond(peer, Lane::ended, CallMessages::Response::trying, lines.view(), 0);
    }
  }
  // The Record-Route of the INVITE, in place of the Route that a proxy takes off the others.
  const std::size_t line = message.find("\r\n") + 2;
  reflected_.assign(message.substr(0, line)).append(kHop);
  if (invite) reflected_.append(kRecord);
  std::string_view rest = message.substr(line);
  const std::size_t route = rest.find("Route: ");
  if (route != std::string_view::npos) {
    reflected_.append(rest.substr(0, route));
    rest = rest.substr(rest.find("\r\n", route) + 2);
  }
  callees_.take(callee_peer, reflected_.append(rest));
}

}  // namespace ringweir::load
