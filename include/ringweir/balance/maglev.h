// Maglev: a table that maps a hash to a target (Eisenbud et al., NSDI 2016, 3.4). When a target leaves, its
// keys move and few others do; each has a share of the slots that follows its weight to within one slot a
// turn.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ringweir/base/hash.h"
#include "ringweir/base/limits.h"

namespace ringweir::balance {

class Maglev {
 public:
  struct Member {
    std::uint64_t identity;  // of the endpoint; equal on every edge that has the same configuration
    std::uint32_t weight;    // at least 1
  };
  Maglev() noexcept = default;
  // At least one member, at most kTargetsPerUpstreamMax. Cold: some milliseconds. The order of the members
  // does not matter to the result beyond their indexes.
  explicit Maglev(std::span<const Member> members);

  // Index of a member. Any 64-bit hash that is well mixed in its high bits.
  std::uint8_t at(std::uint64_t hash) const noexcept { return slots_[slot(hash)]; }
  static std::uint32_t slot(std::uint64_t hash) noexcept { return reduce(hash, limits::kMaglevSlots); }
  std::span<const std::uint8_t> slots() const noexcept { return slots_; }

 private:
  std::vector<std::uint8_t> slots_;
};

// The hash of the n-th look for a key whose earlier targets may not be used. Each target's keys spread over
// all others, since the next look is independent of the last.
constexpr std::uint64_t rehash(std::uint64_t hash, std::uint32_t n) noexcept {
  std::uint64_t z = hash + n * 0x9e3779b97f4a7c15ull;  // SplitMix64
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

}  // namespace ringweir::balance
