// IP addresses and endpoints as plain values (RFC 3261 sent-by and source addresses). No system types here.
#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ringweir {

// 16 octets in network order; IPv4 as ::ffff:a.b.c.d (RFC 4291 2.5.5.2).
struct IpAddress {
  std::array<std::uint8_t, 16> octets{};

  static IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) noexcept {
    return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}};
  }
  bool is_v4() const noexcept;
  bool is_loopback() const noexcept;
  bool is_unspecified() const noexcept;
  friend bool operator==(const IpAddress&, const IpAddress&) noexcept = default;
  friend auto operator<=>(const IpAddress&, const IpAddress&) noexcept = default;
};

struct Endpoint {
  IpAddress ip;
  std::uint16_t port = 0;  // host order
  friend bool operator==(const Endpoint&, const Endpoint&) noexcept = default;
  friend auto operator<=>(const Endpoint&, const Endpoint&) noexcept = default;
};

inline constexpr std::size_t kIpTextMax = 45;
inline constexpr std::size_t kEndpointTextMax = kIpTextMax + 2 + 1 + 5;  // [ipv6]:port

// Each writes text without a terminator into `out` (at least the maximum above) and returns its length.
std::size_t format_ip(const IpAddress& ip, char* out) noexcept;          // 192.0.2.1 or 2001:db8::1
std::size_t format_host(const IpAddress& ip, char* out) noexcept;        // as in a URI: [2001:db8::1]
std::size_t format_endpoint(const Endpoint& e, char* out) noexcept;      // 192.0.2.1:5060, [2001:db8::1]:5060
std::string to_string(const IpAddress& ip);
std::string to_string(const Endpoint& e);

// Accepts a dotted quad, an IPv6 address, or one in brackets. No names.
std::optional<IpAddress> parse_ip(std::string_view text) noexcept;
// "192.0.2.1:5060", "[::1]:5060"; without a port, `default_port`.
std::optional<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port = 0) noexcept;

}  // namespace ringweir
