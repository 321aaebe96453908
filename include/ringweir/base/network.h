// A range of addresses, as "10.0.0.0/8" or "2001:db8::/32" names one (RFC 4632 3.1, RFC 4291 2.3).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ringweir/base/address.h"

namespace ringweir {

struct Network {
  IpAddress base;         // its octets beyond `bits` are zero
  std::uint8_t bits = 0;  // of the sixteen octets: an IPv4 range has 96 and its own

  bool contains(const IpAddress& ip) const noexcept;
  friend bool operator==(const Network&, const Network&) noexcept = default;
};

// An address alone is a range of one. nullopt for what is no range, also one with bits set beyond its length: such a text
// most likely says another thing than was meant.
std::optional<Network> parse_network(std::string_view text) noexcept;
std::string to_string(const Network& network);

}  // namespace ringweir
