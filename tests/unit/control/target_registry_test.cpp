#include "ringweir/control/target_registry.h"

#include <gtest/gtest.h>

namespace ringweir::control {
namespace {

Endpoint at(std::uint16_t port) {
  return {IpAddress::v4(192, 0, 2, 1), port};
}
const Instant kStart{Duration(1h)};

TEST(TargetRegistry, AStateIsFoundAgainByUpstreamAndEndpoint) {
  TargetRegistry registry;
  registry.begin_snapshot(kStart);
  balance::TargetState* const state = registry.obtain("pbx", at(1), kStart, false);
  state->call_began();
  state->drain();
  registry.begin_snapshot(kStart + 1s);
  EXPECT_EQ(registry.obtain("pbx", at(1), kStart + 1s, true), state);
  EXPECT_NE(registry.obtain("pbx", at(2), kStart + 1s, true), state);
  EXPECT_NE(registry.obtain("other", at(1), kStart + 1s, true), state);
  EXPECT_EQ(state->calls(), 1u);
  EXPECT_TRUE(state->draining());
}

TEST(TargetRegistry, WhatLeavesAndComesBackKeepsItsState) {
  TargetRegistry registry;
  registry.begin_snapshot(kStart);
  balance::TargetState* const state = registry.obtain("pbx", at(1), kStart, false);
  for (int i = 1; i <= 5; ++i) registry.begin_snapshot(kStart + i * 1min);
  EXPECT_EQ(registry.obtain("pbx", at(1), kStart + 6min, true), state);
}

TEST(TargetRegistry, OnlyATargetThatJoinsARunningEdgeStartsSlowly) {
  TargetRegistry registry;
  registry.begin_snapshot(kStart);
  EXPECT_EQ(registry.obtain("pbx", at(1), kStart, false)->share(kStart, 30s),
            balance::TargetState::kShareFull);
  EXPECT_LT(registry.obtain("pbx", at(2), kStart, true)->share(kStart, 30s),
            balance::TargetState::kShareFull);
}

TEST(TargetRegistry, AFullOneReusesTheStateThatIsLongestOutOfUse) {
  TargetRegistry registry(3);
  registry.begin_snapshot(kStart);
  balance::TargetState* const first = registry.obtain("pbx", at(1), kStart, false);
  balance::TargetState* const second = registry.obtain("pbx", at(2), kStart, false);
  registry.obtain("pbx", at(3), kStart, false);
  registry.begin_snapshot(kStart + 1min);  // 1 is out from now on
  registry.obtain("pbx", at(2), kStart + 1min, false);
  registry.obtain("pbx", at(3), kStart + 1min, false);
  registry.begin_snapshot(kStart + 2min);  // 2 too
  registry.obtain("pbx", at(3), kStart + 2min, false);
  EXPECT_EQ(registry.obtain("pbx", at(4), kStart + 2min, true), nullptr) << "not yet an hour";
  const Instant later = kStart + 3h;
  registry.begin_snapshot(later);
  registry.obtain("pbx", at(3), later, false);
  first->drain();
  balance::TargetState* const fourth = registry.obtain("pbx", at(4), later, true);
  EXPECT_EQ(fourth, first);
  EXPECT_FALSE(fourth->draining()) << "it is made anew";
  EXPECT_EQ(registry.obtain("pbx", at(5), later, true), second);
  EXPECT_EQ(registry.obtain("pbx", at(6), later, true), nullptr) << "all are named now";
  EXPECT_EQ(registry.size(), 3u);
}

TEST(TargetRegistry, AStateThatCountsSomethingIsNeverReused) {
  TargetRegistry registry(1);
  registry.begin_snapshot(kStart);
  balance::TargetState* const state = registry.obtain("pbx", at(1), kStart, false);
  state->transaction_began();
  for (int i = 1; i <= 3; ++i) registry.begin_snapshot(kStart + i * 1min);
  EXPECT_EQ(registry.obtain("pbx", at(2), kStart + 5h, true), nullptr);
  state->transaction_abandoned();
  EXPECT_EQ(registry.obtain("pbx", at(2), kStart + 5h, true), state);
}

}  // namespace
}  // namespace ringweir::control
