// The decision on one message by the shard that owns its Call-ID: what it is, whether it is allowed, what it is answered.
// decide() changes state once; write() only formats and may be repeated into a larger buffer. No effects besides the shard's
// own state and counters.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "ringweir/auth/authenticate.h"
#include "ringweir/auth/nonce.h"
#include "ringweir/auth/nonce_window.h"
#include "ringweir/base/writer.h"
#include "ringweir/io/driver.h"
#include "ringweir/registrar/registrar.h"
#include "ringweir/shard/counters.h"
#include "ringweir/shard/snapshot.h"
#include "ringweir/sip/essentials.h"
#include "ringweir/sip/message.h"
#include "ringweir/transaction/answered.h"

namespace ringweir::shard {

// What the answer carries beside what every response has.
enum class Carries : std::uint8_t { nothing, challenge, bindings, min_expires, unsupported, allow, capabilities, retry_after };

struct Verdict {
  std::uint16_t status = 0;  // 0: silence
  std::string_view reason;   // static storage, or the snapshot's
  Carries carries = Carries::nothing;
  bool stale = false;
  const location::BindingSet* bindings = nullptr;
  Endpoint to;
};

struct EdgeParts {           // all outlive the edge
  location::Directory& directory;
  location::Registrations& registrations;
  auth::NonceMint& mint;
  auth::NonceWindow& window;
  transaction::Answered& answered;
  const KeyedHash& hash;
  Counters& counters;
};

class Edge {
 public:
  explicit Edge(const EdgeParts& parts) noexcept;

  Verdict decide(const io::Received& in, std::uint64_t call_id_hash, const Snapshot& snapshot, Instant now,
                 WallMs wall_ms) noexcept;
  // The message decide() was given last, answered. Fails (writer.ok()) when the buffer is too small.
  void write(const Verdict& verdict, const io::Received& in, const Snapshot& snapshot, Instant now, WallMs wall_ms,
             Writer& out) noexcept;
  // Answers without touching any state, on the shard that received what its owner has no room for.
  Verdict refuse(const io::Received& in) noexcept;

 private:
  Verdict answer(std::uint16_t status, std::string_view reason = {}, Carries carries = Carries::nothing) const noexcept;
  Verdict silence(Dropped why) noexcept;
  Verdict malformed(const sip::Error& error) noexcept;
  Verdict request(const io::Received& in, const Snapshot& snapshot, Instant now, WallMs wall_ms) noexcept;
  Verdict by_route(const io::Received& in, const sip::Uri& uri, const Snapshot& snapshot, Instant now,
                   WallMs wall_ms) noexcept;
  Verdict register_local(const io::Received& in, const Snapshot& snapshot, Instant now, WallMs wall_ms) noexcept;
  Verdict authenticated(const Snapshot& snapshot, WallMs wall_ms, std::string_view& user) noexcept;
  bool requires_unknown() const noexcept;
  bool read_aor(const Snapshot& snapshot) noexcept;
  bool may_bind(std::string_view user) const noexcept;
  void write_date(Writer& out, WallMs wall_ms) noexcept;
  void write_unsupported(Writer& out) const noexcept;

  EdgeParts parts_;
  registrar::Registrar registrar_;
  auth::Scratch scratch_;

  sip::Message message_;   // of the message being decided; reused
  sip::Essentials read_;   // of it
  bool valid_ = false;     // read_ is whole
  bool uri_is_local_ = false;
  std::uint64_t call_id_hash_ = 0;
  std::uint64_t transaction_key_ = 0;
  std::uint64_t aor_hash_ = 0;
  std::size_t aor_size_ = 0;
  std::array<char, limits::kAorBytesMax> aor_;
  std::array<char, auth::kNonceChars> nonce_;
  std::array<char, 32> date_{};
  std::size_t date_size_ = 0;
  std::int64_t date_second_ = -1;
};

}  // namespace ringweir::shard
