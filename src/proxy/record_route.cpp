#include "ringweir/proxy/record_route.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "proxy/base64url.h"
#include "proxy/signed_text.h"
#include "ringweir/base/limits.h"
#include "ringweir/sip/uri.h"

namespace ringweir::proxy {
namespace {

constexpr std::uint8_t kVersion = 1 << 4;  // the low bits say which side is IPv6, and the mode
constexpr std::uint8_t kBeganIsV6 = 1, kOtherIsV6 = 2, kStateless = 4;
constexpr std::size_t kMacBytes = 8;
constexpr std::size_t kV4Bytes = 1 + 4 + 2, kV6Bytes = 1 + 16 + 2;  // socket, address, port
constexpr std::size_t kBodyBytesMax = 1 + 2 * kV6Bytes;
static_assert(base64url_chars(1 + 2 * kV4Bytes + kMacBytes) == kRouteTokenCharsMin);
static_assert(base64url_chars(kBodyBytesMax + kMacBytes) == kRouteTokenCharsMax);
static_assert(limits::kListenersMax <= 256, "a socket has one octet");

constexpr std::size_t side_bytes(bool v6) noexcept {
  return v6 ? kV6Bytes : kV4Bytes;
}
constexpr std::size_t body_bytes(std::uint8_t head) noexcept {
  return 1 + side_bytes(head & kBeganIsV6) + side_bytes(head & kOtherIsV6);
}

std::uint8_t* put_side(std::uint8_t* at, const Side& side, bool v6) noexcept {
  *at++ = side.socket;
  const std::uint8_t* const ip = side.endpoint.ip.octets.data();
  const std::size_t first = v6 ? 0 : 12;
  at = std::copy(ip + first, ip + 16, at);
  *at++ = static_cast<std::uint8_t>(side.endpoint.port >> 8);
  *at++ = static_cast<std::uint8_t>(side.endpoint.port);
  return at;
}

const std::uint8_t* take_side(const std::uint8_t* at, Side& side, bool v6) noexcept {
  side.socket = *at++;
  if (v6) {
    std::copy(at, at + 16, side.endpoint.ip.octets.data());
  } else {
    side.endpoint.ip = IpAddress::v4(at[0], at[1], at[2], at[3]);
  }
  at += v6 ? 16 : 4;
  side.endpoint.port = static_cast<std::uint16_t>(at[0] << 8 | at[1]);
  return at + 2;
}

std::uint64_t mac_of(const Key128& key, const std::uint8_t* body, std::size_t size, std::string_view call_id,
                     std::string_view initiator_tag) noexcept {
  SignedText text(key);
  text.add({reinterpret_cast<const char*>(body), size});
  text.add(call_id);
  text.add(initiator_tag);
  return text.mac();
}

}  // namespace

std::string_view write_route_token(const Key128& key, const RouteToken& token, std::string_view call_id,
                                   std::string_view initiator_tag, char* out) noexcept {
  std::array<std::uint8_t, kBodyBytesMax + kMacBytes> bytes;
  const bool began_v6 = !token.began.endpoint.ip.is_v4(), other_v6 = !token.other.endpoint.ip.is_v4();
  bytes[0] = static_cast<std::uint8_t>(kVersion | (began_v6 ? kBeganIsV6 : 0) | (other_v6 ? kOtherIsV6 : 0) |
                                       (token.stateless ? kStateless : 0));
  std::uint8_t* at = put_side(bytes.data() + 1, token.began, began_v6);
  at = put_side(at, token.other, other_v6);
  const auto size = static_cast<std::size_t>(at - bytes.data());
  const std::uint64_t mac = mac_of(key, bytes.data(), size, call_id, initiator_tag);
  std::memcpy(at, &mac, kMacBytes);
  const char* const end = encode_base64url(bytes.data(), size + kMacBytes, out);
  return {out, static_cast<std::size_t>(end - out)};
}

std::optional<Followed> follow_route_token(const Key128& key, std::string_view token,
                                           std::string_view call_id, std::string_view from_tag,
                                           std::string_view to_tag) noexcept {
  if (token.size() < kRouteTokenCharsMin || token.size() > kRouteTokenCharsMax) return std::nullopt;
  std::array<std::uint8_t, kBodyBytesMax + kMacBytes> bytes;
  if (!decode_base64url(token.substr(0, 4), bytes.data(), 3)) return std::nullopt;
  const std::uint8_t head = bytes[0];
  if ((head & ~(kBeganIsV6 | kOtherIsV6 | kStateless)) != kVersion) return std::nullopt;
  const std::size_t size = body_bytes(head);
  if (!decode_base64url(token, bytes.data(), size + kMacBytes)) return std::nullopt;
  std::uint64_t mac;
  std::memcpy(&mac, bytes.data() + size, kMacBytes);
  RouteToken sides;
  const std::uint8_t* const at = take_side(bytes.data() + 1, sides.began, head & kBeganIsV6);
  take_side(at, sides.other, head & kOtherIsV6);
  const bool stateless = head & kStateless;
  const auto signed_for = [&](std::string_view tag) {
    return !tag.empty() && mac == mac_of(key, bytes.data(), size, call_id, tag);
  };
  if (signed_for(from_tag)) return Followed{sides.other, sides.began, true, stateless};
  if (signed_for(to_tag)) return Followed{sides.began, sides.other, false, stateless};
  return std::nullopt;
}

void write_record_route(Writer& out, std::string_view sent_by, std::string_view token) noexcept {
  out.put("<sip:");
  out.put(sent_by);
  out.put(";lr;rw=");
  out.put(token);
  out.put(">");
}

std::string_view route_token(std::string_view uri_parameters) noexcept {
  return sip::parameter(uri_parameters, kRouteTokenParameter).value_or(std::string_view{});
}

}  // namespace ringweir::proxy
