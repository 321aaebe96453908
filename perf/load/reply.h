// As little of a reply as the load source needs: whose it is, its status, and what a challenge says.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace ringweir::load {

// A branch is the RFC 3261 magic cookie followed by the transaction's 16 hex digits.
inline constexpr std::string_view kBranchCookie = "z9hG4bK";
inline constexpr std::size_t kTokenDigits = 16;

// 100..699, or 0 when the text is no SIP response.
int status_of(std::string_view message) noexcept;

// Hexadecimal digits in lower case; nothing when one is something else.
std::optional<std::uint64_t> hex_of(std::string_view digits) noexcept;

// The transaction's number out of the first branch of ours in the text.
std::optional<std::uint64_t> token_of(std::string_view message) noexcept;

struct Challenge {
  std::string_view realm, nonce, opaque;
  bool proxy = false, qop_auth = false, stale = false;
};

// The first Digest challenge with MD5 (or no algorithm, which means MD5: RFC 7616 3.3).
std::optional<Challenge> challenge_of(std::string_view message) noexcept;

// Value of a single-line header written with its long name, without surrounding blanks.
std::string_view header_of(std::string_view message, std::string_view name) noexcept;

}  // namespace ringweir::load
