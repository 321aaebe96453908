#include "ringweir/base/network.h"

#include <charconv>

namespace ringweir {
namespace {

constexpr std::uint8_t kAllBits = 128;
constexpr std::uint8_t kV4Before = 96;  // bits of ::ffff:0:0

// The octet's bits that belong to a prefix which has `bits` left when it comes to this octet.
constexpr std::uint8_t mask(int bits) noexcept {
  if (bits >= 8) return 0xff;
  return static_cast<std::uint8_t>(bits <= 0 ? 0 : 0xff << (8 - bits));
}

}  // namespace

bool Network::contains(const IpAddress& ip) const noexcept {
  for (std::size_t i = 0; i < ip.octets.size(); ++i) {
    if ((ip.octets[i] ^ base.octets[i]) & mask(bits - static_cast<int>(i) * 8)) return false;
  }
  return true;
}

std::optional<Network> parse_network(std::string_view text) noexcept {
  const std::size_t slash = text.find('/');
  const auto ip = parse_ip(text.substr(0, slash));
  if (!ip) return std::nullopt;
  // "::ffff:0.0.0.0/0" would be every IPv6 address in one notation and every IPv4 one in the other: only dots
  // are IPv4.
  const bool v4 = ip->is_v4() && text.substr(0, slash).find(':') == text.npos;
  Network network{*ip, kAllBits};
  if (slash != text.npos) {
    const std::string_view digits = text.substr(slash + 1);
    unsigned bits = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (error != std::errc{} || end != digits.data() + digits.size() || bits > (v4 ? 32u : 128u))
      return std::nullopt;
    network.bits = static_cast<std::uint8_t>(bits + (v4 ? kV4Before : 0));
  }
  for (std::size_t i = 0; i < ip->octets.size(); ++i) {
    const std::uint8_t inside = mask(network.bits - static_cast<int>(i) * 8);
    if (ip->octets[i] & ~inside) return std::nullopt;
  }
  return network;
}

std::string to_string(const Network& network) {
  const bool v4 = network.base.is_v4() && network.bits >= kV4Before;
  const int bits = network.bits - (v4 ? kV4Before : 0);
  std::string text = to_string(network.base);
  return network.bits == kAllBits ? text : text + '/' + std::to_string(bits);
}

}  // namespace ringweir
