#include "ringweir/base/token_buckets.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "ringweir/base/check.h"

namespace ringweir {

namespace {

constexpr std::size_t kLineOctets = 64;
constexpr std::size_t kTextMax = 512;  // of a key; what is longer counts by its beginning and its length

std::int64_t ns(Instant at) noexcept {
  return at.time_since_epoch().count();
}

}  // namespace

TokenRate TokenRate::per_second(std::uint64_t rate, std::uint32_t burst) noexcept {
  check(rate >= 1 && rate <= 1'000'000'000 && burst >= 1, "a rate of tokens");
  const TokenRate made = every(Duration{static_cast<std::int64_t>(1'000'000'000 / rate)}, burst);
  check(made.tolerance < 365 * 24h, "a burst that fills within a year");
  return made;
}

void TokenBuckets::Free::operator()(void* memory) const noexcept {
  std::free(memory);
}

TokenBuckets::TokenBuckets(const Key128& key, std::uint32_t buckets)
    : hash_(key),
      lines_count_(std::max<std::uint32_t>((buckets + kWays - 1) / kWays, 1)),
      memory_(std::calloc(lines_count_ + 1u, kLineOctets)) {
  static_assert(sizeof(Line) == kLineOctets && std::atomic<std::uint64_t>::is_always_lock_free);
  if (!memory_) throw std::bad_alloc();
  const auto address = reinterpret_cast<std::uintptr_t>(memory_.get());
  // Zeroed octets are a line of empty buckets.
  lines_ = reinterpret_cast<Line*>((address + kLineOctets - 1) & ~(std::uintptr_t{kLineOctets} - 1));
}

std::uint64_t TokenBuckets::key(const IpAddress& source, std::string_view text,
                                std::uint8_t kind) const noexcept {
  char octets[17 + sizeof(std::uint64_t) + kTextMax] = {};
  const std::uint64_t size = text.size();
  octets[0] = static_cast<char>(kind);
  std::memcpy(octets + 1, source.octets.data(), source.is_v4() ? 16 : 8);
  if (size == 0) return hash_({octets, 17});
  const std::size_t kept = std::min(text.size(), kTextMax);
  std::memcpy(octets + 17, &size, sizeof size);
  std::memcpy(octets + 17 + sizeof size, text.data(), kept);
  return hash_({octets, 17 + sizeof size + kept});
}

std::uint64_t TokenBuckets::key(std::string_view text, std::uint8_t kind) const noexcept {
  return key(IpAddress{}, text, kind);
}

const TokenBuckets::Bucket* TokenBuckets::find(std::uint64_t key) const noexcept {
  const std::uint64_t tag = key | 1;
  for (const Bucket& bucket : lines_[reduce(key, lines_count_)].ways) {
    if (bucket.key.load(std::memory_order_relaxed) == tag) return &bucket;
  }
  return nullptr;
}

TokenBuckets::Bucket& TokenBuckets::claim(std::uint64_t key) noexcept {
  const std::uint64_t tag = key | 1;
  Bucket* fullest = nullptr;
  for (Bucket& bucket : lines_[reduce(key, lines_count_)].ways) {
    if (bucket.key.load(std::memory_order_relaxed) == tag) return bucket;
    if (!fullest || bucket.full_at_ns.load(std::memory_order_relaxed) <
                        fullest->full_at_ns.load(std::memory_order_relaxed)) {
      fullest = &bucket;
    }
  }
  fullest->key.store(tag, std::memory_order_relaxed);
  fullest->full_at_ns.store(0, std::memory_order_relaxed);
  return *fullest;
}

bool TokenBuckets::take(std::uint64_t key, const TokenRate& rate, Instant now) noexcept {
  Bucket& bucket = claim(key);
  std::int64_t full_at = bucket.full_at_ns.load(std::memory_order_relaxed);
  for (;;) {
    const std::int64_t from = std::max(full_at, ns(now));
    if (from - ns(now) > rate.tolerance.count()) return false;
    if (bucket.full_at_ns.compare_exchange_weak(full_at, from + rate.interval.count(),
                                                std::memory_order_relaxed)) {
      return true;
    }
  }
}

void TokenBuckets::charge(std::uint64_t key, const TokenRate& rate, Instant now) noexcept {
  Bucket& bucket = claim(key);
  const std::int64_t empty = ns(now) + (rate.tolerance + rate.interval).count();
  std::int64_t full_at = bucket.full_at_ns.load(std::memory_order_relaxed);
  for (;;) {
    // A rate that was lowered leaves older debts as they are.
    const std::int64_t charged =
        std::min(std::max(full_at, ns(now)) + rate.interval.count(), std::max(empty, full_at));
    if (bucket.full_at_ns.compare_exchange_weak(full_at, charged, std::memory_order_relaxed)) return;
  }
}

Duration TokenBuckets::until_token(std::uint64_t key, const TokenRate& rate, Instant now) const noexcept {
  const Bucket* bucket = find(key);
  if (!bucket) return Duration::zero();
  const Duration debt{bucket->full_at_ns.load(std::memory_order_relaxed) - ns(now)};
  return std::max(debt - rate.tolerance, Duration::zero());
}

bool TokenBuckets::is_full(std::uint64_t key, Instant now) const noexcept {
  const Bucket* bucket = find(key);
  return !bucket || bucket->full_at_ns.load(std::memory_order_relaxed) <= ns(now);
}

}  // namespace ringweir
