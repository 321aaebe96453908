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
  const char* const alphabet = detail::kBase64urlAlphabet.data();
  for (; size >= 3; size -= 3, bytes += 3, out += 4) {
    const unsigned group = bytes[0] << 16 | bytes[1] << 8 | bytes[2];
    out[0] = alphabet[group >> 18];
    out[1] = alphabet[group >> 12 & 63];
    out[2] = alphabet[group >> 6 & 63];
    out[3] = alphabet[group & 63];
  }
  if (size == 0) return out;
  const unsigned group = bytes[0] << 16 | (size == 2 ? bytes[1] << 8 : 0);
  *out++ = alphabet[group >> 18];
  *out++ = alphabet[group >> 12 & 63];
  if (size == 2) *out++ = alphabet[group >> 6 & 63];
  return out;
}

// False unless `text` is what encode_base64url() makes of some `size` octets.
inline bool decode_base64url(std::string_view text, std::uint8_t* bytes, std::size_t size) noexcept {
  if (text.size() != base64url_chars(size)) return false;
  const auto value = [at = reinterpret_cast<const unsigned char*>(text.data())](std::size_t i) -> unsigned {
    return detail::kBase64urlValues[at[i]];
  };
  unsigned strange = 0;
  std::size_t i = 0;
  for (; size >= 3; size -= 3, bytes += 3, i += 4) {
    const unsigned a = value(i), b = value(i + 1), c = value(i + 2), d = value(i + 3);
    strange |= a | b | c | d;
    const unsigned group = a << 18 | b << 12 | c << 6 | d;
    bytes[0] = static_cast<std::uint8_t>(group >> 16);
    bytes[1] = static_cast<std::uint8_t>(group >> 8);
    bytes[2] = static_cast<std::uint8_t>(group);
  }
  if (size != 0) {
    const unsigned a = value(i), b = value(i + 1), c = size == 2 ? value(i + 2) : 0;
    strange |= a | b | c;
    bytes[0] = static_cast<std::uint8_t>(a << 2 | b >> 4);
    if (size == 2) bytes[1] = static_cast<std::uint8_t>(b << 4 | c >> 2);
    if ((size == 1 ? b & 15 : c & 3) != 0) return false;  // bits that mean nothing are clear
  }
  return strange < 64;
}

}  // namespace ringweir::proxy
