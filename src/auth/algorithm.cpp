#include "ringweir/auth/algorithm.h"

#include "auth/letter_case.h"

namespace ringweir::auth {
namespace {

constexpr std::array<std::string_view, kAlgorithms> kNames{"MD5",          "MD5-sess",    "SHA-256",
                                                           "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"};

struct HexPairs {
  std::array<char, 512> digits;
  constexpr HexPairs() noexcept : digits{} {
    for (std::size_t i = 0; i < 256; ++i) {
      digits[2 * i] = "0123456789abcdef"[i >> 4];
      digits[2 * i + 1] = "0123456789abcdef"[i & 15];
    }
  }
};
constexpr HexPairs kHexPairs;

constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

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
  for (std::size_t i = 0; i < digest.size; ++i) {
    out[2 * i] = kHexPairs.digits[2 * digest.octets[i]];
    out[2 * i + 1] = kHexPairs.digits[2 * digest.octets[i] + 1u];
  }
  return 2u * digest.size;
}

std::optional<Digest> from_hex(std::string_view hex, HashKind kind) noexcept {
  Digest digest;
  digest.size = static_cast<std::uint8_t>(digest_size(kind));
  if (hex.size() != 2u * digest.size) return std::nullopt;
  for (std::size_t i = 0; i < digest.size; ++i) {
    const int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);
    if ((high | low) < 0) return std::nullopt;
    digest.octets[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return digest;
}

}  // namespace ringweir::auth
