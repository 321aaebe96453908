// Our addresses and the kernel's, for drivers.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstring>
#include <ctime>

#include "ringweir/base/address.h"
#include "ringweir/base/time.h"

namespace ringweir::io {

union SocketName {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

inline IpAddress ip_of(const in_addr& from) noexcept {
  IpAddress ip;
  ip.octets[10] = ip.octets[11] = 0xff;
  std::memcpy(&ip.octets[12], &from, 4);
  return ip;
}

inline IpAddress ip_of(const in6_addr& from) noexcept {
  IpAddress ip;
  std::memcpy(ip.octets.data(), &from, 16);
  return ip;
}

// `from` need not be aligned. The caller knows the family: it is the socket's.
inline Endpoint endpoint_v4(const void* from) noexcept {
  sockaddr_in name;
  std::memcpy(&name, from, sizeof name);
  return {ip_of(name.sin_addr), ntohs(name.sin_port)};
}

inline Endpoint endpoint_v6(const void* from) noexcept {
  sockaddr_in6 name;
  std::memcpy(&name, from, sizeof name);
  return {ip_of(name.sin6_addr), ntohs(name.sin6_port)};
}

// The length of the name; 0 when a socket of this family cannot reach `to`.
inline socklen_t name_of(const Endpoint& to, bool socket_is_v6, SocketName& name) noexcept {
  if (socket_is_v6) {
    name.v6 = {};
    name.v6.sin6_family = AF_INET6;
    name.v6.sin6_port = htons(to.port);
    std::memcpy(&name.v6.sin6_addr, to.ip.octets.data(), 16);
    return sizeof name.v6;
  }
  if (!to.ip.is_v4()) return 0;
  name.v4 = {};
  name.v4.sin_family = AF_INET;
  name.v4.sin_port = htons(to.port);
  std::memcpy(&name.v4.sin_addr, &to.ip.octets[12], 4);
  return sizeof name.v4;
}

// Room for the ancillary messages we use: IP_PKTINFO or IPV6_PKTINFO, and when receiving the kernel's stamp.
inline constexpr std::size_t kSourceControlBytes = CMSG_SPACE(sizeof(in6_pktinfo));
inline constexpr std::size_t kStampControlBytes = CMSG_SPACE(sizeof(timespec));
inline constexpr std::size_t kControlBytes = kSourceControlBytes + kStampControlBytes;

// What the kernel said beside a datagram.
struct Aside {
  IpAddress local;   // it came to; unspecified when the kernel did not say or no answer may leave from it
  Duration stamp{};  // of its arrival, by the wall clock; zero when the kernel did not say
};
Aside aside_of(const void* control, std::size_t size) noexcept;
// Makes the datagram leave from `from`. Returns the octets of `control` in use.
std::size_t source_control(const IpAddress& from, bool socket_is_v6, void* control) noexcept;

// Room for that and for segment_control()'s.
inline constexpr std::size_t kSendControlBytes = kSourceControlBytes + CMSG_SPACE(sizeof(std::uint16_t));
// Makes one send many datagrams of `size` octets each (UDP_SEGMENT). Returns the octets of `control` in use.
std::size_t segment_control(std::uint16_t size, void* control) noexcept;

}  // namespace ringweir::io
