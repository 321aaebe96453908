// Keyed hashes. SipHash signs what leaves the process and may come back (nonces, routes, flow tokens);
// KeyedHash places things (Call-ID to shard, AOR to bucket) under a per-process secret.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace ringweir {

using Key128 = std::array<std::uint64_t, 2>;

struct Hash128 {
  std::uint64_t low, high;
};

// SipHash-2-4 with a 128-bit result (Aumasson and Bernstein, 2012). A MAC for short inputs.
// A nonce is minted or checked in about 35 ns with it (bench/auth_bench).
Hash128 siphash128(const Key128& key, std::string_view bytes) noexcept;

// XXH3 under a secret drawn at start; not a MAC, only unpredictable placement.
class KeyedHash {
 public:
  explicit KeyedHash(const Key128& key) noexcept;
  std::uint64_t operator()(std::string_view bytes) const noexcept;
  // Lower-cases A-Z while hashing is not done here: callers pass canonical text.

 private:
  alignas(64) std::array<std::uint8_t, 192> secret_;
};

// Maps a 64-bit hash onto [0, n) without division.
constexpr std::uint32_t reduce(std::uint64_t hash, std::uint32_t n) noexcept {
  return static_cast<std::uint32_t>((static_cast<unsigned __int128>(hash) * n) >> 64);
}

}  // namespace ringweir
