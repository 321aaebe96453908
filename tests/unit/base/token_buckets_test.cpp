#include "ringweir/base/token_buckets.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace ringweir {
namespace {

constexpr Key128 kKey{1, 2};
Instant at(Duration since) {
  return Instant{since};
}
IpAddress ip(const char* text) {
  return *parse_ip(text);
}

TEST(TokenBuckets, AllowABurstThenTheRate) {
  TokenBuckets buckets(kKey, 64);
  const TokenRate rate = TokenRate::per_second(50, 200);
  const IpAddress source = ip("192.0.2.1");
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(buckets.take(source, rate, at(1s))) << i;
  EXPECT_FALSE(buckets.take(source, rate, at(1s)));
  EXPECT_FALSE(buckets.take(source, rate, at(1s + 19ms)));
  EXPECT_TRUE(buckets.take(source, rate, at(1s + 20ms)));
  EXPECT_FALSE(buckets.take(source, rate, at(1s + 20ms)));
  int taken = 0;
  for (Duration t = 2s; t < 12s; t += 1ms) taken += buckets.take(source, rate, at(t));
  EXPECT_NEAR(taken, 49 + 500, 1) << "what was gained by 2 s, then the rate";
}

TEST(TokenBuckets, SourcesDoNotShareExceptWithinAnIpv6Network) {
  TokenBuckets buckets(kKey, 1024);
  const TokenRate rate = TokenRate::per_second(1, 1);
  EXPECT_TRUE(buckets.take(ip("192.0.2.1"), rate, at(1s)));
  EXPECT_FALSE(buckets.take(ip("192.0.2.1"), rate, at(1s)));
  EXPECT_TRUE(buckets.take(ip("192.0.2.2"), rate, at(1s)));
  EXPECT_TRUE(buckets.take(ip("2001:db8:0:1::1"), rate, at(1s)));
  EXPECT_FALSE(buckets.take(ip("2001:db8:0:1:ffff::2"), rate, at(1s))) << "the same /64";
  EXPECT_TRUE(buckets.take(ip("2001:db8:0:2::1"), rate, at(1s)));
  EXPECT_TRUE(buckets.take(ip("::1"), rate, at(1s)));
  EXPECT_TRUE(buckets.take(ip("0.0.0.1"), rate, at(1s))) << "an IPv4 address is no member of ::/64";
}

TEST(TokenBuckets, KeysOfDifferentMeaningAreApart) {
  TokenBuckets buckets(kKey, 1024);
  const IpAddress source = ip("192.0.2.1");
  const std::vector<std::uint64_t> keys{
      buckets.key(source),        buckets.key(source, {}, 1),
      buckets.key(source, "100"), buckets.key(source, "100", 1),
      buckets.key(source, "10"),  buckets.key("100", 1),
      buckets.key("100", 2),      buckets.key(source, std::string("100\0", 4))};
  for (std::size_t i = 0; i < keys.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(keys[i], keys[j]) << i << ' ' << j;
  }
  EXPECT_NE(buckets.key(source, std::string(600, 'x')), buckets.key(source, std::string(601, 'x')));
}

TEST(TokenBuckets, AFullBucketIsForgottenBeforeOneInUse) {
  TokenBuckets buckets(kKey, 4);  // one line
  const TokenRate rate = TokenRate::per_second(10, 10);
  const IpAddress worst = ip("192.0.2.1");
  while (buckets.take(worst, rate, at(1s))) {
  }
  for (std::uint8_t i = 10; i < 250; ++i) {
    EXPECT_TRUE(buckets.take(IpAddress::v4(198, 51, 100, i), rate, at(1s)));
    ASSERT_FALSE(buckets.take(worst, rate, at(1s))) << "the worst offender is remembered among " << int{i};
  }
}

TEST(TokenBuckets, AChargeEmptiesButNeverIndebts) {
  TokenBuckets buckets(kKey, 64);
  const TokenRate rate = TokenRate::every(10s, 3);
  const std::uint64_t key = buckets.key("100", 1);
  EXPECT_TRUE(buckets.is_full(key, at(1s)));
  EXPECT_EQ(buckets.until_token(key, rate, at(1s)), 0s);
  buckets.charge(key, rate, at(1s));
  EXPECT_FALSE(buckets.is_full(key, at(1s)));
  EXPECT_EQ(buckets.until_token(key, rate, at(1s)), 0s);
  for (int i = 0; i < 100; ++i) buckets.charge(key, rate, at(1s));
  EXPECT_EQ(buckets.until_token(key, rate, at(1s)), 10s);
  EXPECT_EQ(buckets.until_token(key, rate, at(7s)), 4s);
  EXPECT_EQ(buckets.until_token(key, rate, at(11s)), 0s);
  EXPECT_FALSE(buckets.is_full(key, at(30s)));
  EXPECT_TRUE(buckets.is_full(key, at(31s)));
}

TEST(TokenBuckets, TwoProcessesPlaceKeysDifferently) {
  TokenBuckets one({1, 2}, 64), other({1, 3}, 64);
  EXPECT_NE(one.key(ip("192.0.2.1")), other.key(ip("192.0.2.1")));
}

TEST(TokenBuckets, ThreadsTogetherTakeNoMoreThanThereIs) {
  TokenBuckets buckets(kKey, 64);
  const TokenRate rate = TokenRate::per_second(1, 10'000);
  const std::uint64_t key = buckets.key("shared", 1);
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      int mine = 0;
      for (int i = 0; i < 5'000; ++i) mine += buckets.take(key, rate, at(1s));
      taken += mine;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, 10'000);
}

}  // namespace
}  // namespace ringweir
