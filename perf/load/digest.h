// The phone's side of digest authentication (RFC 2617, RFC 7616) with MD5.
#pragma once
#include <array>
#include <string>
#include <string_view>

namespace ringweir::load {

using Hex32 = std::array<char, 32>;

inline std::string_view view(const Hex32& hex) noexcept {
  return {hex.data(), hex.size()};
}

Hex32 md5_hex(std::string_view text) noexcept;

// H(A1) = MD5(user:realm:password)
Hex32 ha1(std::string_view user, std::string_view realm, std::string_view password);

// With qop=auth. nc is 8 hex digits.
Hex32 response_qop(const Hex32& ha1, std::string_view nonce, std::string_view nc, std::string_view cnonce,
                   const Hex32& ha2) noexcept;

// The RFC 2069 form, for a challenge without qop.
Hex32 response_plain(const Hex32& ha1, std::string_view nonce, const Hex32& ha2) noexcept;

}  // namespace ringweir::load
