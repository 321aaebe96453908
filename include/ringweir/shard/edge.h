// The decision on one message by the shard that owns its Call-ID: what it is, whether it is allowed, what it is answered, or
// where it goes on to (proxy::Engine carries it there). No effects besides the shard's own state, its counters and its outbox.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

#include "ringweir/auth/authenticate.h"
#include "ringweir/auth/failure_throttle.h"
#include "ringweir/auth/nonce.h"
#include "ringweir/auth/nonce_window.h"
#include "ringweir/base/writer.h"
#include "ringweir/io/driver.h"
#include "ringweir/proxy/engine.h"
#include "ringweir/registrar/registrar.h"
#include "ringweir/shard/counters.h"
#include "ringweir/shard/snapshot.h"
#include "ringweir/sip/essentials.h"
#include "ringweir/sip/message.h"
#include "ringweir/transaction/answered.h"

namespace ringweir::shard {

// What the answer carries beside what every response has.
enum class Carries : std::uint8_t {
  nothing, challenge, bindings, min_expires, unsupported, proxy_unsupported, allow, capabilities, retry_after, contacts, target,
};

struct Verdict {
  static constexpr std::uint16_t kSilence = 1;
  std::uint16_t status = 0;  // 0: silence, or it went on, or goes on; kSilence: silence, and it does not go on
  std::string_view reason;   // static storage, or the snapshot's
  Carries carries = Carries::nothing;
  bool stale = false;
  std::uint32_t retry_after_s = 0;  // 0: a few seconds
  const location::BindingSet* bindings = nullptr;
  Endpoint to;
};

// One message and the moment of its decision.
struct Occasion {
  const io::Received& in;
  std::uint64_t call_id_hash;
  const Snapshot& snapshot;
  Instant now;
  WallMs wall_ms;
  proxy::Outbox& out;
  proxy::Path path() const noexcept { return {in.peer, in.socket, in.local, call_id_hash}; }
  proxy::Moment moment() const noexcept { return {now, out}; }
};

struct EdgeParts {           // all outlive the edge
  location::Directory& directory;
  location::Registrations& registrations;
  auth::NonceMint& mint;
  auth::NonceWindow& window;
  transaction::Answered& answered;
  const KeyedHash& hash;
  Counters& counters;
  proxy::Engine& engine;
  Admission& admission;
  auth::FailureThrottle& throttle;
  const std::atomic<bool>& draining;  // no new dialogs: the process is to stop
};

// Whether a source is neither limited nor throttled: a trusted network's, or a target's. Cold: asked of who is over a limit.
bool is_exempt(const Snapshot& snapshot, const IpAddress& source) noexcept;

class Edge {
 public:
  explicit Edge(const EdgeParts& parts) noexcept;

  // The configuration changes between two messages.
  void adopt(const Snapshot& snapshot) noexcept;
  // In two steps, so that a shard can read several messages, each with an edge of its own, before it decides the first.
  // read() changes nothing but what the edge holds of the message; it asks for what decide() will look up, and the two
  // prefetches, called one step behind the other, follow the pointers. The octets are the same, and there, for both.
  void read(const io::Received& in, std::uint64_t call_id_hash, const Snapshot& snapshot) noexcept;
  void prefetch_sets(const Snapshot& snapshot) const noexcept;
  void prefetch_bindings() const noexcept;
  void decide(const Occasion& o) noexcept;
  // Answers without touching any state, on the shard that received what its owner has no room for.
  void refuse(const Occasion& o) noexcept;

 private:
  Verdict answer(std::uint16_t status, std::string_view reason = {}, Carries carries = Carries::nothing) const noexcept;
  Verdict answer(registrar::Result result) const noexcept;
  Verdict silence(Dropped why) noexcept;
  Verdict malformed(const sip::Error& error) noexcept;
  Verdict response(const Occasion& o) noexcept;

  // edge_request.cpp
  Verdict request(const Occasion& o) noexcept;
  Verdict pass_on(const Occasion& o) noexcept;
  bool absorbed(const Occasion& o) noexcept;
  Verdict acknowledge(const Occasion& o) noexcept;
  Verdict cancel(const Occasion& o) noexcept;
  sip::Fault preprocess(const Occasion& o, proxy::Plan& plan) noexcept;
  // Status 0: nothing speaks against it.
  Verdict refused_by_check(const Occasion& o, proxy::Plan& plan) noexcept;
  Verdict challenged(const Occasion& o, proxy::Plan& plan) noexcept;
  Verdict admitted(const Occasion& o, proxy::Plan& plan) noexcept;
  void strip_credentials(const Occasion& o, proxy::Plan& plan) const noexcept;
  bool authenticated_before(const Occasion& o, proxy::Plan& plan) noexcept;
  void remember_authenticated(const Occasion& o) noexcept;
  bool follow_token(const Occasion& o, proxy::Plan& plan) noexcept;
  Verdict follow(const Occasion& o, proxy::Plan& plan) noexcept;
  Verdict by_route(const Occasion& o, proxy::Plan& plan) noexcept;
  Verdict act(const Occasion& o, const proxy::Action& action, proxy::Plan& plan) noexcept;
  Verdict forward(const Occasion& o, const proxy::Action& action, proxy::Plan& plan) noexcept;
  Verdict lookup(const Occasion& o, const proxy::Action& action, proxy::Plan& plan) noexcept;
  Verdict redirect(const Occasion& o, const proxy::Action& action) noexcept;
  Verdict hand_to_engine(const Occasion& o, proxy::Plan& plan) noexcept;
  bool is_for_the_edge() const noexcept { return uri_.user.empty() && uri_is_local_; }
  Verdict to_the_edge(const Occasion& o) const noexcept;
  balance::Keys keys_for(balance::Algorithm algorithm) noexcept;
  bool read_uri(std::string_view text, const Snapshot& snapshot) noexcept;
  static const balance::TargetState* target_at(const Snapshot& snapshot, const Endpoint& endpoint) noexcept;

  // edge_register.cpp
  Verdict register_local(const Occasion& o) noexcept;
  Verdict authenticated(const Occasion& o, std::string_view& user) noexcept;
  bool requires_unknown() const noexcept;
  bool read_aor(const Snapshot& snapshot) noexcept;
  bool may_bind(std::string_view user) const noexcept;
  bool may_speak_as(std::string_view user, const Snapshot& snapshot) noexcept;
  sip::FieldSet credentials_for(sip::HeaderId id, std::string_view realm) const noexcept;

  // edge_guard.cpp: status 0 where it goes on
  void weigh(const Occasion& o) noexcept;
  Verdict turned_away(const Occasion& o) noexcept;
  Verdict throttled(const Occasion& o) noexcept;
  void note_failure(const Occasion& o, auth::Reason reason) noexcept;
  bool is_known_here(const Occasion& o) const noexcept;
  std::string_view claimed_user(const Snapshot& snapshot) const noexcept;

  // edge_answer.cpp: write() only formats and may be repeated into a larger buffer; it fails (writer.ok()) when one is too small.
  void send(const Verdict& verdict, const Occasion& o) noexcept;
  void write(const Verdict& verdict, const Occasion& o, Writer& out) noexcept;
  // The To tag of answers of our own, which keep no state: the ACK of one is known by it.
  static constexpr std::size_t kToTagChars = 16;
  static std::string_view write_to_tag(std::uint64_t key, std::array<char, kToTagChars>& out) noexcept;
  std::uint64_t key_of(sip::Method method) const noexcept;
  void write_date(Writer& out, WallMs wall_ms) noexcept;
  void write_unsupported(Writer& out) const noexcept;
  void write_redirect(Writer& out, const location::BindingSet& bindings, Instant now) const noexcept;

  EdgeParts parts_;
  registrar::Registrar registrar_;
  auth::Scratch scratch_;

  sip::Message message_;   // of the message being decided; reused
  sip::Essentials read_;   // of it
  bool valid_ = false;     // read_ is whole
  sip::Parsed parsed_{};
  sip::Error error_;       // of validation
  Load load_ = Load::under_way;
  sip::Uri uri_;           // the Request-URI
  bool uri_is_local_ = false;
  std::optional<KeyedHash> balance_hash_;  // the same on edges that share keys.secret: they place alike
  std::uint64_t call_id_hash_ = 0;
  std::uint64_t transaction_key_ = 0;
  std::uint64_t engine_key_ = 0;  // transaction::server_key
  std::uint64_t aor_hash_ = 0;
  std::size_t aor_size_ = 0;     // 0: not a REGISTER, or for nobody of ours
  std::uint64_t user_hash_ = 0;  // of the user in To, who is nearly always the one that authenticates
  std::array<char, limits::kAorBytesMax> aor_;
  std::array<char, auth::kNonceChars> nonce_;
  std::array<char, limits::kContactBytesMax> edited_uri_;
  std::array<char, limits::kContactBytesMax> plain_uri_;  // the Request-URI without our maddr
  std::size_t redirect_size_ = 0;
  std::array<char, 32> date_{};
  std::size_t date_size_ = 0;
  std::int64_t date_second_ = -1;
};

}  // namespace ringweir::shard
