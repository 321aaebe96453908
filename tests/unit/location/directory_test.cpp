#include "ringweir/location/directory.h"

#include <gtest/gtest.h>

#include <map>

#include "unit/location/fixture.h"

namespace ringweir::location {
namespace {

using testing::kStart;
using testing::World;

TEST(Directory, VisitsEveryAorOnceInSlices) {
  World world({.shards = 2, .bindings_max = 64, .hash_key = {3, 4}, .buckets = 64});
  for (int i = 0; i < 60; ++i) {
    ASSERT_EQ(world.apply(i % 2, {.aor = std::to_string(i), .contacts = {{"sip:a@192.0.2.1"}}}),
              Outcome::done);
  }
  Participant control(world.directory->grace());
  std::map<std::string, int> seen;
  std::uint32_t cursor = 0;
  int slices = 1;
  while (world.directory->for_each(
      control, cursor, [&](const BindingSet& set) { ++seen[std::string(set.aor())]; }, 10)) {
    ++slices;
    const auto before = "before" + std::to_string(slices);  // chains change between slices
    world.apply(0, {.aor = before, .contacts = {{"sip:a@192.0.2.1"}}});
    world.apply(0, {.aor = before, .cseq = 2, .star = true});
    world.turn_all();
  }
  EXPECT_EQ(slices, 7);
  EXPECT_EQ(seen.size(), 60u);
  for (const auto& [aor, times] : seen) EXPECT_EQ(times, 1) << aor;
}

TEST(Directory, ChainsHoldManyAorsAndLetAnyGo) {
  World world({.shards = 1, .bindings_max = 16, .hash_key = {5, 6}, .buckets = 3});
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 16; ++i) {
      ASSERT_EQ(world.apply(0, {.aor = std::to_string(i), .contacts = {{"sip:a@192.0.2.1"}}}), Outcome::done);
    }
    for (int i = 0; i < 16; ++i) {
      const int gone = (i * 7 + round) % 16;
      ASSERT_EQ(world.apply(0, {.aor = std::to_string(gone), .cseq = 2, .star = true}), Outcome::done);
      EXPECT_EQ(world.find(std::to_string(gone)), nullptr);
      EXPECT_EQ(world.directory->aors(), 15u - i);
    }
    world.turn_all(2);
  }
  EXPECT_EQ(world.blocks(), 0);
}

TEST(Grace, WhatAReaderHoldsOutlivesItsRemoval) {
  World world({.shards = 2, .bindings_max = 16, .hash_key = {}, .buckets = 0});
  world.apply(0, {.contacts = {{"sip:a@192.0.2.1"}}});
  Participant reader(world.directory->grace());
  const BindingSet* held = world.find();
  world.apply(1, {.call_id = "y", .star = true});
  world.turn_all(10);
  EXPECT_EQ(world.blocks(), 2);
  EXPECT_TRUE(world.shards[1]->unsettled());
  EXPECT_EQ(World::listed(held), "<sip:a@192.0.2.1>");
  reader.quiescent();
  world.turn_all(2);
  EXPECT_EQ(world.blocks(), 0);
  EXPECT_FALSE(world.shards[1]->unsettled());
}

TEST(Grace, ASleeperHoldsNobodyUp) {
  World world({.shards = 1, .bindings_max = 16, .hash_key = {}, .buckets = 0});
  Participant sleeper(world.directory->grace());
  sleeper.offline();
  world.apply(0, {.contacts = {{"sip:a@192.0.2.1"}}});
  world.apply(0, {.cseq = 2, .star = true});
  world.turn_all(2);
  EXPECT_EQ(world.blocks(), 0);
  sleeper.online();
  world.apply(0, {.contacts = {{"sip:a@192.0.2.1"}}});
  world.apply(0, {.cseq = 2, .star = true});
  world.turn_all(5);
  EXPECT_EQ(world.blocks(), 2) << "awake again, it may hold what it found";
}

TEST(UserAgents, AreKeptOnceCutAndBounded) {
  World world({.shards = 1, .bindings_max = 16, .hash_key = {}, .buckets = 0});
  testing::Region region(1 << 20);
  BlockStore store(region.span());
  BlockPool pool(store);
  auto agents = std::make_unique<UserAgents>();
  const auto one = agents->intern("phone/1", 7, pool);
  EXPECT_EQ(agents->intern("phone/1", 7, pool), one);
  EXPECT_NE(agents->intern("phone/2", 7, pool), one);
  EXPECT_EQ(agents->text(agents->intern(std::string(80, 'p'), 9, pool)), std::string(63, 'p'));
  EXPECT_EQ(agents->intern("", 7, pool), 0);
  EXPECT_EQ(agents->text(0), "");
  for (int i = 0; i < 5000; ++i)
    agents->intern("junk" + std::to_string(i), static_cast<std::uint64_t>(i), pool);
  EXPECT_LE(agents->size(), UserAgents::kTextsMax);
  EXPECT_EQ(agents->intern("too late", 7, pool), 0);
  EXPECT_EQ(agents->text(one), "phone/1");
  EXPECT_EQ(pool.balance(), agents->size());
}

TEST(BlockPool, BlocksMoveBetweenThreadsPoolsWithoutNewMemory) {
  testing::Region region(1 << 20);
  auto store = std::make_unique<BlockStore>(region.span());
  auto one = std::make_unique<BlockPool>(*store), other = std::make_unique<BlockPool>(*store);
  std::size_t used = 0;
  for (int round = 0; round < 50; ++round) {  // one takes, the other gives: the depot brings them back
    std::vector<void*> blocks;
    for (int i = 0; i < 1000; ++i) blocks.push_back(one->take(64));
    for (void* block : blocks) other->give(block, 64);
    if (round == 3) used = store->bytes_used();
  }
  EXPECT_EQ(store->bytes_used(), used);
  EXPECT_EQ(one->balance() + other->balance(), 0);
}

TEST(BlockPool, IsNullWhenTheRegionIsUsedUp) {
  testing::Region region(8192);
  auto store = std::make_unique<BlockStore>(region.span());
  auto pool = std::make_unique<BlockPool>(*store);
  std::vector<void*> blocks;
  while (void* block = pool->take(64)) blocks.push_back(block);
  EXPECT_EQ(blocks.size(), 128u);
  for (void* block : blocks) EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 64, 0u);
  EXPECT_EQ(pool->take(1'408), nullptr);
  pool->give(blocks.back(), 64);
  EXPECT_EQ(pool->take(50), blocks.back());
}

}  // namespace
}  // namespace ringweir::location
