#include "ringweir/auth/algorithm.h"

#include <bit>
#include <cstring>

#include "auth/letter_case.h"

namespace ringweir::auth {
namespace {

constexpr std::array<std::string_view, kAlgorithms> kNames{"MD5",          "MD5-sess",    "SHA-256",
                                                           "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"};

// PERF: hex at both ends of every response. Four octets at a time in one word: 56 instructions for an MD5
// instead of 400.
std::uint64_t hex_of_four(const std::uint8_t* octets) noexcept {
  std::uint64_t x = octets[0] | std::uint64_t{octets[1]} << 16 | std::uint64_t{octets[2]} << 32 |
                    std::uint64_t{octets[3]} << 48;
  x = (x >> 4 & 0x000f000f000f000f) | (x & 0x000f000f000f000f) << 8;  // high digit first
  const std::uint64_t letters = (x + 0x0606060606060606) >> 4 & 0x0101010101010101;
  return x + 0x3030303030303030 + letters * ('a' - '0' - 10);
}

constexpr std::uint8_t kNoHexDigit = 0xff;
constexpr std::array<std::uint8_t, 256> kHexValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoHexDigit);
  for (std::uint8_t i = 0; i < 16; ++i) {
    values[static_cast<std::size_t>("0123456789abcdef"[i])] = i;
    values[static_cast<std::size_t>("0123456789ABCDEF"[i])] = i;
  }
  return values;
}();

}  // namespace

std::string_view to_string(Algorithm algorithm) noexcept {
  return kNames[static_cast<std::size_t>(algorithm)];
}
std::string_view to_string(HashKind kind) noexcept {
  return kNames[2 * static_cast<std::size_t>(kind)];
}

std::optional<Algorithm> parse_algorithm(std::string_view text) noexcept {
  if (text.empty()) return Algorithm::md5;
  for (std::size_t i = 0; i < kAlgorithms; ++i) {
    if (equal_any_case(text, kNames[i])) return static_cast<Algorithm>(i);
  }
  return std::nullopt;
}

std::size_t to_hex(const Digest& digest, char* out) noexcept {
  static_assert(std::endian::native == std::endian::little, "the first digit is the word's lowest octet");
  for (std::size_t i = 0; i < digest.size; i += 4) {
    const std::uint64_t eight = hex_of_four(digest.octets.data() + i);
    std::memcpy(out + 2 * i, &eight, 8);
  }
  return 2u * digest.size;
}

std::optional<Digest> from_hex(std::string_view hex, HashKind kind) noexcept {
  Digest digest;
  digest.size = static_cast<std::uint8_t>(digest_size(kind));
  if (hex.size() != 2u * digest.size) return std::nullopt;
  unsigned seen = 0;
  const auto* at = reinterpret_cast<const unsigned char*>(hex.data());
  for (std::size_t i = 0; i < digest.size; ++i, at += 2) {
    const unsigned high = kHexValues[at[0]], low = kHexValues[at[1]];
    seen |= high | low;
    digest.octets[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  if (seen > 15) return std::nullopt;
  return digest;
}

}  // namespace ringweir::auth
