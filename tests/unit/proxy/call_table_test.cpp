#include "ringweir/proxy/call_table.h"

#include <gtest/gtest.h>

namespace ringweir::proxy {
namespace {

const Endpoint kA{IpAddress::v4(10, 0, 0, 1), 5060}, kB{IpAddress::v4(10, 0, 0, 2), 5060};
constexpr Instant kStart{std::chrono::hours{1'000}};

struct Table {
  balance::TargetState a, b;
  CallTable calls{64};
};

TEST(CallTable, FindsTheTargetOfACallWhileItLastsAndAWhileLonger) {
  Table t;
  EXPECT_EQ(t.calls.find(7, kStart), nullptr);
  t.calls.begin(7, t.a, kA, kStart);
  EXPECT_EQ(t.a.calls(), 1u);
  EXPECT_EQ(t.calls.open(), 1u);
  const CallTable::Call* call = t.calls.find(7, kStart + 1h);
  ASSERT_NE(call, nullptr);
  EXPECT_EQ(call->target, &t.a);
  EXPECT_EQ(call->endpoint, kA);
  EXPECT_TRUE(call->open);
  t.calls.end(7, kStart + 1h);
  EXPECT_EQ(t.a.calls(), 0u);
  call = t.calls.find(7, kStart + 1h + 31s);
  ASSERT_NE(call, nullptr);
  EXPECT_FALSE(call->open);
  EXPECT_EQ(t.calls.find(7, kStart + 1h + 31s + 32s), nullptr);
}

TEST(CallTable, BeginningAgainCountsOnceAndMovingCountsTheOther) {
  Table t;
  for (int i = 0; i < 3; ++i) t.calls.begin(7, t.a, kA, kStart);
  EXPECT_EQ(t.a.calls(), 1u);
  t.calls.begin(7, t.b, kB, kStart);
  EXPECT_EQ(t.a.calls(), 0u);
  EXPECT_EQ(t.b.calls(), 1u);
  EXPECT_EQ(t.calls.open(), 1u);
  t.calls.end(7, kStart);
  t.calls.end(7, kStart);
  t.calls.end(8, kStart);
  EXPECT_EQ(t.b.calls(), 0u);
  EXPECT_EQ(t.b.tallies().unpaired, 0u);
  t.calls.begin(7, t.b, kB, kStart);  // after a challenge: the same call again
  EXPECT_EQ(t.b.calls(), 1u);
}

TEST(CallTable, ACallNobodySaysAWordInEndsByItself) {
  Table t;
  for (std::uint64_t i = 0; i < 16; ++i) t.calls.begin(i << 24, t.a, kA, kStart);
  for (int i = 0; i < 100; ++i) t.calls.sweep(kStart + CallTable::kIdleMax - 1s);
  EXPECT_EQ(t.a.calls(), 16u);
  EXPECT_NE(t.calls.find(0, kStart + CallTable::kIdleMax - 1s), nullptr);  // somebody did
  for (int i = 0; i < 100; ++i) t.calls.sweep(kStart + CallTable::kIdleMax);
  EXPECT_EQ(t.a.calls(), 1u);
  EXPECT_EQ(t.calls.open(), 1u);
}

TEST(CallTable, AFullBucketGivesUpWhatHasEndedAndThenTheQuietest) {
  Table t;
  const auto hash = [](std::uint64_t i) { return i + 1; };  // all in one bucket
  for (std::uint64_t i = 0; i < 4; ++i) t.calls.begin(hash(i), t.a, kA, kStart + std::chrono::seconds(i));
  t.calls.end(hash(3), kStart + 10s);
  t.calls.begin(hash(4), t.b, kB, kStart + 11s);
  EXPECT_EQ(t.calls.evicted(), 0u);  // one that had ended
  EXPECT_EQ(t.calls.find(hash(3), kStart + 12s), nullptr);
  t.calls.find(hash(0), kStart + 12s);
  t.calls.begin(hash(5), t.b, kB, kStart + 13s);
  EXPECT_EQ(t.calls.evicted(), 1u);
  EXPECT_EQ(t.calls.find(hash(1), kStart + 13s), nullptr);
  EXPECT_NE(t.calls.find(hash(0), kStart + 13s), nullptr);
  EXPECT_EQ(t.a.calls(), 2u);
  EXPECT_EQ(t.b.calls(), 2u);
}

TEST(CallTable, WhatIsOpenEndsWithTheTable) {
  balance::TargetState a;
  {
    CallTable calls(1'024);
    for (std::uint64_t i = 1; i <= 500; ++i) calls.begin(i * 0x9e3779b97f4a7c15ull, a, kA, kStart);
    EXPECT_EQ(a.calls(), calls.open());
  }
  EXPECT_EQ(a.calls(), 0u);
  EXPECT_EQ(a.tallies().unpaired, 0u);
}

}  // namespace
}  // namespace ringweir::proxy
