// The nonce counts that were used (RFC 7616 3.4.5 on replay): a (nonce, nc) is accepted at most once, by
// whichever shard. Shared by all shards; lock-free; bounded; never accepts what it is not sure of.
//
// Each shard's nonces have a row of slots, direct-mapped by the nonce's count, so that the last `row`
// challenges of a shard never share one. A slot is one word:
//   count's high 24 bits | highest nc so far, 24 bits | 16 bits: which of the 16 below the highest were used
// It is taken when a nonce's first response has been verified (a challenge alone takes nothing) and given up
// only to a newer nonce. A nonce that finds a newer one in its place, or an nc further back than 16, is
// refused, and its phone gets a new challenge: one round trip more, instead of memory that grows with the
// clients.
#pragma once
#include <cstdint>
#include <span>

#include "ringweir/auth/nonce.h"
#include "ringweir/base/prefetch.h"
#include "ringweir/base/zeroed_array.h"

namespace ringweir::auth {

enum class NonceUse : std::uint8_t {
  accepted,
  replayed,  // this nonce count was used before, or is too far below the highest to know
  stale,     // a newer nonce has the slot, or the count has reached its end: challenge again
};

class NonceWindow {
 public:
  static constexpr std::uint32_t kSlotsDefault = 1u << 20;  // 8 octets each, touched as they are used
  static constexpr std::uint32_t kCountMax = (1u << 24) - 1;
  static constexpr std::uint32_t kBehindMax = 16;

  // Each shard's row is slots / shards rounded up to a power of two (at least 4,096, so that a count's high
  // part has at most 20 bits). `shards` as given to NonceMint.
  explicit NonceWindow(std::uint32_t shards, std::uint32_t slots = kSlotsDefault);

  // Uses up (nonce, nc). Call only for a nonce that NonceMint::check() found valid and a response that was
  // verified. nc > 0.
  NonceUse use(NonceId id, std::uint32_t nc) noexcept;
  // For a response without qop, which has no nc: uses up the whole nonce. A second use in either form is
  // stale.
  NonceUse use_once(NonceId id) noexcept;

  // Starts the cache miss of use() early. Any id.
  void prefetch(NonceId id) const noexcept {
    if (id.shard < shards_) prefetch_to_write(words_.data() + ((std::size_t{id.shard} << row_bits_) | (id.count & (row_slots() - 1))));
  }

  std::span<const std::byte> memory() const noexcept { return words_.memory(); }
  std::uint32_t row_slots() const noexcept { return std::uint32_t{1} << row_bits_; }

 private:
  std::uint64_t* slot(NonceId id) noexcept;

  std::uint32_t shards_;
  unsigned row_bits_;
  ZeroedArray<std::uint64_t> words_;  // through std::atomic_ref: zero pages stay untouched until used
};

}  // namespace ringweir::auth
