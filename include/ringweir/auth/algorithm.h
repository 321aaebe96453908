// Digest algorithms (RFC 7616 3.2, RFC 8760) and their sizes.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ringweir::auth {

enum class Algorithm : std::uint8_t { md5, md5_sess, sha256, sha256_sess, sha512_256, sha512_256_sess };
inline constexpr std::size_t kAlgorithms = 6;
// The hash behind an algorithm; a -sess form shares its HA1 with the plain one in the store (RFC 7616 3.4.2).
enum class HashKind : std::uint8_t { md5, sha256, sha512_256 };
inline constexpr std::size_t kHashKinds = 3;

inline constexpr std::size_t kDigestBytesMax = 32;
struct Digest {  // binary
  std::array<std::uint8_t, kDigestBytesMax> octets{};
  std::uint8_t size = 0;
};

HashKind kind(Algorithm algorithm) noexcept;
bool is_session(Algorithm algorithm) noexcept;
std::size_t digest_size(HashKind kind) noexcept;                      // 16 or 32 octets
std::string_view to_string(Algorithm algorithm) noexcept;            // "MD5", "SHA-256-sess"
std::optional<Algorithm> parse_algorithm(std::string_view text) noexcept;  // any case; empty is MD5 (RFC 7616 3.3)

// One hash over up to 8 pieces, without allocation. OpenSSL's libcrypto underneath (one-shot or low-level: EVP costs
// more than the hash on short inputs).
Digest hash(HashKind kind, std::initializer_list<std::string_view> pieces) noexcept;
// Lower-case hex; `out` has room for 2 * digest.size. Returns the length.
std::size_t to_hex(const Digest& digest, char* out) noexcept;
std::optional<Digest> from_hex(std::string_view hex, HashKind kind) noexcept;  // any case

}  // namespace ringweir::auth
