// The decision on one request's credentials (RFC 3261 22, RFC 7616 3.4.6, RFC 8760): who is it, or why not,
// and the challenge. No allocation, no clock; a shard's thread calls it with its own Scratch.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "ringweir/auth/algorithm.h"
#include "ringweir/auth/credentials.h"
#include "ringweir/auth/nonce.h"
#include "ringweir/auth/nonce_window.h"
#include "ringweir/base/time.h"
#include "ringweir/base/writer.h"
#include "ringweir/sip/message.h"

namespace ringweir::auth {

// At most each algorithm once, in challenge order.
class AlgorithmList {
 public:
  AlgorithmList() noexcept = default;
  AlgorithmList(std::initializer_list<Algorithm> algorithms) noexcept {
    for (const Algorithm algorithm : algorithms) add(algorithm);
  }
  // False when it is there already.
  bool add(Algorithm algorithm) noexcept {
    if (contains(algorithm)) return false;
    order_[size_++] = algorithm;
    return true;
  }
  bool contains(Algorithm algorithm) const noexcept {
    for (const Algorithm each : *this) {
      if (each == algorithm) return true;
    }
    return false;
  }
  const Algorithm* begin() const noexcept { return order_.data(); }
  const Algorithm* end() const noexcept { return order_.data() + size_; }
  const Algorithm* data() const noexcept { return begin(); }
  std::size_t size() const noexcept { return size_; }

 private:
  std::array<Algorithm, kAlgorithms> order_{};
  std::uint8_t size_ = 0;
};

struct Policy {
  std::string realm;  // plain; escaped when written
  AlgorithmList algorithms{Algorithm::md5};
  bool proxy = false;        // REGISTER too is challenged by 407; the caller of authenticate() applies it
  bool qop = true;           // qop="auth" is offered
  bool require_qop = false;  // an answer in the old form of RFC 2069 is refused
  std::int64_t nonce_lifetime_ms = 300'000;
  // The digest-uri must be the Request-URI (RFC 7616 3.4.6). SIP lets proxies rewrite the latter (RFC 3261 22.4), and SIPp always
  // writes the address it was given: operators may turn it off. Replay is refused by the nonce count either way.
  bool check_uri = true;
  bool replay_strict = true;  // each nonce count once; without qop each nonce once
};

enum class Decision : std::uint8_t {
  accepted,
  challenge,        // 401 or 407
  challenge_stale,  // the same with stale=true: nothing is said against the password, a new nonce will do
  malformed,        // 400
};

enum class Reason : std::uint8_t {
  accepted,
  no_credentials,         // none of the Digest scheme
  malformed,              // cannot be read, or a parameter that must be there is not
  wrong_realm,            // only for realms that are not ours
  unsupported_algorithm,  // none that we offered
  unsupported_qop,        // auth-int, or none where one is required
  forged_nonce,           // not made with our key: an attack, or a phone that knew us under another key
  stale_nonce,            // too old, of an earlier run, or pushed out of the window by newer ones
  uri_mismatch,           // the digest-uri is not the Request-URI
  unknown_user,  // told apart only here, for counting: the answer and its cost are those of wrong_password
  wrong_password,
  replayed,  // right, but used before
  count_
};
std::string_view to_string(Reason reason) noexcept;  // "wrong_password"

struct Verdict {
  Decision decision = Decision::challenge;
  Reason reason = Reason::no_credentials;
  std::string_view
      username;  // plain; of accepted alone. In the request's bytes, or in the Scratch until its next use
};

// What a shard keeps between requests. Contents are of authenticate() alone.
class Scratch {
 public:
  struct Ha2 {
    static constexpr std::size_t kUriBytesMax = 118;
    Digest digest;
    std::uint8_t uri_size = 0;
    sip::Method method = sip::Method::unknown;  // unknown: empty entry
    HashKind kind = HashKind::md5;
    std::array<char, kUriBytesMax> uri;
  };

 private:
  friend class Authentication;
  std::array<char, kUsernameBytesMax> username_;
  std::array<char, 512> realm_;
  // PERF: HA2 of "REGISTER:sip:domain" is nearly always the same; a hit spares one of three MD5 blocks.
  // Filled only by verified responses, so that nobody without a password can empty it.
  std::array<Ha2, 16> ha2_{};
};

// Reads the (Proxy-)Authorization for our realm. Order of work: nonce's MAC and age, then the response, then
// the window: who has no password costs three hash blocks and can use up nothing. RFC 7616 3.3: a nonce that
// is not ours gets stale=true as an old one does, since only a stale=false says that the password is wrong; a
// phone that lived through a restart under a new key then comes back by itself.
Verdict authenticate(const Policy& policy, const Credentials& credentials, const NonceMint& mint,
                     NonceWindow& window, const sip::Message& request, bool proxy, WallMs now,
                     Scratch& scratch) noexcept;

// One WWW-Authenticate or Proxy-Authenticate header field an algorithm, in the configured order (RFC
// 8760 2.3).
void write_challenges(Writer& out, const Policy& policy, bool proxy, std::string_view nonce,
                      bool stale) noexcept;

}  // namespace ringweir::auth
