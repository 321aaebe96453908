#include "ringweir/io/queue_watch.h"

#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace ringweir::io {

void QueueWatch::read_clock() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME, &t);  // the clock of the kernel's stamps
  wall_ = std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec};
}

void QueueWatch::look(Instant now, std::span<const UdpSocket> sockets, DriverCounters& counters) noexcept {
  if (now - looked_last_ < kLook) return;
  looked_last_ = now;
  if (look_at_fill(sockets, counters)) full_last_ = now;
  const bool wanted = now - full_last_ < kCalm;
  if (wanted != stamps_) stamp(wanted, sockets);
}

void QueueWatch::stamp(bool on, std::span<const UdpSocket> sockets) noexcept {
  const int value = on ? 1 : 0;
  for (const UdpSocket& socket : sockets) {
    ::setsockopt(socket.fd(), SOL_SOCKET, SO_TIMESTAMPNS, &value, sizeof value);
  }
  if (on) read_clock();
  stamps_ = on;
}

// Whether so much waits that it matters for how long.
bool QueueWatch::look_at_fill(std::span<const UdpSocket> sockets, DriverCounters& counters) noexcept {
  bool is_full = false;
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    std::array<std::uint32_t, SK_MEMINFO_VARS> figures{};
    socklen_t size = sizeof figures;
    if (::getsockopt(sockets[i].fd(), SOL_SOCKET, SO_MEMINFO, figures.data(), &size) != 0) continue;
    const std::uint32_t fill = figures[SK_MEMINFO_RMEM_ALLOC], most = figures[SK_MEMINFO_RCVBUF];
    is_full = is_full || fill >= std::min(kStampFill, most / 4);
    const std::uint32_t lost = figures[SK_MEMINFO_DROPS] - lost_[i];
    lost_[i] = figures[SK_MEMINFO_DROPS];
    if (lost == 0 || fill < most / 2)
      continue;  // a sieve's drops are counted there too, but leave the queue short
    overflowed_ = true;
    counters.queue_overflows.add(lost);
  }
  return is_full;
}

}  // namespace ringweir::io
