// The reference vectors of SipHash-2-4-128 (Aumasson and Bernstein): key 00..0f, input 00..n-1.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>

#include "ringweir/base/hash.h"

namespace ringweir {
namespace {

constexpr Key128 kReferenceKey{0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};

std::string counting(std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(i));
  return bytes;
}

std::string hex(const Hash128& hash) {
  std::string text;
  for (const std::uint64_t word : {hash.low, hash.high}) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
      const unsigned octet = (word >> shift) & 0xff;
      text.push_back("0123456789abcdef"[octet >> 4]);
      text.push_back("0123456789abcdef"[octet & 15]);
    }
  }
  return text;
}

TEST(SipHash, GivesThePublishedTags) {
  struct Vector {
    std::size_t size;
    const char* tag;
  };
  for (const auto& [size, tag] : std::array<Vector, 10>{{{0, "a3817f04ba25a8e66df67214c7550293"},
                                                         {1, "da87c1d86b99af44347659119b22fc45"},
                                                         {2, "8177228da4a45dc7fca38bdef60affe4"},
                                                         {3, "9c70b60c5267a94e5f33b6b02985ed51"},
                                                         {4, "f88164c12d9c8faf7d0f6e7c7bcd5579"},
                                                         {5, "1368875980776f8854527a07690e9627"},
                                                         {6, "14eeca338b208613485ea0308fd7a15e"},
                                                         {7, "a1f1ebbed8dbc153c0b84aa61ff08239"},
                                                         {8, "3b62a9ba6258f5610f83e264f31497b4"},
                                                         {15, "5493e99933b0a8117e08ec0f97cfc3d9"}}}) {
    const std::string_view wanted(tag);
    EXPECT_EQ(hex(siphash128(kReferenceKey, counting(size))), wanted) << size;
  }
}

TEST(SipHash, EveryKeyBitMatters) {
  const Hash128 base = siphash128(kReferenceKey, "REGISTER");
  for (unsigned bit = 0; bit < 128; ++bit) {
    Key128 key = kReferenceKey;
    key[bit / 64] ^= std::uint64_t{1} << (bit % 64);
    EXPECT_NE(siphash128(key, "REGISTER").low, base.low) << bit;
  }
}

TEST(KeyedHash, DependsOnTheKeyAndOnNothingElse) {
  const KeyedHash one({1, 2}), again({1, 2}), other({1, 3});
  for (const std::size_t size : {0u, 1u, 16u, 40u, 255u, 1000u}) {
    const std::string text = counting(size);
    EXPECT_EQ(one(text), again(text));
    EXPECT_NE(one(text), other(text)) << size;
  }
}

TEST(KeyedHash, SpreadsNeighboursOverShards) {
  const KeyedHash hash({7, 9});
  std::array<int, 8> shards{};
  for (int i = 0; i < 80'000; ++i) ++shards[reduce(hash("call-" + std::to_string(i)), 8)];
  for (const int n : shards) {
    EXPECT_GT(n, 9'500);
    EXPECT_LT(n, 10'500);
  }
}

TEST(Reduce, CoversTheRangeAndStaysInIt) {
  EXPECT_EQ(reduce(0, 5), 0u);
  EXPECT_EQ(reduce(~std::uint64_t{0}, 5), 4u);
  EXPECT_EQ(reduce(~std::uint64_t{0}, 1), 0u);
}

}  // namespace
}  // namespace ringweir
