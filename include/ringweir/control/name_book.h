// Where targets are: what DNS said of their names, as addresses with ports, weights and priorities (RFC 3263
// 4, RFC 2782). Values and pure functions; control/resolver.h asks the questions.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ringweir/base/address.h"
#include "ringweir/control/config.h"

namespace ringweir::control {

inline constexpr std::uint32_t kWholeWeight = 100;  // of a place that DNS gives no weight

struct Resolved {
  Endpoint endpoint;
  std::string via;  // what it was resolved by: "sip1.example.com"; empty for an address
  std::uint32_t weight =
      kWholeWeight;            // among the places of one name and priority, in hundredths of an equal share
  std::uint32_t priority = 0;  // of SRV: the lowest first
  friend bool operator==(const Resolved&, const Resolved&) = default;
};

// A target's host and port as configured; port 0: none written.
using Name = std::pair<std::string, std::uint16_t>;
using NameBook = std::map<Name, std::vector<Resolved>>;

// An address is its own place, on port 5060 where none is written; a name is what the book says, nothing when
// it is not there.
std::vector<Resolved> places_of(const Target& target, const NameBook& book);
// The names, each once, that a configuration needs resolved.
std::vector<Name> names_in(const Config& config);

// --- From records to places.
struct NaptrRecord {
  std::uint16_t order = 0, preference = 0;
  std::string flags, service, replacement;
};
struct SrvRecord {
  std::uint16_t priority = 0, weight = 0, port = 0;
  std::string target;
};

// RFC 3263 4.1: the domain to ask for SRV records. The first by order and preference that says SIP over UDP
// ("SIP+D2U", flag "s"); where none does, "_sip._udp." and the name: other transports are nothing to us, and
// an operator who lists only those may still have a UDP service.
std::string srv_domain(std::string_view name, std::span<const NaptrRecord> records);
// RFC 2782: "." alone says that there is no such service.
bool denies_service(std::span<const SrvRecord> records) noexcept;
// One record's addresses each. At most kTargetsPerUpstreamMax places, the first by priority.
std::vector<Resolved> places_of(std::span<const SrvRecord> records,
                                const std::map<std::string, std::vector<IpAddress>>& addresses);
// RFC 3263 4.2: a name without SRV records, or one with a port.
std::vector<Resolved> places_of(std::string_view name, std::uint16_t port,
                                std::span<const IpAddress> addresses);

}  // namespace ringweir::control
