// RFC 3261 10.3, one rule a test.
#include "ringweir/location/registrations.h"

#include <gtest/gtest.h>

#include "unit/location/fixture.h"

namespace ringweir::location {
namespace {

using testing::kStart;
using testing::Request;
using testing::World;

constexpr char kA[] = "sip:a@192.0.2.1", kB[] = "sip:b@192.0.2.2", kC[] = "sip:c@192.0.2.3";

class RegistrationsTest : public ::testing::Test {
 protected:
  World world{{.shards = 3, .bindings_max = 100, .hash_key = {1, 2}, .buckets = 0}};
  Registrations& shard(std::size_t i) { return *world.shards[i]; }
};

TEST_F(RegistrationsTest, ABindingIsFoundAsItWasRegistered) {
  ASSERT_EQ(world.apply(1, {.contacts = {{kA, 3600, 700}}}), Outcome::done);
  const BindingSet* set = world.find();
  ASSERT_EQ(set, world.result);
  ASSERT_EQ(set->size(), 1u);
  EXPECT_EQ(set->aor(), "100@example.com");
  const BindingView view = set->view(0);
  EXPECT_EQ(view.contact, "<sip:a@192.0.2.1>");
  EXPECT_EQ(view.call_id, "call-1");
  EXPECT_EQ(view.cseq, 1u);
  EXPECT_EQ(view.q_thousandths, 700);
  EXPECT_EQ(view.socket, 3);
  EXPECT_EQ(view.owner, 1);
  EXPECT_EQ(to_string(view.source), "192.0.2.1:5060");
  EXPECT_EQ(view.registered_at, kStart);
  EXPECT_EQ(view.expires_at, kStart + 3600s);
  EXPECT_EQ(view.remaining_s(kStart + 1ms), 3600u);
  EXPECT_EQ(view.remaining_s(kStart + 3599s), 1u);
  EXPECT_EQ(view.remaining_s(kStart + 3600s), 0u);
  EXPECT_EQ(world.directory->user_agent(view.user_agent), "phone/1");
  EXPECT_EQ(world.directory->bindings(), 1u);
  EXPECT_EQ(world.directory->aors(), 1u);
}

TEST_F(RegistrationsTest, AQueryChangesNothing) {
  EXPECT_EQ(world.apply(0, {}), Outcome::done);
  EXPECT_EQ(world.result, nullptr);
  world.apply(0, {.contacts = {{kA}}});
  const BindingSet* set = world.result;
  EXPECT_EQ(world.apply(2, {.call_id = "other"}), Outcome::done);
  EXPECT_EQ(world.result, set);
}

TEST_F(RegistrationsTest, ARefreshKeepsTheSetAndTakesNoMemory) {
  world.apply(0, {.cseq = 1, .contacts = {{kA}, {kB}}});
  const BindingSet* set = world.result;
  const auto blocks = world.blocks();
  ASSERT_EQ(world.apply(0, {.cseq = 2, .contacts = {{kB, 1800}}, .now = kStart + 100s}), Outcome::done);
  EXPECT_EQ(world.result, set);
  EXPECT_EQ(world.find(), set);
  EXPECT_EQ(world.blocks(), blocks);
  EXPECT_EQ(set->view(0).cseq, 1u);
  EXPECT_EQ(set->view(1).cseq, 2u);
  EXPECT_EQ(set->view(1).expires_at, kStart + 1900s);
}

TEST_F(RegistrationsTest, ARefreshFromAnotherAddressIsReachedThere) {
  world.apply(0, {.cseq = 1, .contacts = {{kA}}});
  Request moved{.cseq = 2, .contacts = {{kA}}, .now = kStart + 10s};
  moved.source.port = 6000;
  ASSERT_EQ(world.apply(0, moved), Outcome::done);
  ASSERT_EQ(world.find()->size(), 1u);
  EXPECT_EQ(world.find()->view(0).source.port, 6000);
  EXPECT_EQ(world.find()->view(0).registered_at, kStart) << "the same registration";
}

TEST_F(RegistrationsTest, ACseqNotHigherFailsTheWholeRequest) {  // step 7
  world.apply(0, {.cseq = 5, .contacts = {{kA}}});
  EXPECT_EQ(world.apply(0, {.cseq = 5, .contacts = {{kB}, {kA}}}), Outcome::out_of_order);
  EXPECT_EQ(world.apply(0, {.cseq = 4, .contacts = {{kA, 0}, {kB}}}), Outcome::out_of_order);
  EXPECT_EQ(world.listed(), "<sip:a@192.0.2.1>");
  EXPECT_EQ(world.apply(0, {.cseq = 4, .contacts = {{kB}}}), Outcome::done)
      << "order is a binding's, not a call's";
}

TEST_F(RegistrationsTest, ExpiresZeroRemovesThatContact) {
  world.apply(0, {.cseq = 1, .contacts = {{kA}, {kB}}});
  EXPECT_EQ(world.apply(0, {.cseq = 2, .contacts = {{kA, 0}}}), Outcome::done);
  EXPECT_EQ(world.listed(), "<sip:b@192.0.2.2>");
  EXPECT_EQ(world.apply(0, {.cseq = 3, .contacts = {{kB, 0}, {kC, 0}}}), Outcome::done);
  EXPECT_EQ(world.result, nullptr);
  EXPECT_EQ(world.find(), nullptr);
  EXPECT_EQ(world.directory->aors(), 0u);
}

TEST_F(RegistrationsTest, StarRemovesEverythingOfEveryShard) {  // step 6
  world.apply(0, {.call_id = "x", .contacts = {{kA}}});
  world.apply(1, {.call_id = "y", .cseq = 9, .contacts = {{kB}}});
  EXPECT_EQ(world.apply(1, {.call_id = "y", .cseq = 9, .star = true}), Outcome::out_of_order);
  EXPECT_EQ(world.listed(), "<sip:a@192.0.2.1> <sip:b@192.0.2.2>");
  EXPECT_EQ(world.apply(1, {.call_id = "y", .cseq = 10, .star = true}), Outcome::done);
  EXPECT_EQ(world.result, nullptr);
  EXPECT_EQ(world.directory->bindings(), 0u);
  EXPECT_EQ(world.apply(2, {.call_id = "z", .star = true}), Outcome::done) << "nothing to remove is no error";
}

TEST_F(RegistrationsTest, ANewCallIdTakesTheContactOverWithoutATwin) {
  world.apply(0, {.call_id = "before", .cseq = 900, .contacts = {{"sip:a@Example.COM;transport=udp"}}});
  ASSERT_EQ(
      world.apply(2, {.call_id = "after", .cseq = 1, .contacts = {{"sip:%61@example.com;transport=UDP"}}}),
      Outcome::done);
  ASSERT_EQ(world.find()->size(), 1u);
  EXPECT_EQ(world.find()->view(0).owner, 2);
  EXPECT_EQ(world.find()->view(0).call_id, "after");
  EXPECT_EQ(shard(0).live(), 1u) << "its timer is still armed there";
  world.turn_all();
  EXPECT_EQ(shard(0).live(), 0u);
  EXPECT_EQ(shard(0).taken_over(), 1u);
  EXPECT_EQ(world.apply(0, {.call_id = "before", .cseq = 901, .contacts = {{kB}}}), Outcome::done);
  EXPECT_EQ(world.find()->size(), 2u);
}

TEST_F(RegistrationsTest, AContactNamedTwiceCountsOnceAndTheLastWins) {
  ASSERT_EQ(world.apply(0, {.contacts = {{kA, 100}, {"sip:a@192.0.2.1", 200}, {kB, 50}}, .contacts_max = 2}),
            Outcome::done);
  ASSERT_EQ(world.find()->size(), 2u);
  EXPECT_EQ(world.find()->view(0).expires_at, kStart + 200s);
  ASSERT_EQ(world.apply(0, {.cseq = 2, .contacts = {{kA, 100}, {kA, 0}}}), Outcome::done);
  EXPECT_EQ(world.listed(), "<sip:b@192.0.2.2>");
}

TEST_F(RegistrationsTest, TheContactLimitHoldsForTheWholeSet) {
  world.apply(0, {.call_id = "x", .contacts = {{kA}}, .contacts_max = 2});
  EXPECT_EQ(world.apply(1, {.call_id = "y", .contacts = {{kB}, {kC}}, .contacts_max = 2}),
            Outcome::too_many_contacts);
  EXPECT_EQ(world.listed(), "<sip:a@192.0.2.1>");
  EXPECT_EQ(world.apply(1, {.call_id = "y", .contacts = {{kB}, {kA, 0}, {kC}}, .contacts_max = 2}),
            Outcome::done);
  EXPECT_EQ(world.listed(), "<sip:b@192.0.2.2> <sip:c@192.0.2.3>");
  Request kept{.call_id = "w", .contacts = {{kB}}, .contacts_max = 1};
  EXPECT_EQ(world.apply(0, kept), Outcome::done) << "who is there stays when the limit was lowered";
  EXPECT_EQ(world.apply(0, {.cseq = 2, .contacts = {{kA}}, .contacts_max = 0}), Outcome::too_many_contacts);
}

TEST_F(RegistrationsTest, AnExpiredBindingIsNeitherSeenNorCountedNorOrdered) {
  world.apply(0, {.cseq = 7, .contacts = {{kA, 60}}, .contacts_max = 1});
  const Instant later = kStart + 60s;
  EXPECT_EQ(world.find()->alive(later - 1ms), 1u);
  EXPECT_EQ(world.find()->alive(later), 0u);
  EXPECT_EQ(world.apply(1, {.call_id = "y", .contacts = {{kB}}, .now = later, .contacts_max = 1}),
            Outcome::done);
  EXPECT_EQ(world.listed(later), "<sip:b@192.0.2.2>");
  EXPECT_EQ(world.apply(0, {.cseq = 1, .contacts = {{kA}}, .now = later, .contacts_max = 2}), Outcome::done);
  EXPECT_EQ(world.listed(later), "<sip:a@192.0.2.1> <sip:b@192.0.2.2>");
}

TEST_F(RegistrationsTest, ExpiryFollowsTheRefresh) {
  world.apply(0, {.cseq = 1, .contacts = {{kA, 60}, {kB, 30}}});
  EXPECT_LE(shard(0).next_expiry(), kStart + 30s);
  world.apply(0, {.cseq = 2, .contacts = {{kA, 60}}, .now = kStart + 50s});
  EXPECT_TRUE(shard(0).expire(kStart + 60s, 100));
  EXPECT_EQ(world.find()->size(), 1u);
  EXPECT_EQ(shard(0).live(), 1u);
  world.apply(0, {.cseq = 3, .contacts = {{kA, 5}}, .now = kStart + 60s});
  EXPECT_LE(shard(0).next_expiry(), kStart + 65s) << "a shorter lease ends sooner";
  EXPECT_TRUE(shard(0).expire(kStart + 65s, 100));
  EXPECT_EQ(world.find(), nullptr);
  EXPECT_EQ(shard(0).next_expiry(), Instant::max());
}

TEST_F(RegistrationsTest, ExpiryIsDoneInSlices) {
  for (int i = 0; i < 10; ++i) {
    world.apply(0, {.aor = std::to_string(i) + "@example.com", .contacts = {{kA, 60}}});
  }
  EXPECT_FALSE(shard(0).expire(kStart + 61s, 4));
  EXPECT_EQ(world.directory->bindings(), 6u);
  EXPECT_TRUE(shard(0).expire(kStart + 61s, 6));
  EXPECT_EQ(world.directory->bindings(), 0u);
}

TEST_F(RegistrationsTest, TextsOverTheirLimitAreRefused) {
  const std::string longest(255, 'x');
  EXPECT_EQ(
      world.apply(0, {.aor = longest, .call_id = longest, .contacts = {{"sip:" + std::string(1'017, 'u')}}}),
      Outcome::done);
  EXPECT_EQ(world.find(longest)->view(0).call_id, longest);
  EXPECT_EQ(world.apply(0, {.aor = longest + "x", .contacts = {{kA}}}), Outcome::too_long);
  EXPECT_EQ(world.apply(0, {.call_id = longest + "x", .contacts = {{kA}}}), Outcome::too_long);
  EXPECT_EQ(world.apply(0, {.contacts = {{"sip:" + std::string(1'018, 'u')}}}), Outcome::too_long);
}

TEST(RegistrationsMemory, BindingsMaxIsAnOutcome) {
  World world({.shards = 1, .bindings_max = 2, .hash_key = {}, .buckets = 0});
  EXPECT_EQ(world.apply(0, {.contacts = {{kA}, {kB}}}), Outcome::done);
  EXPECT_EQ(world.apply(0, {.aor = "other", .contacts = {{kC}}}), Outcome::no_memory);
  EXPECT_EQ(world.apply(0, {.cseq = 2, .contacts = {{kC}, {kA, 0}}}), Outcome::done) << "one for one";
}

TEST(RegistrationsMemory, AnExhaustedRegionFailsTheRequestWholeAndRecovers) {
  World world({.shards = 1, .bindings_max = 10'000, .hash_key = {}, .buckets = 0},
              10'000 * 16 + 4096 + 6 * 4096);
  int registered = 0;
  const auto one = [&](int i, std::uint32_t cseq, std::uint32_t expires_s) {
    return world.apply(0, {.aor = std::to_string(i), .cseq = cseq, .contacts = {{kA, expires_s}}});
  };
  while (one(registered, 1, 60) == Outcome::done) ++registered;
  EXPECT_GT(registered, 20);
  const auto blocks = world.blocks();
  EXPECT_EQ(blocks, 2 * registered) << "a failure takes nothing";
  EXPECT_EQ(world.directory->bindings(), static_cast<std::uint64_t>(registered));
  EXPECT_EQ(one(0, 2, 60), Outcome::done) << "a refresh needs none";
  EXPECT_EQ(one(1, 2, 0), Outcome::done);
  world.turn_all(2);
  EXPECT_EQ(one(registered, 1, 60), Outcome::done);
  world.expire_all(kStart + 61s);
  world.turn_all(2);
  EXPECT_EQ(world.blocks(), 0);
}

TEST(RegistrationsMemory, ExpiryOfOneOfSeveralWaitsForMemoryUnseen) {
  World world({.shards = 1, .bindings_max = 10'000, .hash_key = {}, .buckets = 0},
              10'000 * 16 + 4096 + 5 * 4096);
  ASSERT_EQ(world.apply(0, {.contacts = {{kA, 60}, {kB, 600}}}), Outcome::done);
  int others = 0;
  while (world.apply(0, {.aor = "100@example." + std::to_string(others), .contacts = {{kA}}}) ==
         Outcome::done)
    ++others;
  EXPECT_TRUE(world.shards[0]->expire(kStart + 60s, 100));
  EXPECT_EQ(world.listed(kStart + 60s), "<sip:b@192.0.2.2>");
  if (world.find()->size() == 2) {  // it could not be removed yet: it is tried again
    world.apply(0, {.aor = "100@example.0", .cseq = 2, .star = true});
    world.turn_all(2);
    EXPECT_TRUE(world.shards[0]->expire(kStart + 62s, 100));
  }
  EXPECT_EQ(world.find()->size(), 1u);
}

}  // namespace
}  // namespace ringweir::location
