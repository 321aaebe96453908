// Requests that are turned away before anything is done for them: too much altogether, or too many wrong passwords.
#include "ringweir/shard/edge.h"
#include "ringweir/sip/credentials.h"
#include "ringweir/sip/name_addr.h"

namespace ringweir::shard {

namespace {

constexpr std::string_view kTooManyFailures = "Too Many Failed Attempts";

Load load_of(sip::Method method, bool in_dialog) noexcept {
  if (in_dialog) return Load::under_way;
  switch (method) {
    case sip::Method::invite: return Load::dialog;
    case sip::Method::register_: return Load::registration;  // more precisely when its binding has been looked for
    case sip::Method::ack:
    case sip::Method::cancel: return Load::under_way;
    default: return Load::begins_other;
  }
}

bool has_binding_from(const location::BindingSet& set, const IpAddress& source, Instant now) noexcept {
  for (std::size_t i = 0; i < set.size(); ++i) {
    const location::BindingView binding = set.view(i);
    if (binding.alive(now) && binding.source.ip == source) return true;
  }
  return false;
}

}  // namespace

bool is_exempt(const Snapshot& snapshot, const IpAddress& source) noexcept {
  for (const Network& network : snapshot.limits.trusted) {
    if (network.contains(source)) return true;
  }
  for (const balance::Upstream& upstream : snapshot.upstreams) {
    for (const balance::Target& target : upstream.targets()) {
      if (target.endpoint.ip == source) return true;
    }
  }
  return false;
}

// Of a message that was read. What is under way is counted here; what begins something when turned_away() is asked, after
// retransmissions have been absorbed.
void Edge::weigh(const Occasion& o) noexcept {
  const bool begins = message_.is_request() && !sip::tag(read_.to);
  load_ = begins ? load_of(message_.method(), false) : Load::under_way;
  if (load_ == Load::under_way) parts_.admission.admit(load_, o.in.waited, o.now);
}

Verdict Edge::turned_away(const Occasion& o) noexcept {
  if (load_ == Load::under_way) return {};
  if (load_ == Load::registration) {
    const bool is_begun = message_.has(sip::HeaderId::authorization) || message_.has(sip::HeaderId::proxy_authorization);
    if (is_begun) load_ = Load::registration_begun;
    if (parts_.admission.sheds() && is_known_here(o)) load_ = Load::refresh;
  }
  const auto at = static_cast<std::size_t>(load_);
  switch (parts_.admission.admit(load_, o.in.waited, o.now)) {
    case Admitted::accept: return {};
    case Admitted::ignore: parts_.counters.shed_silently[at].add(); return silence(Dropped::overload);
    case Admitted::refuse: break;
  }
  parts_.counters.shed[at].add();
  Verdict verdict = answer(503, {}, Carries::retry_after);
  verdict.retry_after_s = parts_.admission.retry_after_s(load_, o.now);
  return verdict;
}

// Whether the address of record that speaks has a live registration made from this source.
bool Edge::is_known_here(const Occasion& o) const noexcept {
  if (message_.method() == sip::Method::register_) {
    if (aor_size_ == 0) return false;
    const auto* set = registrar_.bindings({aor_.data(), aor_size_}, aor_hash_);
    return set && has_binding_from(*set, o.in.peer.ip, o.now);
  }
  const auto from = sip::parse_uri(read_.from.uri);
  std::array<char, limits::kAorBytesMax> text;
  const auto aor = from ? sip::canonical_aor(*from, text.data(), text.size()) : std::nullopt;
  const auto* set = aor ? registrar_.bindings(*aor, parts_.directory.hash(*aor)) : nullptr;
  return set && has_binding_from(*set, o.in.peer.ip, o.now);
}

// The user that the credentials for our realm name, as it was sent; empty without any.
std::string_view Edge::claimed_user(const Snapshot& snapshot) const noexcept {
  for (const auto id : {sip::HeaderId::authorization, sip::HeaderId::proxy_authorization}) {
    for (const auto* field = message_.first(id); field; field = message_.next(*field)) {
      const auto credentials = sip::parse_digest_credentials(message_.value(*field));
      if (credentials && credentials->realm == snapshot.auth.realm) return credentials->username;
    }
  }
  return {};
}

// Before credentials are verified.
Verdict Edge::throttled(const Occasion& o) noexcept {
  if (!o.snapshot.limits.failed_auth || parts_.throttle.is_quiet(o.now)) return {};
  const std::string_view user = claimed_user(o.snapshot);
  if (user.empty() || is_exempt(o.snapshot, o.in.peer.ip)) return {};
  const auto found = parts_.throttle.check(o.in.peer.ip, user, is_known_here(o), o.now);
  if (found.attempt == auth::FailureThrottle::Attempt::allowed) return {};
  parts_.counters.throttled.add();
  if (found.attempt == auth::FailureThrottle::Attempt::throttled_source) return silence(Dropped::failed_source);
  Verdict verdict = answer(403, kTooManyFailures, Carries::retry_after);
  verdict.retry_after_s = static_cast<std::uint32_t>((found.wait + 1s - 1ns) / 1s);
  return verdict;
}

void Edge::note_failure(const Occasion& o, auth::Reason reason) noexcept {
  if (!o.snapshot.limits.failed_auth || !auth::FailureThrottle::is_guess(reason)) return;
  if (!is_exempt(o.snapshot, o.in.peer.ip)) {
    parts_.throttle.record(o.in.peer.ip, claimed_user(o.snapshot), reason, o.now);
  }
}

}  // namespace ringweir::shard
