// Token buckets against buckets that forget nothing.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>

#include "ringweir/base/token_buckets.h"

namespace ringweir {
namespace {

// Tokens counted in nanoseconds of gain.
struct Model {
  TokenRate rate;
  struct Level {
    std::int64_t ns;
    Instant at;
  };
  std::map<std::uint32_t, Level> levels;
  bool take(std::uint32_t source, Instant now) {
    const std::int64_t most = (rate.tolerance + rate.interval).count();
    Level& level = levels.try_emplace(source, Level{most, now}).first->second;
    level.ns = std::min(most, level.ns + (now - level.at).count());
    level.at = now;
    if (level.ns < rate.interval.count()) return false;
    level.ns -= rate.interval.count();
    return true;
  }
};

TokenRate some_rate() {
  return TokenRate::per_second(*rc::gen::inRange<std::uint64_t>(1, 2'000),
                               *rc::gen::inRange<std::uint32_t>(1, 50));
}
IpAddress address(std::uint32_t source) {
  return IpAddress::v4(198, 51, static_cast<std::uint8_t>(source >> 8), static_cast<std::uint8_t>(source));
}

TEST(TokenBucketsProperty, with_room_for_all_they_decide_as_buckets_that_forget_nothing) {
  EXPECT_TRUE(rc::check([](std::uint64_t k0, std::uint64_t k1) {
    Model model{some_rate(), {}};
    TokenBuckets buckets({k0, k1}, 1u << 14);
    Instant now{1s};
    for (int i = 0; i < 400; ++i) {
      const auto source = *rc::gen::inRange<std::uint32_t>(0, 4);
      now += Duration{*rc::gen::inRange<std::int64_t>(0, 3'000'000)};
      RC_ASSERT(buckets.take(address(source), model.rate, now) == model.take(source, now));
    }
  }));
}

TEST(TokenBucketsProperty, forgetting_never_lets_fewer_through) {
  EXPECT_TRUE(rc::check([](std::uint64_t k0, std::uint64_t k1) {
    Model model{some_rate(), {}};
    TokenBuckets buckets({k0, k1}, *rc::gen::inRange<std::uint32_t>(1, 16));
    std::map<std::uint32_t, std::int64_t> ahead;
    Instant now{1s};
    for (int i = 0; i < 400; ++i) {
      const auto source = *rc::gen::inRange<std::uint32_t>(0, 40);
      now += Duration{*rc::gen::inRange<std::int64_t>(0, 1'000'000)};
      ahead[source] += buckets.take(address(source), model.rate, now);
      ahead[source] -= model.take(source, now);
      RC_ASSERT(ahead[source] >= 0);
    }
  }));
}

TEST(TokenBucketsProperty, a_wait_that_was_told_is_exact) {
  EXPECT_TRUE(rc::check([](std::uint64_t k0, std::uint64_t k1) {
    const TokenRate rate = some_rate();
    TokenBuckets buckets({k0, k1}, 64);
    const std::uint64_t key = buckets.key("a", 1);
    Instant now{1s};
    for (int i = 0; i < 100; ++i) {
      now += Duration{*rc::gen::inRange<std::int64_t>(0, 2'000'000)};
      const Duration wait = buckets.until_token(key, rate, now);
      RC_ASSERT((wait == Duration::zero()) == buckets.take(key, rate, now));
      if (wait == Duration::zero()) continue;
      RC_ASSERT(!buckets.take(key, rate, now + wait - 1ns));
      now += wait;
      RC_ASSERT(buckets.take(key, rate, now));
    }
  }));
}

}  // namespace
}  // namespace ringweir
