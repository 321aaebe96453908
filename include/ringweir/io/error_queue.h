// What the network says about datagrams we sent: ICMP and ICMPv6 "destination unreachable" out of the
// sockets' error queues (IP_RECVERR, IPV6_RECVERR), and sends that the kernel itself has no route for.
//
// The price of asking: the kernel remembers the last report in the socket, and the next call on that socket
// fails with it, be it a receive or a send to somebody else. Nothing was received or sent by that call:
// drivers repeat it. One driver's; its thread only. No allocation after construction.
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <span>
#include <vector>

#include "ringweir/io/counters.h"
#include "ringweir/io/driver.h"
#include "ringweir/io/sockaddr.h"
#include "ringweir/io/socket.h"

namespace ringweir::io {

struct Unreachable {
  Endpoint peer;
  SocketIndex socket;
};

// Whether a call on a socket may have failed with what the network said about an earlier datagram: the errno
// values of the kernel's icmp_err_convert[] and icmpv6_err_convert().
bool may_be_a_report(int error) noexcept;

class ErrorQueue {
 public:
  // A storm of ICMP costs a turn this many reports at most; what is left waits for the next turn.
  static constexpr std::uint32_t kReportsPerTurn = 32;
  // A call that fails with a report is made again this often: somebody who forges reports faster can spoil a
  // datagram, as they could by filling the line.
  static constexpr std::uint32_t kTries = 4;

  explicit ErrorQueue(std::size_t sockets);
  ErrorQueue(const ErrorQueue&) = delete;
  ErrorQueue& operator=(const ErrorQueue&) = delete;

  // Something waits in this socket's queue, or may.
  void mark(SocketIndex socket) noexcept {
    if (!marked_[socket]) ++marks_;
    marked_[socket] = true;
  }
  bool has_marked() const noexcept { return marks_ != 0; }
  // The kernel refused to send to `peer` for good.
  void add(const Endpoint& peer, SocketIndex socket) noexcept;

  // Every peer reported since the last call, once each, at most kReportsPerTurn; valid until the next call.
  std::span<const Unreachable> harvest(std::span<const UdpSocket> sockets, DriverCounters& counters) noexcept;

 private:
  struct Entry {
    SocketName name{};
    // Beside the report itself the kernel adds what the socket asked to know of datagrams (address, time).
    alignas(cmsghdr) std::array<char, 256> control{};
  };
  std::uint32_t read(const UdpSocket& socket, SocketIndex index, std::uint32_t most) noexcept;

  std::vector<char> marked_;  // by socket
  std::uint32_t marks_ = 0;
  std::size_t next_ = 0;  // the socket to begin with: none waits behind another's storm for ever
  std::array<Unreachable, kReportsPerTurn> found_{};
  std::uint32_t count_ = 0;
  bool handed_out_ = false;
  std::array<Entry, kReportsPerTurn> entries_{};
  std::array<mmsghdr, kReportsPerTurn> messages_{};
};

}  // namespace ringweir::io
