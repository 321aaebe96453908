// The signed Record-Route (RFC 3261 16.6 step 4): <sip:SENT_BY;lr;rw=TOKEN>. A request that brings it back as
// its Route is led to the other side of its call without any state, by every edge that has the same key, and
// nobody else can make one. Pure; any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "ringweir/base/address.h"
#include "ringweir/base/hash.h"
#include "ringweir/base/writer.h"

namespace ringweir::proxy {

// How one side of a dialog is reached: from which of our sockets (Snapshot::sockets), at which address.
struct Side {
  std::uint8_t socket = 0;
  Endpoint endpoint;
  friend bool operator==(const Side&, const Side&) = default;
};
struct RouteToken {
  Side began, other;  // who sent the request that began the dialog; whom it went to
  bool stateless = false;  // its requests are forwarded as the first one was (16.11)
  friend bool operator==(const RouteToken&, const RouteToken&) = default;
};

// base64url( version, families and mode | side that began | other side | 64-bit SipHash tag ), IPv4 in four octets.
inline constexpr std::size_t kRouteTokenCharsMin = 31;  // two IPv4 sides
inline constexpr std::size_t kRouteTokenCharsMax = 63;  // two IPv6 sides
inline constexpr std::string_view kRouteTokenParameter = "rw";

// `initiator_tag`: the From tag of the request that begins the dialog. A token made with an empty one is
// never followed. `out` has room for kRouteTokenCharsMax; the text is in it.
std::string_view write_route_token(const Key128& key, const RouteToken& token, std::string_view call_id,
                                   std::string_view initiator_tag, char* out) noexcept;

// A token that verifies: the side that the request is to go to, and the one it must have come from.
struct Followed {
  Side to, from;
  bool by_initiator = false;
  bool stateless = false;
};
// From tag and To tag as in the request. nullopt: not ours, changed, or of another call: the routes decide.
std::optional<Followed> follow_route_token(const Key128& key, std::string_view token,
                                           std::string_view call_id, std::string_view from_tag,
                                           std::string_view to_tag) noexcept;

// "<sip:SENT_BY;lr;rw=TOKEN>", for RequestEdits::record_routes. `sent_by` as in Via: host or host:port.
void write_record_route(Writer& out, std::string_view sent_by, std::string_view token) noexcept;
// The token among the parameters of a Route's URI; empty when there is none.
std::string_view route_token(std::string_view uri_parameters) noexcept;

}  // namespace ringweir::proxy
