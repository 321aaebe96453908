#include "ringweir/shard/edge.h"

#include <bit>
#include <chrono>

#include "ringweir/sip/name_addr.h"
#include "ringweir/sip/respond.h"
#include "ringweir/sip/token_list.h"
#include "ringweir/sip/uri.h"

namespace ringweir::shard {
namespace {

// What the edge itself does with a request addressed to it; calls pass through a proxy, not to it.
constexpr std::string_view kAllow = "REGISTER, OPTIONS, ACK, CANCEL";

constexpr std::uint32_t kRetryAfterSecondsMin = 2;
constexpr std::uint32_t kRetryAfterSecondsSpread = 8;  // so that those refused together do not come back together

bool is_binding_result(std::uint16_t status) noexcept { return status == 200; }

}  // namespace

Edge::Edge(const EdgeParts& parts) noexcept
    : parts_(parts), registrar_(parts.directory, parts.registrations) {}

Verdict Edge::answer(std::uint16_t status, std::string_view reason, Carries carries) const noexcept {
  Verdict verdict;
  verdict.status = status;
  verdict.reason = reason;
  verdict.carries = carries;
  return verdict;
}

Verdict Edge::silence(Dropped why) noexcept {
  parts_.counters.dropped[static_cast<std::size_t>(why)].add();
  return {};
}

Verdict Edge::decide(const io::Received& in, std::uint64_t call_id_hash, const Snapshot& snapshot, Instant now,
                     WallMs wall_ms) noexcept {
  call_id_hash_ = call_id_hash;
  valid_ = false;
  const sip::Parsed parsed = sip::parse(in.bytes, sip::Framing::datagram, message_);
  Verdict verdict;
  if (in.truncated || in.bytes.size() > snapshot.message_bytes_max) {
    verdict = malformed({sip::Fault::message_too_long, snapshot.message_bytes_max});
  } else if (parsed.completeness != sip::Completeness::complete) {
    const bool partial = parsed.completeness == sip::Completeness::partial;  // a datagram brings all there will be
    verdict = malformed(partial ? sip::Error{sip::Fault::start_line, 0} : parsed.error);
  } else if (!message_.is_request()) {
    parts_.counters.responses_received.add();
    return silence(Dropped::stray_response);
  } else {
    parts_.counters.requests[static_cast<std::size_t>(message_.method())].add();
    const sip::Error error = sip::validate_request(message_, read_);
    valid_ = error.fault == sip::Fault::none;
    verdict = valid_ ? request(in, snapshot, now, wall_ms) : malformed(error);
  }
  if (verdict.status != 0) verdict.to = sip::response_target(read_.via, in.peer);
  return verdict;
}

// RFC 3261 21.4.1, 21.5.6, 21.5.7 for what can be answered, silence for what cannot. An ACK is never answered (17.1.1.3).
Verdict Edge::malformed(const sip::Error& error) noexcept {
  if (!message_.is_request() || message_.method() == sip::Method::ack) return silence(Dropped::unanswerable);
  std::string_view rest;
  const auto via = sip::parse_via(message_.value(sip::HeaderId::via), rest);
  if (!via) return silence(Dropped::unanswerable);
  read_.via = *via;
  transaction_key_ = parts_.hash(via->text) ^ call_id_hash_;
  parts_.counters.malformed.add();
  switch (error.fault) {
    case sip::Fault::version: return answer(505);
    case sip::Fault::message_too_long: return answer(513);
    default: return answer(400, sip::reason(error.fault));
  }
}

Verdict Edge::request(const io::Received& in, const Snapshot& snapshot, Instant now, WallMs wall_ms) noexcept {
  // RFC 3261 17.2.3: branch, sent-by and method name the transaction; an old-style request adds Call-ID and CSeq. All of
  // them go in: a retransmission repeats the whole Via.
  transaction_key_ = std::rotl(parts_.hash(read_.via.text), 1) ^ call_id_hash_ ^
                     (std::uint64_t{read_.cseq.number} << 8 | static_cast<std::uint8_t>(message_.method()));
  if (message_.method() == sip::Method::register_) {
    // PERF: what a REGISTER will look up is far apart in memory; every miss is started before there is other work to do.
    parts_.answered.prefetch(transaction_key_);
    if (read_aor(snapshot)) parts_.directory.prefetch(aor_hash_);
  }
  if (message_.method() == sip::Method::ack) return silence(Dropped::stray_ack);
  if (message_.method() == sip::Method::cancel) return answer(481);  // RFC 3261 9.2

  const auto uri = sip::parse_uri(message_.request_uri());
  if (!uri) return malformed({sip::Fault::bad_uri, uri.error().offset});
  if (uri->scheme != sip::Scheme::sip && uri->scheme != sip::Scheme::sips) return answer(416);  // 8.2.2.1, 16.3 step 2

  uri_is_local_ = snapshot.domains.is_local(uri->host, uri->port);
  const bool to_the_edge = uri->user.empty() && uri_is_local_;
  if (to_the_edge && message_.method() != sip::Method::register_) {
    if (message_.method() != sip::Method::options) return answer(405, {}, Carries::allow);
    if (requires_unknown()) return answer(420, {}, Carries::unsupported);
    return answer(200, {}, Carries::capabilities);
  }
  return by_route(in, *uri, snapshot, now, wall_ms);
}

Verdict Edge::by_route(const io::Received& in, const sip::Uri& uri, const Snapshot& snapshot, Instant now,
                       WallMs wall_ms) noexcept {
  const proxy::RouteInput input{message_.method(), message_.method_text(), uri.user, uri.host,
                                uri_is_local_, in.peer.ip};
  const proxy::Action& action = snapshot.routes.decide(input);
  if (action.kind == proxy::Action::Kind::register_local && message_.method() == sip::Method::register_) {
    return register_local(in, snapshot, now, wall_ms);
  }
  if (action.kind == proxy::Action::Kind::reply) return answer(action.code, action.reason);
  if (snapshot.must_authenticate(message_.method())) {  // ours to challenge before anything is told about our users
    std::string_view user;
    const Verdict verdict = authenticated(snapshot, wall_ms, user);
    if (verdict.status != 0) return verdict;
  }
  if (action.kind == proxy::Action::Kind::lookup_location) {
    const auto aor = sip::canonical_aor(uri, aor_.data(), aor_.size());
    const location::BindingSet* set = aor ? registrar_.bindings(*aor, parts_.directory.hash(*aor)) : nullptr;
    if (!set || set->alive(now) == 0) return answer(action.code ? action.code : 480, action.reason);
  }
  return answer(501);  // known, and not for this release: requests are not forwarded yet
}

// RFC 3261 10.3.
Verdict Edge::register_local(const io::Received& in, const Snapshot& snapshot, Instant now, WallMs wall_ms) noexcept {
  if (!uri_is_local_) return answer(404);  // step 1
  const bool have_aor = aor_size_ != 0;
  // Who may see an AOR's bindings is settled by then, so a repetition is one only for the same AOR. The low half: the upper
  // one names the line that is being fetched.
  const std::uint64_t key = have_aor ? transaction_key_ ^ (aor_hash_ & 0xffffffff) : transaction_key_;
  if (const auto before = parts_.answered.find(key, now)) {
    parts_.counters.retransmissions.add();
    Verdict again = answer(*before, {}, *before == 423 ? Carries::min_expires : Carries::nothing);
    if (is_binding_result(*before)) {
      again.carries = Carries::bindings;
      again.bindings = registrar_.bindings({aor_.data(), aor_size_}, aor_hash_);
    }
    return again;
  }
  if (requires_unknown()) return answer(420, {}, Carries::unsupported);  // step 2
  if (have_aor) parts_.directory.prefetch_set(aor_hash_);
  std::string_view user;
  if (snapshot.must_authenticate(sip::Method::register_)) {              // step 3
    const Verdict challenge = authenticated(snapshot, wall_ms, user);
    if (challenge.status != 0) return challenge;
  }
  Verdict verdict;
  if (!have_aor) {                                                       // step 5
    verdict = answer(404);
  } else if (!user.empty() && !may_bind(user)) {                         // step 4
    verdict = answer(403);
  } else {
    parts_.directory.prefetch_members(aor_hash_);
    const registrar::Outcome outcome = registrar_.handle(
        {message_, {aor_.data(), aor_size_}, aor_hash_, message_.value(sip::HeaderId::call_id), read_.cseq.number, in.peer,
         in.socket, now},
        snapshot.registrar);
    parts_.counters.registrations[static_cast<std::size_t>(outcome.result)].add();
    verdict = answer(registrar::status(outcome.result), registrar::reason(outcome.result));
    verdict.bindings = outcome.bindings;
    if (verdict.status == 200) verdict.carries = Carries::bindings;
    if (verdict.status == 423) verdict.carries = Carries::min_expires;
    if (verdict.status == 503) verdict.carries = Carries::retry_after;
  }
  parts_.answered.remember(key, verdict.status, now);
  return verdict;
}

// Status 0 when the credentials are good; `user` is then who it is.
Verdict Edge::authenticated(const Snapshot& snapshot, WallMs wall_ms, std::string_view& user) noexcept {
  const bool proxy = snapshot.auth.proxy || message_.method() != sip::Method::register_;
  const auth::Verdict verdict = auth::authenticate(snapshot.auth, *snapshot.users, parts_.mint, parts_.window, message_,
                                                   proxy, wall_ms, scratch_);
  parts_.counters.authentications[static_cast<std::size_t>(verdict.reason)].add();
  switch (verdict.decision) {
    case auth::Decision::accepted: user = verdict.username; return {};
    case auth::Decision::malformed: return answer(400, sip::reason(sip::Fault::bad_authorization));
    default: break;
  }
  Verdict challenge = answer(proxy ? 407 : 401, {}, Carries::challenge);
  challenge.stale = verdict.decision == auth::Decision::challenge_stale;
  parts_.mint.mint(wall_ms, nonce_.data());
  return challenge;
}

// RFC 3261 8.2.2.3. No extension is required-able yet, so any option-tag in Require is one too many.
bool Edge::requires_unknown() const noexcept {
  for (const auto* field = message_.first(sip::HeaderId::require); field; field = message_.next(*field)) {
    std::string_view list = message_.value(*field);
    if (!sip::next_token(list).empty()) return true;
  }
  return false;
}

// 10.3 step 5: the address of record in To, which must be in a domain of ours.
bool Edge::read_aor(const Snapshot& snapshot) noexcept {
  aor_size_ = 0;
  const auto uri = sip::parse_uri(read_.to.uri);
  if (!uri || uri->user.empty() || !snapshot.domains.is_local(uri->host, uri->port)) return false;
  const auto aor = sip::canonical_aor(*uri, aor_.data(), aor_.size());
  if (!aor) return false;
  aor_size_ = aor->size();
  aor_hash_ = parts_.directory.hash(*aor);
  return true;
}

// 10.3 step 4: a user binds their own address of record, named "101" or "101@example.com".
bool Edge::may_bind(std::string_view user) const noexcept {
  const std::string_view aor{aor_.data(), aor_size_};
  return user == aor || (aor.size() > user.size() && aor.starts_with(user) && aor[user.size()] == '@');
}

Verdict Edge::refuse(const io::Received& in) noexcept {
  const sip::Parsed parsed = sip::parse(in.bytes, sip::Framing::datagram, message_);
  std::string_view rest;
  const auto via = sip::parse_via(message_.value(sip::HeaderId::via), rest);
  const bool answerable = parsed.completeness == sip::Completeness::complete && message_.is_request() && via &&
                          message_.method() != sip::Method::ack && message_.method() != sip::Method::cancel;
  if (!answerable) return silence(Dropped::mailbox_full);
  read_.via = *via;
  valid_ = false;
  transaction_key_ = parts_.hash(via->text);
  Verdict verdict = answer(503, {}, Carries::retry_after);
  verdict.to = sip::response_target(read_.via, in.peer);
  return verdict;
}

void Edge::write(const Verdict& verdict, const io::Received& in, const Snapshot& snapshot, Instant now, WallMs wall_ms,
                 Writer& out) noexcept {
  // RFC 3261 8.2.7: a stateless answer repeats its To tag for a repeated request, so the tag comes from the request.
  std::array<char, 16> tag;
  std::uint64_t bits = transaction_key_ * 0x9e3779b97f4a7c15ull;
  for (char& c : tag) {
    c = "0123456789abcdef"[bits & 15];
    bits >>= 4;
  }
  const std::string_view reason = verdict.reason.empty() ? sip::reason_phrase(verdict.status) : verdict.reason;
  const std::string_view to_tag{tag.data(), tag.size()};
  if (valid_) {
    sip::begin_response(out, message_, read_, verdict.status, reason, to_tag, in.peer);
  } else {
    sip::begin_response(out, message_, verdict.status, reason, to_tag, in.peer);
  }
  switch (verdict.carries) {
    case Carries::nothing: break;
    case Carries::challenge:
      auth::write_challenges(out, snapshot.auth, verdict.status == 407, {nonce_.data(), nonce_.size()}, verdict.stale);
      break;
    case Carries::bindings:
      registrar::write_contacts(out, verdict.bindings, now);
      write_date(out, wall_ms);
      break;
    case Carries::min_expires:
      out.put("Min-Expires: ");
      out.number(snapshot.registrar.min_expires_s);
      out.put("\r\n");
      break;
    case Carries::unsupported: write_unsupported(out); break;
    case Carries::allow: out.line("Allow", kAllow); break;
    case Carries::capabilities:
      out.line("Allow", kAllow);
      out.line("Accept", "application/sdp");
      out.put("Supported:\r\n");  // no extension yet; RFC 3261 20.37 allows the empty list
      break;
    case Carries::retry_after:
      out.put("Retry-After: ");
      out.number(kRetryAfterSecondsMin + transaction_key_ % kRetryAfterSecondsSpread);
      out.put("\r\n");
      break;
  }
  if (!snapshot.server.empty()) out.line("Server", snapshot.server);
  sip::end_message(out);
}

// RFC 3261 20.17, once a second.
void Edge::write_date(Writer& out, WallMs wall_ms) noexcept {
  using namespace std::chrono;
  const std::int64_t second = wall_ms / 1000;
  if (second != date_second_) {
    static constexpr char kDays[] = "SunMonTueWedThuFriSat";
    static constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const sys_seconds at{seconds{second}};
    const sys_days day = floor<days>(at);
    const year_month_day date{day};
    const hh_mm_ss time{at - day};
    Writer w(date_.data(), date_.size());
    const auto two = [&w](unsigned n) {
      w.put(static_cast<char>('0' + n / 10 % 10));
      w.put(static_cast<char>('0' + n % 10));
    };
    w.put({kDays + 3 * weekday{day}.c_encoding(), 3});
    w.put(", ");
    two(unsigned{date.day()});
    w.put(' ');
    w.put({kMonths + 3 * (unsigned{date.month()} - 1), 3});
    w.put(' ');
    w.number(static_cast<std::uint64_t>(int{date.year()}));
    w.put(' ');
    two(static_cast<unsigned>(time.hours().count()));
    w.put(':');
    two(static_cast<unsigned>(time.minutes().count()));
    w.put(':');
    two(static_cast<unsigned>(time.seconds().count()));
    w.put(" GMT");
    date_size_ = w.size();
    date_second_ = second;
  }
  out.line("Date", {date_.data(), date_size_});
}

// RFC 3261 8.2.2.3: the option-tags that were asked for and are not understood.
void Edge::write_unsupported(Writer& out) const noexcept {
  out.put("Unsupported: ");
  bool first = true;
  for (const auto* field = message_.first(sip::HeaderId::require); field; field = message_.next(*field)) {
    std::string_view list = message_.value(*field);
    for (std::string_view token = sip::next_token(list); !token.empty(); token = sip::next_token(list)) {
      if (!first) out.put(", ");
      out.put(token);
      first = false;
    }
  }
  out.put("\r\n");
}

}  // namespace ringweir::shard
