// REGISTER at the edge (RFC 3261 10.3), and who a request comes from (22).
#include "ringweir/shard/edge.h"
#include "ringweir/sip/credentials.h"
#include "ringweir/sip/token_list.h"

namespace ringweir::shard {
namespace {

// What the transaction memory keeps beside the status, so that a repetition hears the same reason.
constexpr std::uint16_t kNotTheRegistrars = 0;
constexpr std::uint16_t detail_of(registrar::Result result) { return static_cast<std::uint16_t>(1 + static_cast<unsigned>(result)); }
constexpr registrar::Result result_of(std::uint16_t detail) { return static_cast<registrar::Result>(detail - 1); }

}  // namespace

// RFC 3261 10.3.
Verdict Edge::register_local(const Occasion& o) noexcept {
  const Snapshot& snapshot = o.snapshot;
  const Instant now = o.now;
  if (!uri_is_local_) return answer(404);  // step 1
  const bool have_aor = aor_size_ != 0;
  // Who may see an AOR's bindings is settled by then, so a repetition is one only for the same AOR. The low half: the upper
  // one names the line that is being fetched.
  const std::uint64_t key = have_aor ? transaction_key_ ^ (aor_hash_ & 0xffffffff) : transaction_key_;
  if (const auto before = parts_.answered.find(key, now)) {
    parts_.counters.retransmissions.add();
    if (before->detail == kNotTheRegistrars) return answer(before->status);
    Verdict again = answer(result_of(before->detail));
    if (again.status == 200) again.bindings = registrar_.bindings({aor_.data(), aor_size_}, aor_hash_);
    return again;
  }
  if (const Verdict refused = turned_away(o); refused.status != 0) return refused;
  if (requires_unknown()) return answer(420, {}, Carries::unsupported);  // step 2
  std::string_view user;
  if (snapshot.must_authenticate(sip::Method::register_)) {              // step 3
    const Verdict challenge = authenticated(o, user);
    if (challenge.status != 0) return challenge;
  }
  Verdict verdict;
  std::uint16_t detail = kNotTheRegistrars;
  if (!have_aor) {                                                       // step 5
    verdict = answer(404);
  } else if (!user.empty() && !may_bind(user)) {                         // step 4
    verdict = answer(403);
  } else {
    const registrar::Outcome outcome = registrar_.handle(
        {message_, {aor_.data(), aor_size_}, aor_hash_, message_.value(sip::HeaderId::call_id), read_.cseq.number, o.in.peer,
         o.in.socket, now},
        snapshot.registrar);
    parts_.counters.registrations[static_cast<std::size_t>(outcome.result)].add();
    verdict = answer(outcome.result);
    verdict.bindings = outcome.bindings;
    detail = detail_of(outcome.result);
  }
  parts_.answered.remember(key, {verdict.status, detail}, now);
  return verdict;
}

Verdict Edge::answer(registrar::Result result) const noexcept {
  const std::uint16_t status = registrar::status(result);
  const Carries carries = status == 200   ? Carries::bindings
                          : status == 423 ? Carries::min_expires
                          : status == 503 ? Carries::retry_after
                                          : Carries::nothing;
  return answer(status, registrar::reason(result), carries);
}

// Status 0 when the credentials are good; `user` is then who it is.
Verdict Edge::authenticated(const Occasion& o, std::string_view& user) noexcept {
  const Snapshot& snapshot = o.snapshot;
  if (const Verdict refused = throttled(o); refused.status != 0) return refused;
  const bool proxy = snapshot.auth.proxy || message_.method() != sip::Method::register_;
  const auth::Verdict verdict = auth::authenticate(snapshot.auth, *snapshot.users, parts_.mint, parts_.window, message_,
                                                   proxy, o.wall_ms, scratch_);
  parts_.counters.authentications[static_cast<std::size_t>(verdict.reason)].add();
  switch (verdict.decision) {
    case auth::Decision::accepted: user = verdict.username; return {};
    case auth::Decision::malformed: return answer(400, sip::reason(sip::Fault::bad_authorization));
    default: note_failure(o, verdict.reason); break;
  }
  Verdict challenge = answer(proxy ? 407 : 401, {}, Carries::challenge);
  challenge.stale = verdict.decision == auth::Decision::challenge_stale;
  parts_.mint.mint(o.wall_ms, nonce_.data());
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

// A user of ours speaks as themselves: the From of a domain of ours has their name in it.
bool Edge::may_speak_as(std::string_view user, const Snapshot& snapshot) noexcept {
  const auto from = sip::parse_uri(read_.from.uri);
  if (!from) return false;
  if (!snapshot.domains.is_local(from->host, from->port)) return true;
  std::array<char, limits::kAorBytesMax> text;
  const auto aor = sip::canonical_aor(*from, text.data(), text.size());
  return aor && (user == *aor || (aor->size() > user.size() && aor->starts_with(user) && (*aor)[user.size()] == '@'));
}

// RFC 3261 22.3: credentials for our realm end here. Only those by which we challenge: a callee may have the same realm.
sip::FieldSet Edge::credentials_for(sip::HeaderId id, std::string_view realm) const noexcept {
  sip::FieldSet ours;
  for (const auto* field = message_.first(id); field; field = message_.next(*field)) {
    const auto credentials = sip::parse_digest_credentials(message_.value(*field));
    if (credentials && credentials->realm == realm) ours.add(message_, *field);
  }
  return ours;
}

}  // namespace ringweir::shard
