// The round robins under targets that come and go: no target gets a turn more or less than its weight says,
// and several threads lose no turn.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <thread>

#include "unit/balance/farm.h"

namespace ringweir::balance {
namespace {

using testing::Farm;

RC_GTEST_PROP(Turns, at_every_moment_each_target_has_had_its_share_to_within_two_turns, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(1, 12);
  std::vector<testing::Member> shape(n);
  double sum = 0;
  for (auto& member : shape) sum += member.weight = *rc::gen::inRange<std::uint32_t>(1, 100);
  Farm farm(Algorithm::weighted, shape);
  std::vector<double> had(n);
  for (int turn = 1; turn <= 3000; ++turn) {
    ++had[static_cast<std::size_t>(farm.pick())];
    for (std::size_t i = 0; i < n; ++i) RC_ASSERT(std::abs(had[i] - turn * shape[i].weight / sum) <= 2);
  }
}

RC_GTEST_PROP(Turns, after_any_changes_the_usable_targets_share_by_weight, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(2, 12);
  std::vector<testing::Member> shape(n);
  for (auto& member : shape) member.weight = *rc::gen::inRange<std::uint32_t>(1, 20);
  const auto algorithm = *rc::gen::element(Algorithm::weighted, Algorithm::round_robin);
  Farm farm(algorithm, shape);
  for (int phase = 0; phase < 6; ++phase) {
    for (std::size_t i = 0; i < n; ++i) {
      if (*rc::gen::arbitrary<bool>()) {
        farm.state(i).drain();
      } else {
        farm.state(i).undrain(farm.now);
      }
    }
    double sum = 0;
    std::size_t usable = 0;
    const auto weight = [&](std::size_t i) {
      if (farm.state(i).draining()) return 0.0;
      return algorithm == Algorithm::weighted ? shape[i].weight : 1.0;
    };
    for (std::size_t i = 0; i < n; ++i) {
      sum += weight(i);
      usable += !farm.state(i).draining();
    }
    std::vector<double> had(n);
    if (usable == 0) {
      RC_ASSERT(farm.pick() == -1);
      continue;
    }
    for (int turn = 0; turn < 500; ++turn) ++had[static_cast<std::size_t>(farm.pick())];
    for (std::size_t i = 0; i < n; ++i) RC_ASSERT(std::abs(had[i] - 500 * weight(i) / sum) <= 3);
  }
}

TEST(Turns, threads_share_them_by_weight) {
  Farm farm(Algorithm::weighted, {{1}, {2}, {5}});
  constexpr int kThreads = 4, kTurns = 20'000;
  std::array<std::atomic<int>, 3> had{};
  {
    std::vector<std::jthread> shards;
    for (int s = 0; s < kThreads; ++s) {
      shards.emplace_back([&, s] {
        Random random(static_cast<std::uint64_t>(s));
        for (int i = 0; i < kTurns; ++i) ++had[choose(*farm.upstream, {}, {}, farm.now, random)->target];
      });
    }
  }
  constexpr double kAll = kThreads * kTurns;
  EXPECT_NEAR(had[0] / kAll, 1.0 / 8, 0.02);
  EXPECT_NEAR(had[1] / kAll, 2.0 / 8, 0.02);
  EXPECT_NEAR(had[2] / kAll, 5.0 / 8, 0.02);
}

}  // namespace
}  // namespace ringweir::balance
