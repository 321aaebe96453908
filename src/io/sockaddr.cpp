#include "ringweir/io/sockaddr.h"

namespace ringweir::io {

IpAddress local_of(const void* control, std::size_t size) noexcept {
  cmsghdr head;
  if (size < sizeof head) return {};
  std::memcpy(&head, control, sizeof head);
  const char* data = static_cast<const char*>(control) + CMSG_LEN(0);
  if (head.cmsg_level == IPPROTO_IP && head.cmsg_type == IP_PKTINFO && size >= CMSG_LEN(sizeof(in_pktinfo))) {
    in_pktinfo info;
    std::memcpy(&info, data, sizeof info);
    return ip_of(info.ipi_spec_dst);  // of a broadcast, the address that may answer
  }
  if (head.cmsg_level == IPPROTO_IPV6 && head.cmsg_type == IPV6_PKTINFO &&
      size >= CMSG_LEN(sizeof(in6_pktinfo))) {
    in6_pktinfo info;
    std::memcpy(&info, data, sizeof info);
    if (!IN6_IS_ADDR_MULTICAST(&info.ipi6_addr)) return ip_of(info.ipi6_addr);
  }
  return {};
}

std::size_t source_control(const IpAddress& from, bool socket_is_v6, void* control) noexcept {
  cmsghdr head{};
  char* data = static_cast<char*>(control) + CMSG_LEN(0);
  std::memset(control, 0, kControlBytes);
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

}  // namespace ringweir::io
