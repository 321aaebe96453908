// A bound UDP socket. Any thread may open one; from then on it belongs to the driver that is given it.
#pragma once
#include <utility>

#include "ringweir/base/address.h"
#include "ringweir/io/open_error.h"

namespace ringweir::io {

// A file descriptor that is closed with its owner.
class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) noexcept : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OwnedFd();
  int get() const noexcept { return fd_; }

 private:
  int fd_ = -1;
};

struct UdpOptions {
  Endpoint bind;                             // port 0: the kernel chooses
  bool reuse_port = false;                   // one socket a shard on the same port
  int receive_buffer_bytes = 4 * 1'048'576;  // asked for; net.core.rmem_max may give less
  int send_buffer_bytes = 4 * 1'048'576;
  bool v6_only = false;  // [::] without the IPv4 world
};

class UdpSocket {
 public:
  UdpSocket(OwnedFd fd, const Endpoint& bound, bool is_v6, int receive_buffer_bytes) noexcept
      : fd_(std::move(fd)), bound_(bound), is_v6_(is_v6), receive_buffer_bytes_(receive_buffer_bytes) {}

  int fd() const noexcept { return fd_.get(); }
  const Endpoint& bound() const noexcept { return bound_; }  // with the port the kernel chose
  bool is_v6() const noexcept { return is_v6_; }
  // Bound to every address: each datagram says to which one it came, so that its answer can leave from there.
  bool is_wildcard() const noexcept { return bound_.ip.is_unspecified(); }
  int receive_buffer_bytes() const noexcept { return receive_buffer_bytes_; }  // as granted

 private:
  OwnedFd fd_;
  Endpoint bound_;
  bool is_v6_;
  int receive_buffer_bytes_;
};

// Non-blocking, close-on-exec.
Result<UdpSocket, OpenError> open_udp(const UdpOptions& options);

}  // namespace ringweir::io
