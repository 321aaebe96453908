#include "ringweir/base/slab.h"

#include <gtest/gtest.h>

#include <set>

namespace ringweir {
namespace {

struct Counted {
  explicit Counted(int& alive) : count(alive) { ++count; }
  ~Counted() { --count; }
  int& count;
};

TEST(Slab, GivesDistinctBlocksUntilItIsEmptyThenNull) {
  Slab<std::uint64_t> slab(3);
  std::set<std::uint64_t*> blocks;
  for (std::uint64_t i = 0; i < 3; ++i) blocks.insert(slab.take(i));
  EXPECT_EQ(blocks.size(), 3u);
  EXPECT_FALSE(blocks.contains(nullptr));
  EXPECT_EQ(slab.take(9u), nullptr);
  EXPECT_EQ(slab.taken(), 3u);
  slab.give(*blocks.begin());
  EXPECT_EQ(slab.take(4u), *blocks.begin());
  for (auto* block : blocks) slab.give(block);
  EXPECT_EQ(slab.taken(), 0u);
  EXPECT_EQ(slab.capacity(), 3u);
}

TEST(Slab, BuildsAndDestroysWhatItHolds) {
  int alive = 0;
  Slab<Counted> slab(2);
  Counted* one = slab.take(alive);
  EXPECT_EQ(alive, 1);
  slab.give(one);
  EXPECT_EQ(alive, 0);
}

TEST(Slab, KeepsAnAlignmentAboveACacheLine) {
  struct alignas(128) Wide {
    char bytes[128];
  };
  Slab<Wide> slab(4);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(reinterpret_cast<std::uintptr_t>(slab.take()) % 128, 0u);
}

TEST(SlabDeathTest, RefusesAStrangersBlock) {
  Slab<std::uint64_t> slab(1), other(1);
  std::uint64_t* stranger = other.take(1u);
  EXPECT_DEATH(slab.give(stranger), "block of another slab");
}

}  // namespace
}  // namespace ringweir
