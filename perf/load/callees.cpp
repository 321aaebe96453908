#include "callees.h"

#include <algorithm>

namespace ringweir::load {

using Response = CallMessages::Response;

void Callees::take(std::uint32_t peer, std::string_view request) {
  // A tag of its own for each address, so that two answers to one call would differ.
  to_tag_.assign("callee-").append(std::to_string(peer));
  const HeardRequest heard = hear_request(request, to_tag_, heard_lines_);
  if (!heard.complete) {
    ++world_.outcome.mismatches;
    return;
  }
  if (heard.method == "OPTIONS") {
    world_.messages.respond(peer, Lane::ended, Response::ok, heard_lines_.view(), 0);
    return;
  }
  const std::optional<std::uint64_t> token = call_token_of(heard.call_id);
  if (!token || !world_.table.issued(*token)) {
    ++world_.outcome.mismatches;
    return;
  }
  Call* const call = world_.table.find(*token);
  if (call == nullptr) {
    ++world_.outcome.late;
    // Its caller has given up or was answered; what the server sends again it wants answered.
    if (heard.method == "BYE")
      world_.messages.respond(peer, Lane::ended, Response::ok, heard_lines_.view(), 0);
    return;
  }
  if (world_.to_verify() && !fits(*call, heard, request, peer)) ++world_.outcome.mismatches;
  if (heard.method == "INVITE") {
    world_.counts().forwarded_octets = request.size();
    take_invite(*call, peer);
  } else if (heard.method == "ACK") {
    take_ack(*call, peer);
  } else if (heard.method == "BYE") {
    take_bye(*call, peer);
  } else {
    ++world_.counts().strange[std::string(heard.method)];
  }
}

void Callees::take_invite(Call& call, std::uint32_t peer) {
  if (call.callee_step != CalleeStep::unreached) {
    if (peer != call.callee_peer) {
      ++world_.counts().reached_twice;
      return;
    }
    // RFC 3261 17.2.1: the last response again.
    ++world_.counts().invited_again;
    if (call.callee_step == CalleeStep::ringing) ring(call);
    if (call.callee_step == CalleeStep::answered) send_answer(call);
    return;
  }
  call.callee_peer = peer;
  call.callee_step = CalleeStep::ringing;
  ++world_.counts().per_target[peers_.local(peer)];
  Repeated& repeated = world_.table.repeated(call);
  repeated.used = 0;
  repeated.append(heard_lines_.view());
  ring(call);
  if (holding_) {
    held_.push_back(call.token);
  } else {
    answer(call);
  }
}

void Callees::ring(Call& call) {
  world_.messages.respond(call.callee_peer, Lane::ringing, Response::ringing,
                          world_.table.repeated(call).view(), world_.phones.name(call.callee));
}

void Callees::answer(Call& call) {
  call.callee_step = CalleeStep::answered;
  call.callee_since_ns = world_.now;
  call.callee_interval_ns = kT1Ns;
  call.callee_resend_ns = world_.now + kT1Ns;
  world_.wake(call, call.callee_resend_ns);
  send_answer(call);
}

void Callees::send_answer(Call& call) {
  if (call.answers != 255) ++call.answers;
  world_.messages.respond(call.callee_peer, Lane::answer, Response::answer,
                          world_.table.repeated(call).view(), world_.phones.name(call.callee));
}

void Callees::take_ack(Call& call, std::uint32_t peer) {
  if (peer != call.callee_peer) ++world_.counts().misrouted;
  // A second ACK may come when it likes: the 200 was sent twice, or on the way.
  if (call.callee_step == CalleeStep::ended && !call.acknowledged && call.answers == 1)
    ++world_.counts().disorder;
  call.acknowledged = true;
  if (call.callee_step != CalleeStep::answered) return;
  call.callee_step = CalleeStep::confirmed;
  call.callee_resend_ns = kNever;
}

void Callees::take_bye(Call& call, std::uint32_t peer) {
  if (peer != call.callee_peer) ++world_.counts().misrouted;
  call.callee_step = CalleeStep::ended;
  call.callee_resend_ns = kNever;
  world_.messages.respond(peer, Lane::ended, Response::ok, heard_lines_.view(), 0);
}

void Callees::run_timers(Call& call) {
  if (world_.now < call.callee_resend_ns) return;
  if (world_.now - call.callee_since_ns >= kTransactionNs) {
    call.callee_resend_ns = kNever;
    return;
  }
  ++world_.outcome.retransmissions;
  call.callee_interval_ns = std::min(2 * call.callee_interval_ns, kT2Ns);
  call.callee_resend_ns = world_.now + call.callee_interval_ns;
  send_answer(call);
}

// What a proxy must have done: its Via on top of ours, a hop fewer left, no Route but for others, and within
// the dialog the callee's own Contact as the Request-URI (unless the caller plays SIPp's uac).
bool Callees::fits(const Call& call, const HeardRequest& heard, std::string_view request,
                   std::uint32_t peer) const {
  int vias = 0;
  bool right = true;
  each_header(request, [&](std::string_view name, std::string_view line) {
    if (name == "Via") vias += 1 + static_cast<int>(std::count(line.begin(), line.end(), ','));
    if (name == "Route") right = false;
    if (name == "Max-Forwards" && value_of(line) != "69") right = right && world_.options.echo;
    if (name == "From") right = right && token_after_tag(line) == call.token;
  });
  if (heard.in_dialog && !world_.options.no_route) {
    const std::string contact =
        "sip:" + std::to_string(world_.phones.name(call.callee)) + "@" + peers_.local(peer);
    right = right && heard.uri == contact;
  }
  return right && vias >= 2;
}

}  // namespace ringweir::load
