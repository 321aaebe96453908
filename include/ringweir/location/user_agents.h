// User-Agent texts, each kept once: a fleet of a million phones has a few hundred. Never given back, bounded.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "ringweir/location/block_pool.h"

namespace ringweir::location {

class UserAgents {
 public:
  static constexpr std::size_t kTextsMax = 1'024;
  static constexpr std::size_t kTextBytesMax = 63;  // longer ones are cut
  // 0, "unknown", for an empty text, or when there is no place or no memory for another one. Any shard,
  // wait-free.
  std::uint16_t intern(std::string_view text, std::uint64_t hash, BlockPool& pool) noexcept;
  std::string_view text(std::uint16_t id) const noexcept;
  std::uint32_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kProbes = 16;
  struct Text {
    std::uint8_t size;
    char bytes[kTextBytesMax];
  };
  std::array<std::atomic<const Text*>, kTextsMax> texts_{};
  std::atomic<std::uint32_t> size_{0};
};

}  // namespace ringweir::location
