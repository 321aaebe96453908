#include "ringweir/io/socket.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "ringweir/io/sockaddr.h"

namespace ringweir::io {

OwnedFd::~OwnedFd() {
  if (fd_ >= 0) ::close(fd_);
}

namespace {

OpenError cannot(const char* doing, const Endpoint& where) {
  const int code = errno;
  return {code, std::string("cannot ") + doing + " udp:" + to_string(where) + ": " + std::strerror(code)};
}

bool set(int fd, int level, int option, int value) noexcept {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

bool set_options(int fd, const UdpOptions& options, bool is_v6) noexcept {
  if (options.reuse_port && !set(fd, SOL_SOCKET, SO_REUSEPORT, 1)) return false;
  if (is_v6 && !set(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.v6_only ? 1 : 0)) return false;
  // The kernel caps these in silence; what was granted is read back and reported.
  if (!set(fd, SOL_SOCKET, SO_RCVBUF, options.receive_buffer_bytes)) return false;
  if (!set(fd, SOL_SOCKET, SO_SNDBUF, options.send_buffer_bytes)) return false;
  // Reports of unreachable peers, see io/error_queue.h. A socket of the sixth version that also serves the
  // fourth needs both.
  if (is_v6 && !set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1)) return false;
  if (!set(fd, IPPROTO_IP, IP_RECVERR, 1)) return false;
  if (!options.bind.ip.is_unspecified()) return true;
  return is_v6 ? set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) : set(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

}  // namespace

Result<UdpSocket, OpenError> open_udp(const UdpOptions& options) {
  const bool is_v6 = !options.bind.ip.is_v4();
  OwnedFd fd(::socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return std::unexpected(cannot("open", options.bind));
  if (!set_options(fd.get(), options, is_v6))
    return std::unexpected(cannot("set the options of", options.bind));

  SocketName name{};
  socklen_t size = name_of(options.bind, is_v6, name);
  if (::bind(fd.get(), &name.any, size) != 0) return std::unexpected(cannot("bind", options.bind));
  if (::getsockname(fd.get(), &name.any, &size) != 0) return std::unexpected(cannot("name", options.bind));
  int granted = 0;
  socklen_t granted_size = sizeof granted;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &granted, &granted_size);
  // The kernel doubles what was asked for, to pay for its own bookkeeping.
  return UdpSocket(std::move(fd), is_v6 ? endpoint_v6(&name.v6) : endpoint_v4(&name.v4), is_v6, granted / 2);
}

}  // namespace ringweir::io
