#include "ringweir/shard/edge.h"

#include "ringweir/sip/name_addr.h"
#include "ringweir/sip/respond.h"

namespace ringweir::shard {

Edge::Edge(const EdgeParts& parts) noexcept
    : parts_(parts), registrar_(parts.directory, parts.registrations) {}

void Edge::adopt(const Snapshot& snapshot) noexcept {
  parts_.admission.use(snapshot.limits.overload, snapshot.must_authenticate(sip::Method::register_));
  balance_hash_.emplace(snapshot.route_key);
  proxy::Setting setting;
  setting.generation = snapshot.generation;
  setting.policy = &snapshot.proxy;
  setting.domains = &snapshot.domains;
  setting.sockets = snapshot.sockets;
  setting.upstreams = snapshot.upstreams;
  setting.route_key = snapshot.route_key;
  setting.server = snapshot.server;
  parts_.engine.adopt(setting);
}

Verdict Edge::answer(std::uint16_t status, std::string_view reason, Carries carries) const noexcept {
  Verdict verdict;
  verdict.status = status;
  verdict.reason = reason;
  verdict.carries = carries;
  return verdict;
}

Verdict Edge::silence(Dropped why) noexcept {
  parts_.counters.dropped[static_cast<std::size_t>(why)].add();
  Verdict verdict;
  verdict.status = Verdict::kSilence;
  return verdict;
}

void Edge::read(const io::Received& in, std::uint64_t call_id_hash, const Snapshot& snapshot) noexcept {
  call_id_hash_ = call_id_hash;
  valid_ = false;
  aor_size_ = 0;
  error_ = {};
  parsed_ = sip::parse(in.bytes, sip::Framing::datagram, message_);
  if (parsed_.completeness != sip::Completeness::complete) return;
  const bool registers = message_.method() == sip::Method::register_;
  if (!registers) parts_.engine.calls().prefetch(call_id_hash_);
  if (!message_.is_request()) return;
  error_ = sip::validate_request(message_, read_);
  valid_ = error_.fault == sip::Fault::none;
  if (!valid_) return;
  transaction_key_ = key_of(message_.method() == sip::Method::ack ? sip::Method::invite : message_.method());
  if (!registers) return;
  if (read_aor(snapshot) && snapshot.users) {
    const std::string_view aor{aor_.data(), aor_size_};
    user_hash_ = snapshot.users->hash(aor.substr(0, aor.find('@')));
  }
  // PERF: side by side, so that the page walks that they wait for overlap.
  parts_.answered.prefetch(transaction_key_);
  if (aor_size_ == 0) return;
  parts_.directory.prefetch(aor_hash_);
  if (snapshot.users) snapshot.users->prefetch_slot(user_hash_);
}

void Edge::prefetch_sets(const Snapshot& snapshot) const noexcept {
  if (aor_size_ == 0) return;
  parts_.directory.prefetch_set(aor_hash_);
  if (snapshot.users) snapshot.users->prefetch_record(user_hash_);
}

void Edge::prefetch_bindings() const noexcept {
  if (aor_size_ != 0) parts_.directory.prefetch_members(aor_hash_);
}

void Edge::decide(const Occasion& o) noexcept {
  const io::Received& in = o.in;
  Verdict verdict;
  if (in.truncated || in.bytes.size() > o.snapshot.message_bytes_max) {
    valid_ = false;
    verdict = malformed({sip::Fault::message_too_long, o.snapshot.message_bytes_max});
  } else if (parsed_.completeness != sip::Completeness::complete) {
    const bool partial = parsed_.completeness == sip::Completeness::partial;  // a datagram brings all there will be
    verdict = malformed(partial ? sip::Error{sip::Fault::start_line, 0} : parsed_.error);
  } else if (!message_.is_request()) {
    verdict = response(o);
  } else {
    parts_.counters.requests[static_cast<std::size_t>(message_.method())].add();
    if (valid_) weigh(o);
    verdict = valid_ ? request(o) : malformed(error_);
  }
  if (verdict.status <= Verdict::kSilence) return;
  verdict.to = sip::response_target(read_.via, in.peer);
  send(verdict, o);
}

// RFC 3261 18.1.2: a response finds its transaction by our branch, or goes nowhere.
Verdict Edge::response(const Occasion& o) noexcept {
  parts_.counters.responses_received.add();
  parts_.admission.admit(Load::under_way, o.in.waited, o.now);
  if (sip::validate_response(message_, read_).fault != sip::Fault::none) return silence(Dropped::unanswerable);
  if (!parts_.engine.respond(message_, read_, call_id_hash_, o.path(), o.moment())) return silence(Dropped::stray_response);
  return {};
}

// RFC 3261 21.4.1, 21.5.6, 21.5.7 for what can be answered, silence for what cannot. An ACK is never answered (17.1.1.3).
Verdict Edge::malformed(const sip::Error& error) noexcept {
  if (!message_.is_request() || message_.method() == sip::Method::ack) return silence(Dropped::unanswerable);
  std::string_view rest;
  const auto via = sip::parse_via(message_.value(sip::HeaderId::via), rest);
  if (!via) return silence(Dropped::unanswerable);
  read_.via = *via;
  if (!valid_) {
    read_.cseq.number = sip::parse_cseq(message_.value(sip::HeaderId::cseq)).value_or(sip::CSeq{}).number;
    transaction_key_ = key_of(message_.method());
  }
  parts_.counters.malformed.add();
  switch (error.fault) {
    case sip::Fault::version: return answer(505);
    case sip::Fault::message_too_long: return answer(513);
    default: return answer(400, sip::reason(error.fault));
  }
}

void Edge::refuse(const Occasion& o) noexcept {
  const sip::Parsed parsed = sip::parse(o.in.bytes, sip::Framing::datagram, message_);
  std::string_view rest;
  const auto via = sip::parse_via(message_.value(sip::HeaderId::via), rest);
  const bool answerable = parsed.completeness == sip::Completeness::complete && message_.is_request() && via &&
                          message_.method() != sip::Method::ack && message_.method() != sip::Method::cancel;
  // A request of a call comes again; refused, it would end the call for one side and leave the other in it.
  const auto to = sip::parse_name_addr(message_.value(sip::HeaderId::to), rest);
  const bool in_dialog = to && sip::tag(*to).has_value();
  if (!answerable || in_dialog) {
    silence(Dropped::mailbox_full);
    return;
  }
  read_.via = *via;
  valid_ = false;
  call_id_hash_ = o.call_id_hash;
  read_.cseq.number = sip::parse_cseq(message_.value(sip::HeaderId::cseq)).value_or(sip::CSeq{}).number;
  transaction_key_ = key_of(message_.method());
  Verdict verdict = answer(503, {}, Carries::retry_after);
  verdict.to = sip::response_target(read_.via, o.in.peer);
  send(verdict, o);
}

}  // namespace ringweir::shard
