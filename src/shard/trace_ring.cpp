#include "ringweir/shard/trace_ring.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "ringweir/base/limits.h"

namespace ringweir::shard {
namespace {

// An address in two words and the port beside the text's length, so that every shared octet is an atomic word.
std::pair<std::uint64_t, std::uint64_t> words(const IpAddress& ip) noexcept {
  std::uint64_t pair[2];
  std::memcpy(pair, ip.octets.data(), 16);
  return {pair[0], pair[1]};
}
IpAddress address(std::uint64_t low, std::uint64_t high) noexcept {
  IpAddress ip;
  std::memcpy(ip.octets.data(), &low, 8);
  std::memcpy(ip.octets.data() + 8, &high, 8);
  return ip;
}

constexpr std::uint64_t kSizeBits = 17;
static_assert(limits::kMessageBytesMax < (1u << kSizeBits));

}  // namespace

TraceRing::TraceRing(std::uint32_t entries, std::uint32_t octets_each)
    : entries_(std::max(entries, 1u)),
      arena_words_(std::bit_ceil(
          std::max<std::uint64_t>(std::uint64_t{entries_} * octets_each, 2 * limits::kMessageBytesMax) / 8)) {}

TraceRing::~TraceRing() = default;

void TraceRing::start() {
  if (!slots_) {
    slots_ = std::make_unique<Slot[]>(entries_);
    arena_ = std::make_unique<Word[]>(arena_words_);
  }
  wanted_.fetch_add(1, std::memory_order_release);
}

void TraceRing::record(std::int64_t wall_us, Direction direction, const Endpoint& peer, const Endpoint& local,
                       std::string_view text) noexcept {
  const std::uint64_t sequence = next_.load(std::memory_order_relaxed);
  const std::uint64_t at = arena_next_.load(std::memory_order_relaxed);
  const std::uint64_t count = (text.size() + 7) / 8;
  Slot& slot = slots_[sequence % entries_];
  slot.stamp.store(sequence * 2 + 1, std::memory_order_relaxed);
  // Readers of what is about to be overwritten must see the claim before any new octet.
  arena_next_.store(at + count, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i * 8, std::min<std::size_t>(8, text.size() - i * 8));
    arena_[(at + i) & (arena_words_ - 1)].store(word, std::memory_order_relaxed);
  }
  const auto [peer_low, peer_high] = words(peer.ip);
  const auto [local_low, local_high] = words(local.ip);
  slot.arena_at.store(at, std::memory_order_relaxed);
  slot.wall_us.store(static_cast<std::uint64_t>(wall_us), std::memory_order_relaxed);
  slot.meta.store(text.size() | std::uint64_t{direction == Direction::out} << kSizeBits |
                      std::uint64_t{peer.port} << 32 | std::uint64_t{local.port} << 48,
                  std::memory_order_relaxed);
  slot.peer_low.store(peer_low, std::memory_order_relaxed);
  slot.peer_high.store(peer_high, std::memory_order_relaxed);
  slot.local_low.store(local_low, std::memory_order_relaxed);
  slot.local_high.store(local_high, std::memory_order_relaxed);
  slot.stamp.store(sequence * 2 + 2, std::memory_order_release);
  next_.store(sequence + 1, std::memory_order_release);
}

std::uint64_t TraceRing::oldest_sequence() const noexcept {
  const std::uint64_t next = next_sequence();
  return next > entries_ ? next - entries_ : 0;
}

bool TraceRing::read(std::uint64_t sequence, TraceEntry& out) const {
  if (sequence >= next_sequence()) return false;
  const Slot& slot = slots_[sequence % entries_];
  if (slot.stamp.load(std::memory_order_acquire) != sequence * 2 + 2) return false;
  const std::uint64_t at = slot.arena_at.load(std::memory_order_relaxed);
  const std::uint64_t meta = slot.meta.load(std::memory_order_relaxed);
  const std::size_t size = std::min<std::size_t>(meta & ((1u << kSizeBits) - 1), limits::kMessageBytesMax);
  out.sequence = sequence;
  out.wall_us = static_cast<std::int64_t>(slot.wall_us.load(std::memory_order_relaxed));
  out.direction = (meta >> kSizeBits & 1) ? Direction::out : Direction::in;
  out.peer = {address(slot.peer_low.load(std::memory_order_relaxed), slot.peer_high.load(std::memory_order_relaxed)),
              static_cast<std::uint16_t>(meta >> 32)};
  out.local = {address(slot.local_low.load(std::memory_order_relaxed), slot.local_high.load(std::memory_order_relaxed)),
               static_cast<std::uint16_t>(meta >> 48)};
  out.text.resize((size + 7) / 8 * 8);
  for (std::uint64_t i = 0; i * 8 < out.text.size(); ++i) {
    const std::uint64_t word = arena_[(at + i) & (arena_words_ - 1)].load(std::memory_order_relaxed);
    std::memcpy(out.text.data() + i * 8, &word, 8);
  }
  out.text.resize(size);
  std::atomic_thread_fence(std::memory_order_acquire);
  // Whole only if neither the slot nor its octets were claimed again while they were copied.
  return slot.stamp.load(std::memory_order_relaxed) == sequence * 2 + 2 &&
         arena_next_.load(std::memory_order_relaxed) - at <= arena_words_;
}

}  // namespace ringweir::shard
