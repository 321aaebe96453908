#include "ringweir/auth/failure_throttle.h"

#include <algorithm>

namespace ringweir::auth {

namespace {

enum Kind : std::uint8_t { kPair, kSource, kUser };

Duration to_fill(const TokenRate& rate) noexcept {
  return rate.tolerance + rate.interval;
}

// Until the bucket is full, for a rate whose only token is the full bucket.
TokenRate only_when_full(const TokenRate& rate) noexcept {
  return {to_fill(rate), Duration::zero()};
}

}  // namespace

FailureThrottle::FailureThrottle(const Key128& key, std::uint32_t buckets, const FailureLimits& limits)
    : limits_(limits),
      buckets_(key, buckets),
      longest_(std::max({to_fill(limits.pair), to_fill(limits.source), to_fill(limits.user)})) {}

FailureThrottle::Answer FailureThrottle::check(const IpAddress& source, std::string_view user, bool known,
                                               Instant now) const noexcept {
  if (is_quiet(now)) return {};
  const std::uint64_t pair = buckets_.key(source, user, kPair);
  if (const Duration wait = buckets_.until_token(pair, limits_.pair, now); wait > Duration::zero()) {
    return {Attempt::throttled_pair, wait};
  }
  if (known) return {};
  const std::uint64_t from = buckets_.key(source, {}, kSource);
  if (const Duration wait = buckets_.until_token(from, limits_.source, now); wait > Duration::zero()) {
    return {Attempt::throttled_source, wait};
  }
  const bool user_is_tried =
      buckets_.until_token(buckets_.key(user, kUser), limits_.user, now) > Duration::zero();
  if (!user_is_tried) return {};
  const Duration wait = buckets_.until_token(pair, only_when_full(limits_.pair), now);
  return wait > Duration::zero() ? Answer{Attempt::throttled_user, wait} : Answer{};
}

void FailureThrottle::record(const IpAddress& source, std::string_view user, Reason reason,
                             Instant now) noexcept {
  if (!is_guess(reason)) return;
  buckets_.charge(buckets_.key(source, user, kPair), limits_.pair, now);
  buckets_.charge(buckets_.key(source, {}, kSource), limits_.source, now);
  buckets_.charge(buckets_.key(user, kUser), limits_.user, now);
  const std::int64_t full_at = (now + longest_).time_since_epoch().count();
  std::int64_t before = all_full_at_ns_.load(std::memory_order_relaxed);
  while (before < full_at &&
         !all_full_at_ns_.compare_exchange_weak(before, full_at, std::memory_order_relaxed)) {
  }
}

}  // namespace ringweir::auth
