// base64url without padding (RFC 4648 5), strict: no two texts mean the same octets. Private to src/proxy.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace ringweir::proxy {

constexpr std::size_t base64url_chars(std::size_t bytes) noexcept {
  return (bytes * 8 + 5) / 6;
}

namespace detail {
inline constexpr std::string_view kBase64urlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
inline constexpr std::array<std::uint8_t, 256> kBase64urlValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(0xff);
  for (std::size_t i = 0; i < kBase64urlAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kBase64urlAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();
}  // namespace detail

// Writes base64url_chars(size) characters and returns behind them.
inline char* encode_base64url(const std::uint8_t* bytes, std::size_t size, char* out) noexcept {
  std::uint32_t group = 0;
  unsigned bits = 0;
  for (std::size_t i = 0; i < size; ++i) {
    group = group << 8 | bytes[i];
    for (bits += 8; bits >= 6; bits -= 6) *out++ = detail::kBase64urlAlphabet[group >> (bits - 6) & 63];
  }
  if (bits != 0) *out++ = detail::kBase64urlAlphabet[group << (6 - bits) & 63];
  return out;
}

// False unless `text` is what encode_base64url() makes of some `size` octets.
inline bool decode_base64url(std::string_view text, std::uint8_t* bytes, std::size_t size) noexcept {
  if (text.size() != base64url_chars(size)) return false;
  std::uint32_t group = 0;
  unsigned bits = 0, strange = 0;
  std::size_t at = 0;
  for (const char c : text) {
    const unsigned value = detail::kBase64urlValues[static_cast<unsigned char>(c)];
    strange |= value;
    group = group << 6 | (value & 63);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = static_cast<std::uint8_t>(group >> bits);
  }
  const unsigned left_over = group & ((1u << bits) - 1);
  return strange < 64 && left_over == 0 && at == size;
}

}  // namespace ringweir::proxy
