#include "ringweir/base/timer_wheel.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <vector>

namespace ringweir {
namespace {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

std::vector<std::uint64_t> fired(TimerWheel& wheel, std::uint64_t to, std::uint32_t most = 1000) {
  std::vector<std::uint64_t> due;
  wheel.advance(to, most, [&](TimerNode& node) { due.push_back(node.due); });
  return due;
}

TEST(TimerWheel, FiresAtItsTickAndNotBefore) {
  for (const std::uint64_t due :
       {1ull, 63ull, 64ull, 65ull, 4095ull, 4096ull, 262'144ull, 1'000'000'007ull}) {
    TimerWheel wheel;
    TimerNode node;
    wheel.arm(node, due);
    EXPECT_TRUE(fired(wheel, due - 1).empty()) << due;
    EXPECT_EQ(fired(wheel, due), std::vector{due});
    EXPECT_FALSE(node.armed());
    EXPECT_EQ(wheel.size(), 0u);
  }
}

TEST(TimerWheel, FiresFarBeyondItsSpan) {
  constexpr std::uint64_t kFar = (std::uint64_t{1} << 37) + 12'345;  // the wheel spans 2^36 ticks
  TimerWheel wheel(99);
  TimerNode node;
  wheel.arm(node, kFar);
  EXPECT_TRUE(fired(wheel, kFar - 1).empty());
  EXPECT_EQ(fired(wheel, kFar), std::vector{kFar});
}

TEST(TimerWheel, ATickThatHasPassedFiresAtTheNextAdvance) {
  TimerWheel wheel(500);
  TimerNode node;
  wheel.arm(node, 3);
  EXPECT_EQ(wheel.next_due(), 500u);
  EXPECT_EQ(fired(wheel, 500), std::vector<std::uint64_t>{3});
}

TEST(TimerWheel, RearmingMovesAndCancellingForgets) {
  TimerWheel wheel;
  TimerNode moved, cancelled;
  wheel.arm(moved, 10);
  wheel.arm(cancelled, 10);
  wheel.arm(moved, 5000);
  wheel.cancel(cancelled);
  wheel.cancel(cancelled);
  EXPECT_EQ(wheel.size(), 1u);
  EXPECT_TRUE(fired(wheel, 4999).empty());
  EXPECT_EQ(fired(wheel, 5000).size(), 1u);
}

TEST(TimerWheel, StopsAtMostNodesAndLosesNone) {
  TimerWheel wheel;
  std::array<TimerNode, 10> nodes;
  for (auto& node : nodes) wheel.arm(node, 7);
  unsigned n = 0;
  const auto count = [&](TimerNode&) { ++n; };
  EXPECT_FALSE(wheel.advance(100, 4, count));
  EXPECT_EQ(n, 4u);
  EXPECT_EQ(wheel.size(), 6u);
  EXPECT_FALSE(wheel.advance(100, 0, count));
  EXPECT_EQ(n, 4u);
  EXPECT_TRUE(wheel.advance(100, 6, count));
  EXPECT_EQ(n, 10u);
  EXPECT_EQ(wheel.now(), 100u);
}

TEST(TimerWheel, ANodeMayRearmItselfAndCancelItsNeighbourWhileFiring) {
  TimerWheel wheel;
  TimerNode again, neighbour;
  wheel.arm(again, 5);
  wheel.arm(neighbour, 5);
  std::vector<std::uint64_t> at;
  EXPECT_TRUE(wheel.advance(50, 100, [&](TimerNode& node) {
    at.push_back(wheel.now());
    wheel.cancel(neighbour);
    if (at.size() < 3) wheel.arm(node, wheel.now() + 10);
  }));
  EXPECT_EQ(at, (std::vector<std::uint64_t>{5, 15, 25}));
}

TEST(TimerWheel, NextDueIsNeverLate) {
  TimerWheel wheel(1000);
  EXPECT_EQ(wheel.next_due(), kNever);
  TimerNode node;
  wheel.arm(node, 1'000'000);
  unsigned wakes = 0;
  while (node.armed()) {
    const std::uint64_t next = wheel.next_due();
    ASSERT_LE(next, 1'000'000u);
    ASSERT_GE(next, wheel.now());
    wheel.advance(next, 10, [](TimerNode&) {});
    ASSERT_LT(++wakes, 10u) << "a sleeper wakes once a level, not once a slot";
  }
  EXPECT_EQ(wheel.now(), 1'000'000u);
}

}  // namespace
}  // namespace ringweir
