// Digest algorithms (RFC 7616 3.2, RFC 8760) and their hashes. Pure; any thread.
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace ringweir::auth {

enum class Algorithm : std::uint8_t { md5, md5_sess, sha256, sha256_sess, sha512_256, sha512_256_sess };
inline constexpr std::size_t kAlgorithms = 6;
// The hash behind an algorithm; a -sess form shares its stored HA1 with the plain one (RFC 7616 3.4.2).
enum class HashKind : std::uint8_t { md5, sha256, sha512_256 };
inline constexpr std::size_t kHashKinds = 3;

inline constexpr std::size_t kDigestBytesMax = 32;
inline constexpr std::size_t kDigestHexMax = 2 * kDigestBytesMax;
struct Digest {  // binary; octets past `size` are zero
  std::array<std::uint8_t, kDigestBytesMax> octets{};
  std::uint8_t size = 0;
  friend bool operator==(const Digest&,
                         const Digest&) noexcept = default;  // not in constant time: see digest.h
};

constexpr HashKind kind(Algorithm algorithm) noexcept {
  return static_cast<HashKind>(static_cast<std::uint8_t>(algorithm) / 2);
}
constexpr bool is_session(Algorithm algorithm) noexcept {
  return static_cast<std::uint8_t>(algorithm) % 2 == 1;
}
constexpr std::size_t digest_size(HashKind kind) noexcept {
  return kind == HashKind::md5 ? 16 : 32;
}  // octets
static_assert(kind(Algorithm::sha512_256_sess) == HashKind::sha512_256 && is_session(Algorithm::md5_sess));

std::string_view to_string(Algorithm algorithm) noexcept;  // "MD5", "SHA-256-sess"
std::string_view to_string(HashKind kind) noexcept;        // its plain algorithm's name
std::optional<Algorithm> parse_algorithm(
    std::string_view text) noexcept;  // any case; empty is MD5 (RFC 7616 3.3)

// One hash over the pieces put end to end, without allocation.
Digest hash(HashKind kind, std::initializer_list<std::string_view> pieces) noexcept;

// Lower-case hex; `out` has room for 2 * digest.size. Returns the length.
std::size_t to_hex(const Digest& digest, char* out) noexcept;
// Any case; exactly the digest's length.
std::optional<Digest> from_hex(std::string_view hex, HashKind kind) noexcept;

}  // namespace ringweir::auth
