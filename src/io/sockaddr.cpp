#include "ringweir/io/sockaddr.h"

#include <netinet/udp.h>

namespace ringweir::io {

namespace {

void read_message(const cmsghdr& head, const char* data, Aside& aside) noexcept {
  const std::size_t size = head.cmsg_len - CMSG_LEN(0);
  if (head.cmsg_level == IPPROTO_IP && head.cmsg_type == IP_PKTINFO && size >= sizeof(in_pktinfo)) {
    in_pktinfo info;
    std::memcpy(&info, data, sizeof info);
    aside.local = ip_of(info.ipi_spec_dst);  // of a broadcast, the address that may answer
  } else if (head.cmsg_level == IPPROTO_IPV6 && head.cmsg_type == IPV6_PKTINFO &&
             size >= sizeof(in6_pktinfo)) {
    in6_pktinfo info;
    std::memcpy(&info, data, sizeof info);
    if (!IN6_IS_ADDR_MULTICAST(&info.ipi6_addr)) aside.local = ip_of(info.ipi6_addr);
  } else if (head.cmsg_level == SOL_SOCKET && head.cmsg_type == SCM_TIMESTAMPNS && size >= sizeof(timespec)) {
    timespec at;
    std::memcpy(&at, data, sizeof at);
    aside.stamp = std::chrono::seconds{at.tv_sec} + std::chrono::nanoseconds{at.tv_nsec};
  }
}

}  // namespace

// By hand: where io_uring puts control messages is not aligned for the CMSG_ macros to walk.
Aside aside_of(const void* control, std::size_t size) noexcept {
  Aside aside;
  const char* at = static_cast<const char*>(control);
  cmsghdr head;
  while (size >= sizeof head) {
    std::memcpy(&head, at, sizeof head);
    if (head.cmsg_len < CMSG_LEN(0) || head.cmsg_len > size) break;
    read_message(head, at + CMSG_LEN(0), aside);
    const std::size_t whole = CMSG_ALIGN(head.cmsg_len);
    if (whole >= size) break;
    at += whole;
    size -= whole;
  }
  return aside;
}

std::size_t source_control(const IpAddress& from, bool socket_is_v6, void* control) noexcept {
  cmsghdr head{};
  char* data = static_cast<char*>(control) + CMSG_LEN(0);
  std::memset(control, 0, kSourceControlBytes);
  if (socket_is_v6) {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, from.octets.data(), 16);
    head.cmsg_level = IPPROTO_IPV6;
    head.cmsg_type = IPV6_PKTINFO;
    head.cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(data, &info, sizeof info);
  } else {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, &from.octets[12], 4);
    head.cmsg_level = IPPROTO_IP;
    head.cmsg_type = IP_PKTINFO;
    head.cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(data, &info, sizeof info);
  }
  std::memcpy(control, &head, sizeof head);
  return socket_is_v6 ? CMSG_SPACE(sizeof(in6_pktinfo)) : CMSG_SPACE(sizeof(in_pktinfo));
}

std::size_t segment_control(std::uint16_t size, void* control) noexcept {
  cmsghdr head{};
  head.cmsg_level = SOL_UDP;
  head.cmsg_type = UDP_SEGMENT;
  head.cmsg_len = CMSG_LEN(sizeof size);
  std::memset(control, 0, CMSG_SPACE(sizeof size));
  std::memcpy(control, &head, sizeof head);
  std::memcpy(static_cast<char*>(control) + CMSG_LEN(0), &size, sizeof size);
  return CMSG_SPACE(sizeof size);
}

}  // namespace ringweir::io
