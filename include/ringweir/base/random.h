// A small deterministic generator (xoshiro256**) seeded by whoever owns it. The only source of randomness below io.
#pragma once
#include <cstdint>

namespace ringweir {

class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept;
  std::uint64_t next() noexcept;
  std::uint32_t below(std::uint32_t n) noexcept;       // [0, n), n > 0
  bool chance(std::uint32_t per_million) noexcept { return below(1'000'000) < per_million; }

 private:
  std::uint64_t state_[4];
};

}  // namespace ringweir
