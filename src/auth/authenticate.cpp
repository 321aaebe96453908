#include "ringweir/auth/authenticate.h"

#include <cstring>

#include "auth/letter_case.h"
#include "ringweir/auth/digest.h"
#include "ringweir/sip/credentials.h"
#include "ringweir/sip/uri.h"

namespace ringweir::auth {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Reason::count_)> kReasons{
    "accepted",        "no_credentials", "malformed",   "wrong_realm",  "unsupported_algorithm",
    "unsupported_qop", "forged_nonce",   "stale_nonce", "uri_mismatch", "unknown_user",
    "wrong_password",  "replayed"};

constexpr std::string_view kScheme = "Digest";

bool is_digest(std::string_view value) noexcept {
  if (value.starts_with("Digest ")) [[likely]]
    return true;
  if (value.size() <= kScheme.size() || !equal_any_case(value.substr(0, kScheme.size()), kScheme))
    return false;
  return (value[kScheme.size()] == ' ' || value[kScheme.size()] == '\t' || value[kScheme.size()] == '\r' ||
          value[kScheme.size()] == '\n');
}

// RFC 7616 3.4: nc-value = 8LHEX. 0 for anything else, and zero itself is no count.
std::uint32_t parse_nonce_count(std::string_view text) noexcept {
  if (text.size() != 8) return 0;
  // PERF: all eight at once. Each octet's own high bit tells what it is; none carries into the next.
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  std::uint64_t word;
  std::memcpy(&word, text.data(), sizeof word);
  if ((word & kHigh) != 0) return 0;
  const std::uint64_t folded = word | 0x20 * kOnes;  // digits keep their value
  const auto at_least = [](std::uint64_t octets, std::uint64_t least) {
    return (octets + (0x80 - least) * kOnes) & kHigh;
  };
  const std::uint64_t letters = at_least(folded, 'a') & ~at_least(folded, 'g');
  const std::uint64_t digits = at_least(word, '0') & ~at_least(word, '9' + 1);
  if ((letters | digits) != kHigh) return 0;
  std::uint64_t nibbles = (folded & 0x0f * kOnes) + 9 * (letters >> 7);
  nibbles = __builtin_bswap64(nibbles);  // the last digit is the lowest
  nibbles = (nibbles | nibbles >> 4) & 0x00ff00ff00ff00ff;
  nibbles = (nibbles | nibbles >> 8) & 0x0000ffff0000ffff;
  return static_cast<std::uint32_t>(nibbles | nibbles >> 16);
}

// RFC 7616 3.4.6: the digest-uri names the resource of the request line; a different text may be an equal
// URI.
bool same_uri(std::string_view digest_uri, std::string_view request_uri) noexcept {
  if (digest_uri == request_uri) [[likely]]
    return true;
  const auto a = sip::parse_uri(digest_uri), b = sip::parse_uri(request_uri);
  return a && b && sip::equal(*a, *b);
}

// What an unknown user's response is compared with, so that it costs what a known one's does.
Digest nobody(HashKind kind) noexcept {
  Digest digest;
  digest.octets.fill(0x5a);
  digest.size = static_cast<std::uint8_t>(digest_size(kind));
  if (kind == HashKind::md5) std::memset(digest.octets.data() + 16, 0, 16);
  return digest;
}

constexpr Verdict challenge(Reason reason) noexcept {
  return {Decision::challenge, reason, {}};
}
constexpr Verdict challenge_stale(Reason reason) noexcept {
  return {Decision::challenge_stale, reason, {}};
}
constexpr Verdict malformed() noexcept {
  return {Decision::malformed, Reason::malformed, {}};
}

}  // namespace

std::string_view to_string(Reason reason) noexcept {
  return kReasons[static_cast<std::size_t>(reason)];
}

// One call of authenticate().
class Authentication {
 public:
  Authentication(const Policy& by, const sip::Message& message, Scratch& kept) noexcept
      : policy_(by), request_(message), scratch_(kept) {}

  Verdict decide(const Credentials& credentials, const NonceMint& mint, NonceWindow& window, bool proxy,
                 WallMs now) noexcept {
    Verdict none = challenge(Reason::no_credentials);
    if (!find(proxy, none)) return none;
    if (const auto wrong = refuse_form()) return *wrong;

    const auto username = unescape(sent_.username, scratch_.username_.data(), scratch_.username_.size());
    const std::uint64_t user_hash = username ? credentials.hash(*username) : 0;
    credentials.prefetch_slot(user_hash);
    const NonceCheck nonce = mint.check(sent_.nonce, now, policy_.nonce_lifetime_ms);
    if (nonce.state == NonceState::forged) return challenge_stale(Reason::forged_nonce);
    if (nonce.state == NonceState::stale) return challenge_stale(Reason::stale_nonce);
    if (policy_.check_uri && !same_uri(sent_.uri, request_.request_uri())) return challenge(Reason::uri_mismatch);

    credentials.prefetch_record(user_hash);
    window.prefetch(nonce.id);
    const HashKind hash_kind = kind(algorithm_);
    std::optional<Digest> stored;
    if (username && username->size() <= kUsernameBytesMax && !sent_.userhash) {  // userhash was not offered
      stored = credentials.ha1(*username, user_hash, hash_kind);
    }
    const bool right = verify(stored);
    if (!stored) return challenge(Reason::unknown_user);
    if (!right) return challenge(Reason::wrong_password);

    switch (use(window, nonce.id)) {
      case NonceUse::replayed: return challenge_stale(Reason::replayed);
      case NonceUse::stale: return challenge_stale(Reason::stale_nonce);
      case NonceUse::accepted: break;
    }
    return {Decision::accepted, Reason::accepted, *username};
  }

 private:
  // RFC 3261 22.3, RFC 8760 2.4: among several credentials the first for our realm with an algorithm of ours.
  // Other schemes and other realms are somebody else's. `none` becomes the verdict when there is none.
  bool find(bool proxy, Verdict& none) noexcept {
    const sip::HeaderId id = proxy ? sip::HeaderId::proxy_authorization : sip::HeaderId::authorization;
    for (const auto* field = request_.first(id); field; field = request_.next(*field)) {
      const std::string_view value = request_.value(*field);
      if (!is_digest(value)) continue;
      const auto parsed = sip::parse_digest_credentials(value);
      if (!parsed) {
        none = malformed();
        continue;
      }
      sent_ = *parsed;
      if (!is_our_realm()) {
        if (none.reason == Reason::no_credentials) none = challenge(Reason::wrong_realm);
        continue;
      }
      const auto algorithm = parse_algorithm(sent_.algorithm);
      if (algorithm && policy_.algorithms.contains(*algorithm)) {
        algorithm_ = *algorithm;
        return true;
      }
      if (none.reason != Reason::malformed) none = challenge(Reason::unsupported_algorithm);
    }
    return false;
  }

  bool is_our_realm() noexcept {
    if (sent_.realm == policy_.realm) [[likely]]
      return true;
    return unescape(sent_.realm, scratch_.realm_.data(), scratch_.realm_.size()) == policy_.realm;
  }

  // RFC 7616 3.4: what must be there, and which qop.
  std::optional<Verdict> refuse_form() noexcept {
    // A phone that announces itself before it was challenged, as IMS phones do: not an answer, and nothing
    // wrong.
    if (sent_.nonce.empty() && sent_.response.empty()) return challenge(Reason::no_credentials);
    if (sent_.username.empty() || sent_.nonce.empty() || sent_.uri.empty() || sent_.response.empty())
      return malformed();
    if (sent_.qop.empty()) {
      if (policy_.require_qop) return challenge(Reason::unsupported_qop);
      if (is_session(algorithm_) && sent_.cnonce.empty()) return malformed();
      return std::nullopt;
    }
    if (sent_.qop != "auth" && !equal_any_case(sent_.qop, "auth")) return challenge(Reason::unsupported_qop);
    nc_ = parse_nonce_count(sent_.nc);
    if (nc_ == 0 || sent_.cnonce.empty()) return malformed();
    return std::nullopt;
  }

  bool verify(const std::optional<Digest>& known) noexcept {
    const HashKind hash_kind = kind(algorithm_);
    const Digest stored = known ? *known : nobody(hash_kind);
    const ResponseInput input{sent_.nonce, sent_.nc, sent_.cnonce, sent_.qop};
    bool cached = false;
    const Digest two = ha2_of(hash_kind, cached);
    const Digest expected =
        response(hash_kind, session_ha1(algorithm_, stored, sent_.nonce, sent_.cnonce), two, input);
    const auto given = from_hex(sent_.response, hash_kind);
    const bool right = given && equal_in_constant_time(*given, expected);
    if (right && known && !cached) keep_ha2(hash_kind, two);
    return right;
  }

  Scratch::Ha2& ha2_entry(HashKind hash_kind) noexcept {
    // The end of a URI says most about it: the host, or the port.
    const std::string_view uri = sent_.uri;
    std::uint64_t tail = 0;
    std::memcpy(&tail, uri.data() + (uri.size() < 8 ? 0 : uri.size() - 8), uri.size() < 8 ? uri.size() : 8);
    tail ^= static_cast<std::uint64_t>(request_.method()) << 8 | static_cast<std::uint64_t>(hash_kind) |
            uri.size() << 16;
    return scratch_.ha2_[(tail * 0x9e3779b97f4a7c15ull) >> 60];
  }

  // The digest-uri is hashed as it was sent, also where the Request-URI is only equal to it.
  Digest ha2_of(HashKind hash_kind, bool& cached) noexcept {
    const Scratch::Ha2& entry = ha2_entry(hash_kind);
    cached = entry.method != sip::Method::unknown && entry.method == request_.method() &&
             entry.kind == hash_kind && std::string_view(entry.uri.data(), entry.uri_size) == sent_.uri;
    return cached ? entry.digest : ha2(hash_kind, request_.method_text(), sent_.uri);
  }

  void keep_ha2(HashKind hash_kind, const Digest& digest) noexcept {
    if (request_.method() == sip::Method::unknown || sent_.uri.size() > Scratch::Ha2::kUriBytesMax) return;
    Scratch::Ha2& entry = ha2_entry(hash_kind);
    entry.digest = digest;
    entry.method = request_.method();
    entry.kind = hash_kind;
    entry.uri_size = static_cast<std::uint8_t>(sent_.uri.size());
    std::memcpy(entry.uri.data(), sent_.uri.data(), sent_.uri.size());
  }

  NonceUse use(NonceWindow& window, NonceId id) const noexcept {
    if (!policy_.replay_strict) return NonceUse::accepted;
    return sent_.qop.empty() ? window.use_once(id) : window.use(id, nc_);
  }

  const Policy& policy_;
  const sip::Message& request_;
  Scratch& scratch_;
  sip::DigestCredentials sent_;
  Algorithm algorithm_ = Algorithm::md5;
  std::uint32_t nc_ = 0;
};

Verdict authenticate(const Policy& policy, const Credentials& credentials, const NonceMint& mint,
                     NonceWindow& window, const sip::Message& request, bool proxy, WallMs now,
                     Scratch& scratch) noexcept {
  return Authentication(policy, request, scratch).decide(credentials, mint, window, proxy, now);
}

}  // namespace ringweir::auth
