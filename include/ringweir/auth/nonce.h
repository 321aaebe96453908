// Stateless nonces: a nonce says itself when, where and in which order it was made, and proves it by a MAC.
// Nothing is kept per challenge, so there is nothing that a flood of unanswered challenges could fill.
//
// 21 octets, written as 28 characters of base64url, which no quoted-string has to escape:
//   time 5     wall clock, milliseconds modulo 2^40 (34 years)
//   process 2  which run of which edge: a key may be shared by several and outlive each
//   shard 1, count 4   the place in the nonce-count window (nonce_window.h); counted by the shard, modulo
//   2^32 mac 9      SipHash-2-4-128 of the twelve octets before it, cut to 72 bits
// PERF: the length is chosen: HA1:nonce:nc:cnonce:auth:HA2 in MD5 stays within two blocks (119 octets) with a
// cnonce of up to 10 characters. Four characters more, and every phone's response would cost a third block.
#pragma once
#include <cstdint>
#include <string_view>

#include "ringweir/base/hash.h"
#include "ringweir/base/time.h"

namespace ringweir::auth {

inline constexpr std::size_t kNonceChars = 28;

struct NonceId {
  std::uint32_t count = 0;  // of the shard, modulo 2^32
  std::uint32_t shard = 0;  // below the number of shards
};

enum class NonceState : std::uint8_t {
  valid,
  stale,  // ours, but older than its lifetime, from the future, or of another process: its window is not here
  forged,  // not made with our key
};
struct NonceCheck {
  NonceState state;
  NonceId id;  // meaningful when valid
};

// One a shard. mint() belongs to the shard's thread; check() is const and accepts what any shard of the
// process minted.
class NonceMint {
 public:
  // `key`, `started_ms` and `process` are equal on all shards of one process. Processes that share a key and
  // may have started within the same millisecond differ in `process` (any random number).
  NonceMint(const Key128& key, std::uint32_t shard, std::uint32_t shards, WallMs started_ms,
            std::uint64_t process = 0) noexcept;

  void mint(WallMs now, char* out) noexcept;  // kNonceChars characters, no terminator
  NonceCheck check(std::string_view nonce, WallMs now, std::int64_t lifetime_ms) const noexcept;

 private:
  Key128 key_;
  WallMs started_ms_;
  std::uint16_t process_;
  std::uint8_t shard_;
  std::uint32_t shards_;
  std::uint32_t count_ = 0;
};

}  // namespace ringweir::auth
