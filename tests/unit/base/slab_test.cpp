#include "ringweir/base/slab.h"

#include <gtest/gtest.h>

#include <cstdio>
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

TEST(Slab, CarvesABlockOnlyWhenNoneIsFreeAndReusesTheLatestGiven) {
  Slab<std::uint64_t> slab(1'000'000);
  EXPECT_EQ(slab.carved(), 0u);
  std::uint64_t* one = slab.take(1u);
  std::uint64_t* two = slab.take(2u);
  EXPECT_EQ(slab.carved(), 2u);
  slab.give(one);
  slab.give(two);
  EXPECT_EQ(slab.take(3u), two);
  EXPECT_EQ(slab.take(4u), one);
  EXPECT_EQ(slab.carved(), 2u);
}

// Blocks that were never taken are not resident: 64 MiB of them cost less than one.
TEST(Slab, TouchesNothingBeforeItIsTaken) {
  struct Page {
    char bytes[4096];
  };
  const auto resident_pages = [] {
    long size = 0, resident = 0;
    std::FILE* file = std::fopen("/proc/self/statm", "r");
    EXPECT_EQ(std::fscanf(file, "%ld %ld", &size, &resident), 2);
    std::fclose(file);
    return resident;
  };
  const long before = resident_pages();
  Slab<Page> slab(16'384);
  slab.give(slab.take());
  EXPECT_LT(resident_pages() - before, 256);
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
