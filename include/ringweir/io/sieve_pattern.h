// Which datagrams a sieve is about (io/sieve.h).
#pragma once
#include <cstddef>
#include <span>
#include <string_view>

namespace ringweir::io {

struct SievePattern {
  static constexpr std::size_t kBeginsMax = 16, kHostsMax = 8, kHostBytesMax = 64;
  // Behind the beginning, where the '@' is looked for.
  static constexpr std::size_t kWindow = 64;
  std::string_view begins;                  // in these letters
  std::span<const std::string_view> hosts;  // lower case; more, and longer ones, are left out. Compared in any case
};

}  // namespace ringweir::io
