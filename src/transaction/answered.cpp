#include "ringweir/transaction/answered.h"

#include <bit>

namespace ringweir::transaction {

Answered::Answered(std::uint32_t capacity)
    : mask_(std::bit_ceil(std::size_t{capacity < 4 ? 4 : capacity} / 4) - 1), buckets_(mask_ + 1) {}

// Milliseconds modulo 2^32, compared by distance: 49 days wrap without harm, as Timer J is 32 seconds.
std::uint32_t Answered::tick(Instant now) const noexcept {
  return static_cast<std::uint32_t>(to_ms(now.time_since_epoch()));
}

namespace {
bool passed(std::uint32_t until_ms, std::uint32_t now_ms) noexcept {
  return static_cast<std::int32_t>(until_ms - now_ms) <= 0;
}
}  // namespace

std::optional<Answered::Answer> Answered::find(std::uint64_t key, Instant now) const noexcept {
  const std::uint32_t now_ms = tick(now);
  for (const Entry& entry : buckets_[index(key)].entries) {
    if (entry.key == key && entry.answer.status != 0 && !passed(entry.until_ms, now_ms)) return entry.answer;
  }
  return std::nullopt;
}

void Answered::remember(std::uint64_t key, Answer answer, Instant now) noexcept {
  const std::uint32_t now_ms = tick(now);
  Entry* victim = nullptr;
  for (Entry& entry : buckets_[index(key)].entries) {
    if (entry.answer.status == 0 || entry.key == key || passed(entry.until_ms, now_ms)) {
      victim = &entry;
      break;
    }
    if (!victim || static_cast<std::int32_t>(entry.until_ms - victim->until_ms) < 0) victim = &entry;  // the oldest
  }
  *victim = {key, now_ms + static_cast<std::uint32_t>(to_ms(kTimerJ)), answer};
}

}  // namespace ringweir::transaction
