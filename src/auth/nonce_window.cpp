#include "ringweir/auth/nonce_window.h"

#include <algorithm>
#include <atomic>
#include <bit>

#include "ringweir/base/check.h"

namespace ringweir::auth {
namespace {

constexpr std::uint32_t kRowSlotsMin = 1u << 12;
constexpr std::uint32_t kAllBelow = 0xffff;

// One slot's word. Highest 0: never used.
struct Slot {
  std::uint32_t generation;  // the count's high part
  std::uint32_t highest;
  std::uint32_t below;  // bit i: highest - 1 - i was used

  static Slot unpack(std::uint64_t word) noexcept {
    return {static_cast<std::uint32_t>(word >> 40),
            static_cast<std::uint32_t>(word >> 16) & NonceWindow::kCountMax,
            static_cast<std::uint32_t>(word & kAllBelow)};
  }
  std::uint64_t pack() const noexcept {
    return std::uint64_t{generation} << 40 | std::uint64_t{highest} << 16 | below;
  }
};

// What using `nc` makes of a slot that this nonce holds; false when nc may not be used.
bool advance(Slot& slot, std::uint32_t nc) noexcept {
  if (nc > slot.highest) {
    const std::uint32_t ahead = nc - slot.highest;
    slot.below = ahead > NonceWindow::kBehindMax ? 0 : (slot.below << ahead | 1u << (ahead - 1)) & kAllBelow;
    slot.highest = nc;
    return true;
  }
  const std::uint32_t behind = slot.highest - nc;
  if (behind == 0 || behind > NonceWindow::kBehindMax) return false;
  const std::uint32_t bit = 1u << (behind - 1);
  if (slot.below & bit) return false;
  slot.below |= bit;
  return true;
}

}  // namespace

NonceWindow::NonceWindow(std::uint32_t shards, std::uint32_t slots)
    : shards_(shards),
      row_bits_(static_cast<unsigned>(
          std::countr_zero(std::bit_ceil(std::max((slots + shards - 1) / shards, kRowSlotsMin))))),
      words_(std::size_t{shards} << row_bits_) {}

std::uint64_t* NonceWindow::slot(NonceId id) noexcept {
  // A row a shard, not shards interleaved: neighbours in a cache line then belong to one shard.
  check(id.shard < shards_, "nonce of a shard that is not there");
  return words_.data() + ((std::size_t{id.shard} << row_bits_) | (id.count & (row_slots() - 1)));
}

NonceUse NonceWindow::use(NonceId id, std::uint32_t nc) noexcept {
  check(nc > 0, "nonce count of zero");
  if (nc > kCountMax) return NonceUse::stale;
  const std::uint32_t generation = id.count >> row_bits_;
  std::atomic_ref<std::uint64_t> word(*slot(id));
  // Relaxed: the word is all there is, nothing is published through it. The order of changes to one word is
  // total anyway.
  std::uint64_t seen = word.load(std::memory_order_relaxed);
  for (;;) {
    Slot now = Slot::unpack(seen);
    if (now.highest == 0) {
      now = {generation, nc, 0};
    } else if (now.generation == generation) {
      if (!advance(now, nc)) return NonceUse::replayed;
    } else {
      // Counts wrap at 2^32: compare them on a circle. Nonces half a circle apart do not live at the same
      // time.
      const auto newer_by = static_cast<std::int32_t>((generation - now.generation) << row_bits_);
      if (newer_by < 0) return NonceUse::stale;
      now = {generation, nc, 0};
    }
    if (word.compare_exchange_weak(seen, now.pack(), std::memory_order_relaxed)) return NonceUse::accepted;
  }
}

NonceUse NonceWindow::use_once(NonceId id) noexcept {
  // The highest count there is leaves no later one, and all below it that the slot still knows are marked. A
  // nonce that has been used with an nc has a slot already: refused by comparing with what it replaces.
  const std::uint32_t generation = id.count >> row_bits_;
  std::atomic_ref<std::uint64_t> word(*slot(id));
  std::uint64_t seen = word.load(std::memory_order_relaxed);
  const std::uint64_t spent = Slot{generation, kCountMax, kAllBelow}.pack();
  for (;;) {
    const Slot now = Slot::unpack(seen);
    if (now.highest != 0) {
      const auto newer_by = static_cast<std::int32_t>((generation - now.generation) << row_bits_);
      if (newer_by <= 0) return NonceUse::stale;
    }
    if (word.compare_exchange_weak(seen, spent, std::memory_order_relaxed)) return NonceUse::accepted;
  }
}

}  // namespace ringweir::auth
