// Where a request goes (RFC 3261 16.3 to 16.5): to the edge itself, along a signed Route, or by the routes.

#include <bit>

#include "ringweir/proxy/record_route.h"
#include "ringweir/proxy/target_uri.h"
#include "ringweir/shard/edge.h"
#include "ringweir/sip/name_addr.h"
#include "ringweir/transaction/keys.h"

namespace ringweir::shard {

using proxy::Action;
using proxy::Plan;

namespace {

// Those that begin a dialog and make every later request of it pass here (16.6 step 4).
bool begins_dialog(sip::Method method) noexcept {
  return method == sip::Method::invite || method == sip::Method::subscribe || method == sip::Method::refer ||
         method == sip::Method::notify;
}

}  // namespace

Verdict Edge::request(const Occasion& o) noexcept {
  const sip::Method method = message_.method();
  if (method == sip::Method::ack) return acknowledge(o);
  if (method == sip::Method::cancel) return cancel(o);
  if (!read_uri(message_.request_uri(), o.snapshot)) return malformed({sip::Fault::bad_uri, 0});
  if (uri_.scheme != sip::Scheme::sip && uri_.scheme != sip::Scheme::sips) return answer(416);  // 8.2.2.1, 16.3 step 2
  if (!message_.has(sip::HeaderId::route)) {
    Plan plan;
    if (method == sip::Method::register_) return by_route(o, plan);
    if (is_for_the_edge()) return to_the_edge(o);
  }
  return pass_on(o);
}

// RFC 3261 17.2.3: branch, sent-by and method name the transaction; an old-style request adds Call-ID and CSeq. All of
// them go in: a retransmission repeats the whole Via.
std::uint64_t Edge::key_of(sip::Method method) const noexcept {
  return std::rotl(parts_.hash(read_.via.text), 1) ^ call_id_hash_ ^
         (std::uint64_t{read_.cseq.number} << 8 | static_cast<std::uint8_t>(method));
}

// What is not the edge's own business: a transaction there is, or a way to go (16.3, 16.4).
Verdict Edge::pass_on(const Occasion& o) noexcept {
  const sip::Method method = message_.method();
  engine_key_ = transaction::server_key(message_, read_, method, parts_.hash);
  parts_.engine.prefetch(engine_key_);
  Plan plan;
  const sip::Fault fault = preprocess(o, plan);
  if (fault != sip::Fault::none) return malformed({fault, 0});
  if (absorbed(o)) return {};
  const bool goes_nowhere = plan.routes.next.empty() && plan.routes.request_uri.empty();
  if (goes_nowhere && is_for_the_edge() && method != sip::Method::register_) return to_the_edge(o);
  if (method == sip::Method::register_ && plan.routes.next.empty()) return by_route(o, plan);
  Verdict refused = turned_away(o);
  if (refused.status == 0) refused = refused_by_check(o, plan);
  return refused.status != 0 ? refused : follow(o, plan);
}

// RFC 3261 16.4, of a request whose uri_ was read: whose Routes are whose, and the Request-URI that is meant.
sip::Fault Edge::preprocess(const Occasion& o, Plan& plan) noexcept {
  plan.routes = read_route_set(message_, read_, uri_, o.snapshot.domains, o.snapshot.sockets[o.in.socket].bound.port);
  if (plan.routes.fault != sip::Fault::none) return plan.routes.fault;
  if (!plan.routes.request_uri.empty()) {  // from a strict router
    plan.request_uri = plan.routes.request_uri;
  } else if (plan.routes.strip_maddr) {
    Writer out(plain_uri_.data(), plain_uri_.size());
    proxy::write_without_maddr(out, uri_);
    if (!out.ok()) return sip::Fault::bad_uri;
    plan.request_uri = out.text();
  } else {
    return sip::Fault::none;
  }
  return read_uri(plan.request_uri, o.snapshot) ? sip::Fault::none : sip::Fault::bad_uri;
}

// RFC 3261 16.3
Verdict Edge::refused_by_check(const Occasion& o, Plan& plan) noexcept {
  plan.check = proxy::check_request(message_, read_, uri_, o.snapshot.domains, parts_.hash, o.snapshot.proxy.max_breadth);
  switch (plan.check.status) {
    case 0: return {};
    case 400: return malformed({plan.check.fault, 0});
    case 420: return answer(420, {}, Carries::proxy_unsupported);
    default: return answer(plan.check.status);
  }
}

// A retransmission of what is being forwarded.
bool Edge::absorbed(const Occasion& o) noexcept {
  if (!parts_.engine.absorb({message_, read_, o.path(), call_id_hash_, engine_key_}, o.moment())) return false;
  parts_.counters.retransmissions.add();
  return true;
}

bool Edge::read_uri(std::string_view text, const Snapshot& snapshot) noexcept {
  const auto uri = sip::parse_uri(text);
  if (!uri) return false;
  uri_ = *uri;
  uri_is_local_ = snapshot.domains.is_local(uri_.host, uri_.port);
  return true;
}

// Answered under any load: it costs no more than to be refused, and who probes would take us for dead.
Verdict Edge::to_the_edge(const Occasion& o) const noexcept {
  if (load_ != Load::under_way) parts_.admission.admit(Load::under_way, o.in.waited, o.now);
  if (message_.method() != sip::Method::options) return answer(405, {}, Carries::allow);
  if (requires_unknown()) return answer(420, {}, Carries::unsupported);
  return answer(200, {}, Carries::capabilities);
}

// A signed Route of this very call leads to its other side.
bool Edge::follow_token(const Occasion& o, Plan& plan) noexcept {
  if (plan.routes.token.empty() || !plan.routes.in_dialog) return false;
  const auto followed = proxy::follow_route_token(o.snapshot.route_key, plan.routes.token, message_.value(sip::HeaderId::call_id),
                                                  sip::tag(read_.from).value_or(""), sip::tag(read_.to).value_or(""));
  if (!followed || followed->to.socket >= o.snapshot.sockets.size()) {
    parts_.counters.proxy.routes_refused.add();
    return false;
  }
  parts_.counters.proxy.routes_followed.add();
  plan.to = Plan::To::side;
  plan.side = {followed->to.endpoint, followed->to.socket, followed->to.socket == o.in.socket ? o.in.local : IpAddress{}};
  plan.stateless = followed->stateless;
  plan.in_dialog = true;
  if (const auto* call = parts_.engine.calls().find(call_id_hash_, o.now); call && call->endpoint == plan.side.peer) {
    plan.target = call->target;
  }
  strip_credentials(o, plan);
  return true;
}

// RFC 3261 22.1: the credentials of an INVITE are repeated in its ACK and in what follows. Those for us have been read.
void Edge::strip_credentials(const Occasion& o, Plan& plan) const noexcept {
  if (!o.snapshot.authenticates || !message_.has(sip::HeaderId::proxy_authorization)) return;
  if (o.snapshot.must_authenticate(message_.method()) || o.snapshot.must_authenticate(sip::Method::invite)) {
    plan.credentials = credentials_for(sip::HeaderId::proxy_authorization, o.snapshot.auth.realm);
  }
}

// A signed Route goes before all else; another hop's Route is followed to a target of ours and nowhere else, and only by who may.
Verdict Edge::follow(const Occasion& o, Plan& plan) noexcept {
  plan.in_dialog = plan.routes.in_dialog;
  if (follow_token(o, plan)) return hand_to_engine(o, plan);
  if (!plan.routes.next.empty()) {
    const auto next = sip::parse_uri(plan.routes.next);
    const auto ip = next ? parse_ip(next->host) : std::nullopt;
    const Endpoint hop{ip.value_or(IpAddress{}), next && next->port ? next->port : std::uint16_t{5060}};
    if (!ip || !target_at(o.snapshot, hop)) return answer(403, "Route Not Allowed");
    Verdict refused = challenged(o, plan);
    if (refused.status == 0) refused = admitted(o, plan);
    if (refused.status != 0) return refused;
    plan.to = Plan::To::side;
    plan.side = {hop, o.in.socket, o.in.local};
    return hand_to_engine(o, plan);
  }
  return by_route(o, plan);
}

// Whether an endpoint is a target of any upstream, and which.
const balance::TargetState* Edge::target_at(const Snapshot& snapshot, const Endpoint& endpoint) noexcept {
  for (const balance::Upstream& upstream : snapshot.upstreams) {
    if (const auto index = upstream.find(endpoint)) return upstream.targets()[*index].state;
  }
  return nullptr;
}

Verdict Edge::by_route(const Occasion& o, Plan& plan) noexcept {
  const proxy::RouteInput input{message_.method(), message_.method_text(), uri_.user, uri_.host, uri_is_local_, o.in.peer.ip};
  const Action& action = o.snapshot.routes.decide(input);
  const bool registers = message_.method() == sip::Method::register_;
  if (action.kind == Action::Kind::register_local && registers) return register_local(o);
  if (action.kind == Action::Kind::reply) return answer(action.code, action.reason);
  if (registers) {  // it is to be forwarded like any other
    engine_key_ = transaction::server_key(message_, read_, message_.method(), parts_.hash);
    if (absorbed(o)) return {};
    Verdict refused = turned_away(o);
    if (refused.status == 0) refused = refused_by_check(o, plan);
    if (refused.status != 0) return refused;
  }
  if (action.kind == Action::Kind::forward && action.stateless && authenticated_before(o, plan)) return act(o, action, plan);
  const Verdict challenge = challenged(o, plan);
  if (challenge.status != 0) return challenge;
  if (action.kind == Action::Kind::forward && action.stateless) remember_authenticated(o);
  return act(o, action, plan);
}

// What is forwarded without state leaves nothing that absorbs it when it comes again, and its nonce count is used up: it is let
// through for 64*T1 as the very octets that were let through before.
bool Edge::authenticated_before(const Occasion& o, Plan& plan) noexcept {
  if (!o.snapshot.must_authenticate(message_.method()) || !message_.has(sip::HeaderId::proxy_authorization)) return false;
  if (!parts_.answered.find(transaction_key_ ^ parts_.hash(message_.bytes()), o.now)) return false;
  parts_.counters.retransmissions.add();
  strip_credentials(o, plan);
  return true;
}

void Edge::remember_authenticated(const Occasion& o) noexcept {
  if (!o.snapshot.must_authenticate(message_.method()) || !message_.has(sip::HeaderId::proxy_authorization)) return;
  parts_.answered.remember(transaction_key_ ^ parts_.hash(message_.bytes()), {100, 0}, o.now);
}

// Ours to challenge before anything is told about our users. A target of ours needs no password of a user's.
Verdict Edge::challenged(const Occasion& o, Plan& plan) noexcept {
  if (!o.snapshot.must_authenticate(message_.method()) || message_.method() == sip::Method::ack) return {};
  if (target_at(o.snapshot, o.in.peer)) return {};
  std::string_view user;
  const Verdict verdict = authenticated(o, user);
  if (verdict.status != 0) return verdict;
  if (!may_speak_as(user, o.snapshot)) return answer(403, "From Is Not Yours");
  const bool proxy = o.snapshot.auth.proxy || message_.method() != sip::Method::register_;
  plan.credentials = credentials_for(proxy ? sip::HeaderId::proxy_authorization : sip::HeaderId::authorization, o.snapshot.auth.realm);
  return {};
}

Verdict Edge::admitted(const Occasion& o, Plan& plan) noexcept {
  if (parts_.draining.load(std::memory_order_relaxed) && message_.method() == sip::Method::invite && !plan.routes.in_dialog) {
    return answer(503, {}, Carries::retry_after);
  }
  plan.in_dialog = plan.routes.in_dialog;
  plan.record_route = o.snapshot.proxy.record_route && begins_dialog(message_.method()) && !plan.in_dialog;
  return {};
}

Verdict Edge::act(const Occasion& o, const Action& action, Plan& plan) noexcept {
  const Verdict refused = admitted(o, plan);
  if (refused.status != 0) return refused;
  switch (action.kind) {
    case Action::Kind::forward: return forward(o, action, plan);
    case Action::Kind::lookup_location: return lookup(o, action, plan);
    case Action::Kind::redirect_location:
    case Action::Kind::redirect_upstream: return redirect(o, action);
    case Action::Kind::register_local:
    case Action::Kind::reply: break;
  }
  return answer(405, {}, Carries::allow);  // a route for REGISTER that another method took
}

Verdict Edge::forward(const Occasion& o, const Action& action, Plan& plan) noexcept {
  plan.to = Plan::To::upstream;
  plan.upstream = action.upstream;
  plan.stateless = action.stateless;
  plan.keys = keys_for(o.snapshot.upstreams[action.upstream].algorithm());
  if (action.strip != 0 || !action.prefix.empty()) {
    Writer out(edited_uri_.data(), edited_uri_.size());
    if (!proxy::write_edited_user(out, uri_, action.strip, action.prefix)) return answer(484);
    if (!out.ok()) return answer(414);
    plan.request_uri = out.text();
  }
  return hand_to_engine(o, plan);
}

Verdict Edge::lookup(const Occasion& o, const Action& action, Plan& plan) noexcept {
  const auto aor = sip::canonical_aor(uri_, aor_.data(), aor_.size());
  const location::BindingSet* set = aor ? registrar_.bindings(*aor, parts_.directory.hash(*aor)) : nullptr;
  if (!set || set->alive(o.now) == 0) return answer(action.code ? action.code : 480, action.reason);
  plan.to = Plan::To::location;
  plan.bindings = set;
  return hand_to_engine(o, plan);
}

// RFC 3261 8.3
Verdict Edge::redirect(const Occasion& o, const Action& action) noexcept {
  if (action.kind == Action::Kind::redirect_location) {
    const auto aor = sip::canonical_aor(uri_, aor_.data(), aor_.size());
    const location::BindingSet* set = aor ? registrar_.bindings(*aor, parts_.directory.hash(*aor)) : nullptr;
    if (!set || set->alive(o.now) == 0) return answer(action.code ? action.code : 480, action.reason);
    Verdict verdict = answer(302, {}, Carries::contacts);
    verdict.bindings = set;
    return verdict;
  }
  const balance::Upstream& upstream = o.snapshot.upstreams[action.upstream];
  Random random(transaction_key_);
  const auto choice = balance::choose(upstream, keys_for(upstream.algorithm()), {}, o.now, random);
  if (!choice) return answer(503, {}, Carries::retry_after);
  Writer out(edited_uri_.data(), edited_uri_.size());
  out.put("<sip:");
  if (!uri_.user.empty()) {
    out.put(uri_.user);
    out.put('@');
  }
  std::array<char, kEndpointTextMax> text;
  out.put({text.data(), format_endpoint(upstream.targets()[choice->target].endpoint, text.data())});
  out.put(">;q=1.0");
  if (!out.ok()) return answer(414);
  redirect_size_ = out.size();
  return answer(302, {}, Carries::target);
}

balance::Keys Edge::keys_for(balance::Algorithm algorithm) noexcept {
  const auto hash_of = [this](std::string_view text) -> std::uint64_t {
    std::array<char, limits::kAorBytesMax> space;
    const auto uri = sip::parse_uri(text);
    const auto aor = uri ? sip::canonical_aor(*uri, space.data(), space.size()) : std::nullopt;
    return (*balance_hash_)(aor ? *aor : text);
  };
  balance::Keys keys;
  switch (algorithm) {
    case balance::Algorithm::hash_from: keys.from = hash_of(read_.from.uri); break;
    case balance::Algorithm::hash_to: keys.to = hash_of(read_.to.uri); break;
    case balance::Algorithm::hash_uri: keys.uri = hash_of(message_.request_uri()); break;
    default: keys.call_id = (*balance_hash_)(message_.value(sip::HeaderId::call_id)); break;
  }
  return keys;
}

Verdict Edge::hand_to_engine(const Occasion& o, Plan& plan) noexcept {
  const std::uint16_t status =
      parts_.engine.forward({message_, read_, o.path(), call_id_hash_, engine_key_}, plan, o.moment());
  if (status == 0 || message_.method() == sip::Method::ack) return {};
  return answer(status, {}, status == 503 ? Carries::retry_after : Carries::nothing);
}

// RFC 3261 17.1.1.3 and 13.2.2.4: an ACK ends a transaction of ours, or it is a 2xx's and goes the way of its dialog. Never answered.
Verdict Edge::acknowledge(const Occasion& o) noexcept {
  engine_key_ = transaction::server_key(message_, read_, sip::Method::invite, parts_.hash);
  if (parts_.engine.absorb({message_, read_, o.path(), call_id_hash_, engine_key_}, o.moment())) return {};
  // 8.2.7: of an answer of our own, for which nothing was kept. It has the To tag that its INVITE was given.
  std::array<char, kToTagChars> own;
  if (sip::tag(read_.to) == write_to_tag(transaction_key_, own)) return {};
  Plan plan;
  if (!read_uri(message_.request_uri(), o.snapshot) || preprocess(o, plan) != sip::Fault::none) return silence(Dropped::stray_ack);
  plan.check = proxy::check_request(message_, read_, uri_, o.snapshot.domains, parts_.hash, o.snapshot.proxy.max_breadth);
  if (plan.check.status != 0) return silence(Dropped::stray_ack);
  plan.in_dialog = true;
  strip_credentials(o, plan);
  Verdict verdict;
  if (!plan.routes.token.empty() || !plan.routes.next.empty()) {
    verdict = follow(o, plan);
  } else {
    const proxy::RouteInput input{message_.method(), message_.method_text(), uri_.user, uri_.host, uri_is_local_, o.in.peer.ip};
    const Action& action = o.snapshot.routes.decide(input);
    if (action.kind == Action::Kind::forward) {
      verdict = forward(o, action, plan);
    } else if (action.kind == Action::Kind::lookup_location) {
      verdict = lookup(o, action, plan);
    } else {
      verdict = answer(403);
    }
  }
  return verdict.status == 0 ? Verdict{} : silence(Dropped::stray_ack);
}

// RFC 3261 16.10: for an INVITE under way here; else it goes the way of an INVITE that was forwarded without state, or is for nothing.
Verdict Edge::cancel(const Occasion& o) noexcept {
  engine_key_ = transaction::server_key(message_, read_, sip::Method::invite, parts_.hash);
  if (parts_.engine.cancel({message_, read_, o.path(), call_id_hash_, engine_key_}, o.moment())) {
    parts_.answered.remember(transaction_key_, {200, 0}, o.now);
    return answer(200);
  }
  // 17.2.2: the CANCEL's own transaction outlives the INVITE's, and its answer stays what it was.
  if (parts_.answered.find(transaction_key_, o.now)) return answer(200);
  if (!read_uri(message_.request_uri(), o.snapshot)) return malformed({sip::Fault::bad_uri, 0});
  Plan plan;
  const sip::Fault fault = preprocess(o, plan);
  plan.check = proxy::check_request(message_, read_, uri_, o.snapshot.domains, parts_.hash, o.snapshot.proxy.max_breadth);
  if (fault != sip::Fault::none || plan.check.status != 0) return answer(481);
  if (follow_token(o, plan)) return plan.stateless ? hand_to_engine(o, plan) : answer(481);  // of an INVITE in a dialog
  const proxy::RouteInput input{sip::Method::invite, "INVITE", uri_.user, uri_.host, uri_is_local_, o.in.peer.ip};
  const Action& action = o.snapshot.routes.decide(input);
  strip_credentials(o, plan);
  if (action.kind == Action::Kind::forward && action.stateless) return forward(o, action, plan);
  return answer(481);  // 9.2
}

}  // namespace ringweir::shard
