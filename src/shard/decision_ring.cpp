#include "ringweir/shard/decision_ring.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace ringweir::shard {
namespace {

static_assert(std::is_trivially_copyable_v<balance::Why>);

// meta: port | upstream | kind | length of the Call-ID kept.
constexpr unsigned kUpstreamAt = 16, kKindAt = 32, kSizeAt = 40;

}  // namespace

DecisionRing::DecisionRing(std::uint32_t entries)
    : entries_(std::max(entries, 1u)), slots_(std::make_unique<Slot[]>(entries_)) {}

void DecisionRing::record(std::int64_t wall_us, std::uint64_t generation, std::uint16_t upstream, Decided kind,
                          const Endpoint& target, const balance::Why& why, std::string_view call_id) noexcept {
  call_id = call_id.substr(0, kCallIdKept);
  const std::uint64_t sequence = next_.load(std::memory_order_relaxed);
  Slot& slot = slots_[sequence % entries_];
  slot.stamp.store(sequence * 2 + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);  // the claim is seen before any new octet
  std::uint64_t ip[2];
  std::memcpy(ip, target.ip.octets.data(), sizeof ip);
  std::uint64_t why_words[kWhyWords];
  std::memcpy(why_words, &why, sizeof why);
  slot.wall_us.store(static_cast<std::uint64_t>(wall_us), std::memory_order_relaxed);
  slot.generation.store(generation, std::memory_order_relaxed);
  slot.meta.store(target.port | std::uint64_t{upstream} << kUpstreamAt | static_cast<std::uint64_t>(kind) << kKindAt |
                      std::uint64_t{call_id.size()} << kSizeAt,
                  std::memory_order_relaxed);
  slot.ip_low.store(ip[0], std::memory_order_relaxed);
  slot.ip_high.store(ip[1], std::memory_order_relaxed);
  for (std::size_t i = 0; i < kWhyWords; ++i) slot.why[i].store(why_words[i], std::memory_order_relaxed);
  for (std::size_t i = 0; i * 8 < call_id.size(); ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, call_id.data() + i * 8, std::min<std::size_t>(8, call_id.size() - i * 8));
    slot.call_id[i].store(word, std::memory_order_relaxed);
  }
  slot.stamp.store(sequence * 2 + 2, std::memory_order_release);
  next_.store(sequence + 1, std::memory_order_release);
}

std::uint64_t DecisionRing::oldest_sequence() const noexcept {
  const std::uint64_t next = next_sequence();
  return next > entries_ ? next - entries_ : 0;
}

bool DecisionRing::read(std::uint64_t sequence, Decision& out) const {
  if (sequence >= next_sequence()) return false;
  const Slot& slot = slots_[sequence % entries_];
  if (slot.stamp.load(std::memory_order_acquire) != sequence * 2 + 2) return false;
  const std::uint64_t meta = slot.meta.load(std::memory_order_relaxed);
  std::uint64_t ip[2] = {slot.ip_low.load(std::memory_order_relaxed), slot.ip_high.load(std::memory_order_relaxed)};
  std::uint64_t why_words[kWhyWords], id[kIdWords];
  for (std::size_t i = 0; i < kWhyWords; ++i) why_words[i] = slot.why[i].load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < kIdWords; ++i) id[i] = slot.call_id[i].load(std::memory_order_relaxed);
  out.sequence = sequence;
  out.wall_us = static_cast<std::int64_t>(slot.wall_us.load(std::memory_order_relaxed));
  out.generation = slot.generation.load(std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_acquire);
  // Whole only if the slot was not claimed again while it was copied.
  if (slot.stamp.load(std::memory_order_relaxed) != sequence * 2 + 2) return false;
  out.upstream = static_cast<std::uint16_t>(meta >> kUpstreamAt);
  out.kind = static_cast<Decided>(meta >> kKindAt & 0xff);
  out.target.port = static_cast<std::uint16_t>(meta);
  std::memcpy(out.target.ip.octets.data(), ip, sizeof ip);
  std::memcpy(&out.why, why_words, sizeof out.why);
  char text[sizeof id];
  std::memcpy(text, id, sizeof id);
  out.call_id.assign(text, std::min<std::size_t>(meta >> kSizeAt & 0xff, kCallIdKept));
  return true;
}

}  // namespace ringweir::shard
