// Whether a driver's sockets are behind: how long datagrams wait in the kernel, and whether its queues
// overflow.
//
// While every turn empties the queues, nothing waits and nothing is asked. While turns leave datagrams
// behind, the queues' fill is looked at every kLook; once one holds kStampFill or a quarter of its bound, the
// kernel is told to stamp what it receives (SO_TIMESTAMPNS), until kCalm has passed without. PERF: a stamp
// costs the receiver 72 to 80 ns of some 700 (medians, both drivers, 450 octets over loopback), a look one
// system call a socket. One driver's; its thread only.
#pragma once
#include <span>
#include <vector>

#include "ringweir/base/time.h"
#include "ringweir/io/counters.h"
#include "ringweir/io/socket.h"

namespace ringweir::io {

class QueueWatch {
 public:
  static constexpr Duration kCalm = 5s;
  static constexpr std::uint32_t kStampFill =
      2 * 1'048'576;  // octets with the kernel's bookkeeping: 1 to 2 thousand messages, some 5 ms
  static constexpr Duration kLook = 10ms;  // from one look at the queues' fill to the next

  explicit QueueWatch(std::size_t sockets) : lost_(sockets) {}

  // Before a turn's datagrams are read.
  void turn_begins() noexcept {
    if (stamps_) [[unlikely]]
      read_clock();
  }
  // After: `behind` when datagrams were left that the turn had no room for.
  void turn_ends(bool behind, Instant now, std::span<const UdpSocket> sockets,
                 DriverCounters& counters) noexcept {
    if (behind || stamps_) [[unlikely]]
      look(now, sockets, counters);
  }
  bool stamps() const noexcept { return stamps_; }
  // How long ago a datagram's stamp was; zero for one the kernel received before it was told.
  Duration since(Duration stamp) const noexcept {
    return stamp > Duration::zero() && stamp < wall_ && wall_ - stamp < kBelievable ? wall_ - stamp
                                                                                    : Duration::zero();
  }
  // A queue was full and lost datagrams since the last call.
  bool overflowed() noexcept {
    const bool was = overflowed_;
    overflowed_ = false;
    return was;
  }

 private:
  static constexpr Duration kBelievable = 60s;  // the wall clock may be set
  void read_clock() noexcept;
  void look(Instant now, std::span<const UdpSocket> sockets, DriverCounters& counters) noexcept;
  bool look_at_fill(std::span<const UdpSocket> sockets, DriverCounters& counters) noexcept;
  void stamp(bool on, std::span<const UdpSocket> sockets) noexcept;

  bool stamps_ = false, overflowed_ = false;
  Duration wall_{};
  Instant full_last_{}, looked_last_{};
  std::vector<std::uint32_t> lost_;  // by socket, as counted by the kernel
};

}  // namespace ringweir::io
