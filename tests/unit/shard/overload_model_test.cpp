// What admission makes of load beyond capacity, in the model of overload_model.h: a refusal by 503 with its
// ACK costs an eighth of a call, a refused REGISTER two fifths of a registration.
#include <gtest/gtest.h>

#include "unit/shard/overload_model.h"

namespace ringweir::shard::model {
namespace {

double goodput(World& world, std::size_t from, std::size_t to) {
  return world.mean(&World::Second::calls_done, from, to) / world.capacity_calls();
}

TEST(OverloadModel, BelowCapacityNothingIsShed) {
  World world({.seed = 1});
  world.offer_calls(0.9 * world.capacity_calls(), 0s, 5s);
  world.offer_calls(0.6 * world.capacity_calls(), 5s, 10s);
  world.stall(9s, 40ms);
  world.run(13s);
  EXPECT_GT(world.wait_max(9, 10), 39ms);
  EXPECT_EQ(world.mean(&World::Second::refused, 0, 13), 0.0);
  EXPECT_EQ(world.mean(&World::Second::ignored, 0, 13), 0.0);
  EXPECT_EQ(world.mean(&World::Second::sieved, 0, 13), 0.0);
}

TEST(OverloadModel, AtThreeTimesTheCapacityNineTenthsOfItCompleteAndNobodyWaitsLong) {
  for (const std::uint64_t seed : {1u}) {
    World world({.seed = seed});
    world.offer_calls(3 * world.capacity_calls(), 0s, 30s);
    world.run(30s);
    EXPECT_GE(goodput(world, 3, 30), 0.9) << seed;
    EXPECT_LT(world.wait_max(0, 30), 100ms) << seed;
    EXPECT_EQ(world.lost_under_way, 0u) << seed;
    EXPECT_GT(world.mean(&World::Second::refused, 0, 30), 0.0) << "callers are told";
  }
}

TEST(OverloadModel, AKernelQueueOfAFewHundredMessagesServesTheSame) {
  World world({.seed = 4, .queue_max = 330});
  world.offer_calls(3 * world.capacity_calls(), 0s, 15s);
  world.run(15s);
  EXPECT_GE(goodput(world, 3, 15), 0.9);
  EXPECT_LT(world.wait_max(0, 15), 100ms);
}

// Without the kernel's help the excess is refused by 503, and that is what it costs: (1 - 3r) / (1 - r) for r
// = 0.12.
TEST(OverloadModel, WithoutTheSieveRefusingCostsWhatItMust) {
  Options options{.seed = 5};
  options.policy.sieve = false;
  World world(options);
  world.offer_calls(3 * world.capacity_calls(), 0s, 15s);
  world.run(15s);
  EXPECT_NEAR(goodput(world, 5, 15), (1 - 3 * 0.12) / (1 - 0.12), 0.03);
  EXPECT_LT(world.wait_max(0, 15), 100ms);
}

TEST(OverloadModel, WhenTheLoadGoesSoDoesTheShedding) {
  World world({.seed = 6});
  world.offer_calls(3 * world.capacity_calls(), 0s, 5s);
  world.offer_calls(0.5 * world.capacity_calls(), 5s, 45s);
  world.run(45s);
  // Callers who were sieved repeat for up to 32 s.
  EXPECT_EQ(world.mean(&World::Second::refused, 40, 45), 0.0);
  EXPECT_EQ(world.mean(&World::Second::sieved, 40, 45), 0.0);
  EXPECT_NEAR(goodput(world, 40, 45), 0.5, 0.03);
}

// 100,000 phones within two seconds of a power cut's end, where the shard could register them in ten and
// refuse them in four.
TEST(OverloadModel, AStormOfRegistrationsIsAdmittedByAppointment) {
  for (const std::uint64_t seed : {1u, 2u}) {
    World world({.seed = seed});
    world.offer_phones(100'000, 1s, 2s);
    world.run(120s);
    EXPECT_EQ(world.registered(), 100'000u) << seed;
    const double by_then = 35 * world.mean(&World::Second::registered, 0, 35);
    EXPECT_GE(by_then, 95'000) << seed;
    EXPECT_LT(world.last_registered, 75s) << "who was left in silence for all of Timer F tried again";
    EXPECT_LT(static_cast<double>(world.registration_attempts()) / 100'000, 2.5) << seed;
    EXPECT_LT(world.wait_max(0, 120), 100ms) << seed;
  }
}

TEST(OverloadModel, CallsUnderWaySurviveAStormOfRegistrations) {
  World quiet({.seed = 7}), stormy({.seed = 7});
  for (World* world : {&quiet, &stormy}) world->offer_calls(0.4 * world->capacity_calls(), 0s, 5s);
  stormy.offer_phones(100'000, 5s, 2s);
  quiet.run(20s);
  stormy.run(20s);
  EXPECT_EQ(stormy.lost_under_way, 0u);
  EXPECT_LT(stormy.wait_max(0, 20), 100ms);
  // The kernel's queue is full for moments, so that some messages are repeated; the calls end all the same.
  EXPECT_GE(stormy.mean(&World::Second::calls_done, 0, 10),
            0.99 * quiet.mean(&World::Second::calls_done, 0, 10));
}

TEST(OverloadModel, TheSameSeedIsTheSameRun) {
  double done[2];
  for (double& each : done) {
    World world({.seed = 9});
    world.offer_calls(3 * world.capacity_calls(), 0s, 5s);
    world.run(5s);
    each = world.mean(&World::Second::calls_done, 0, 5) +
           1e6 * static_cast<double>(world.wait_max(0, 5).count());
  }
  EXPECT_EQ(done[0], done[1]);
}

}  // namespace
}  // namespace ringweir::shard::model
