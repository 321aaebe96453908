#include "ringweir/auth/digest.h"

#include <cstring>

namespace ringweir::auth {
namespace {

struct Hex {
  char digits[kDigestHexMax];
  std::size_t size;
  explicit Hex(const Digest& digest) noexcept : size(to_hex(digest, digits)) {}
  operator std::string_view() const noexcept { return {digits, size}; }
};

}  // namespace

Digest ha1(HashKind kind, std::string_view username, std::string_view realm,
           std::string_view password) noexcept {
  return hash(kind, {username, ":", realm, ":", password});
}

Digest session_ha1(Algorithm algorithm, const Digest& stored, std::string_view nonce,
                   std::string_view cnonce) noexcept {
  if (!is_session(algorithm)) return stored;
  return hash(kind(algorithm), {Hex(stored), ":", nonce, ":", cnonce});
}

Digest ha2(HashKind kind, std::string_view method, std::string_view uri) noexcept {
  return hash(kind, {method, ":", uri});
}

Digest response(HashKind kind, const Digest& ha1, const Digest& ha2, const ResponseInput& in) noexcept {
  const Hex one(ha1), two(ha2);
  if (in.qop.empty()) return hash(kind, {one, ":", in.nonce, ":", two});  // RFC 2069 2.1.2, RFC 2617 3.2.2.1
  return hash(kind, {one, ":", in.nonce, ":", in.nc, ":", in.cnonce, ":", in.qop, ":", two});
}

Digest response(Algorithm algorithm, const Digest& stored_ha1, std::string_view method, std::string_view uri,
                const ResponseInput& in) noexcept {
  const HashKind hash_kind = kind(algorithm);
  return response(hash_kind, session_ha1(algorithm, stored_ha1, in.nonce, in.cnonce),
                  ha2(hash_kind, method, uri), in);
}

bool equal_in_constant_time(const Digest& a, const Digest& b) noexcept {
  if (a.size != b.size) return false;
  static_assert(kDigestBytesMax == 32);
  std::uint64_t x[4], y[4];
  std::memcpy(x, a.octets.data(), sizeof x);
  std::memcpy(y, b.octets.data(), sizeof y);
  std::uint64_t difference = (x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]);
  // The compiler may not look through this and stop at the first word that differs.
  asm volatile("" : "+r"(difference));
  return difference == 0;
}

std::optional<std::string_view> unescape(std::string_view text, char* out, std::size_t capacity) noexcept {
  if (text.find('\\') == text.npos) return text;
  std::size_t size = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && ++i == text.size()) return std::nullopt;
    if (size == capacity) return std::nullopt;
    out[size++] = text[i];
  }
  return std::string_view{out, size};
}

void put_escaped(Writer& out, std::string_view text) noexcept {
  for (const char c : text) {
    if (c == '"' || c == '\\') out.put('\\');
    out.put(c);
  }
}

}  // namespace ringweir::auth
