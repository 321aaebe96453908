// The epoll driver: the same behaviour as class Uring where io_uring is denied, as container runtimes do by
// default. One epoll_pwait2 a turn, one recvmmsg a ready socket, one sendmmsg a run of datagrams of one
// socket.
//
// open() on any thread; start(), turn() and stop() on the shard's own. Nothing is allocated after open().
#pragma once
#include <sys/socket.h>

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "ringweir/io/clock.h"
#include "ringweir/io/counters.h"
#include "ringweir/io/driver.h"
#include "ringweir/io/error_queue.h"
#include "ringweir/io/pages.h"
#include "ringweir/io/queue_watch.h"
#include "ringweir/io/send_slots.h"
#include "ringweir/io/send_trains.h"
#include "ringweir/io/sieve.h"
#include "ringweir/io/sockaddr.h"
#include "ringweir/io/socket.h"

namespace ringweir::io {

struct EpollOptions {
  std::uint32_t receive_buffers = 64;     // datagrams read from one socket at a time
  std::uint32_t receive_octets = 65'536;  // takes any datagram; a page is touched only when one reaches it
  std::uint32_t send_slots = 512;
  std::uint32_t send_slots_large = 8;
  bool send_trains = true;  // see io/send_trains.h
};

class Epoll {
 public:
  using Options = EpollOptions;

  // Takes the sockets (their order is SocketIndex) only when it succeeds.
  static Result<std::unique_ptr<Epoll>, OpenError> open(std::vector<UdpSocket>& sockets,
                                                        const EpollOptions& options = {});
  ~Epoll() = default;
  Epoll(const Epoll&) = delete;
  Epoll& operator=(const Epoll&) = delete;

  // Every shard's driver by its number, before any starts.
  void connect(std::span<Epoll* const> shards);
  Opened start() {
    clock_.read();
    return {};
  }
  void stop() noexcept { flush(); }

  // The shard's side (io/driver.h).
  Instant now() const noexcept { return clock_.now(); }
  WallMs wall_ms() const noexcept { return clock_.wall_ms(); }
  Instant precise_now() const noexcept { return monotonic_now(); }
  SendBuffer take_buffer(std::uint32_t octets) noexcept {
    const SendBuffer buffer = slots_.take(octets);
    return buffer.data ? buffer : take_after_flush(octets);
  }
  void drop_buffer(SendBuffer buffer) noexcept { slots_.give(buffer.slot); }
  bool overflowed() noexcept { return watch_.overflowed(); }
  void sieve(const SievePattern& pattern, std::uint32_t passes_per_million) noexcept {
    if (!sieve_.set(sockets_, pattern, passes_per_million)) counters_.sieve_refused.add();
  }
  void send(SendBuffer buffer, std::uint32_t size, SocketIndex socket, const Endpoint& to, const IpAddress& from = {},
            std::uint64_t order = 0) noexcept;
  void wake(std::uint32_t shard) noexcept;
  void wake_from_outside() noexcept;  // any thread, also a signal handler

  template <Handler H>
  void turn(H& handler, Instant until) {
    flush();
    const std::uint32_t ready = wait(until);
    clock_.read();
    watch_.turn_begins();
    Tally tally;
    for (std::uint32_t i = 0; i < ready; ++i) {
      const SocketIndex socket = ready_[i];
      // Level-triggered: what the batch leaves behind is ready at the next turn, after the other sockets.
      const std::uint32_t count = read_batch(socket, tally);
      tally.behind |= count >= options_.receive_buffers;
      for (std::uint32_t at = 0; at < count; ++at) handler.on_datagram(datagram(socket, at, tally));
      handler.on_batch_end();
    }
    if (errors_.has_marked()) [[unlikely]] {
      for (const Unreachable& each : errors_.harvest(sockets_, counters_)) {
        handler.on_unreachable(each.peer, each.socket);
      }
    }
    end_turn(tally);
  }

  const std::vector<UdpSocket>& sockets() const noexcept { return sockets_; }
  const DriverCounters& counters() const noexcept { return counters_; }
  std::size_t memory_bytes() const noexcept;  // address space, most of it untouched

 private:
  struct Tally {
    std::uint32_t datagrams = 0, truncated = 0;
    std::uint64_t octets = 0;
    bool behind = false;
  };
  struct Envelope {  // of one datagram that came
    SocketName name{};
    iovec text{};
    alignas(cmsghdr) std::array<char, kControlBytes> control{};
  };

  Epoll(const EpollOptions& options, std::size_t sockets);
  Opened set_up(std::span<const UdpSocket> sockets);
  void flush() noexcept;
  void prepare() noexcept;
  bool send_again(int error, std::size_t at, std::uint32_t tries) noexcept;
  std::uint32_t wait(Instant until) noexcept;
  int wait_for_events(Duration limit) noexcept;
  std::uint32_t read_batch(SocketIndex socket, const Tally& tally) noexcept;
  Received datagram(SocketIndex socket, std::uint32_t at, Tally& tally) noexcept;
  SendBuffer take_after_flush(std::uint32_t octets) noexcept;
  void end_turn(const Tally& tally) noexcept;

  EpollOptions options_;
  TurnClock clock_;
  OwnedFd poll_, outside_;
  Pages buffers_;
  std::size_t buffer_stride_;
  std::vector<mmsghdr> incoming_;
  std::vector<Envelope> incoming_envelopes_;
  SendSlots slots_;
  std::vector<mmsghdr> outgoing_;              // by train
  SendTrains trains_;
  TrainMessages messages_;
  std::array<SocketIndex, limits::kListenersMax> ready_{};
  std::uint64_t queued_octets_ = 0, queued_datagrams_ = 0;
  bool has_pwait2_ = true;  // Linux 5.11; an old seccomp profile may not know it
  std::vector<UdpSocket> sockets_;
  std::vector<int> peers_;  // eventfds by shard
  ErrorQueue errors_;
  QueueWatch watch_;
  Sieve sieve_;
  DriverCounters counters_;
};
static_assert(Driver<Epoll>);

}  // namespace ringweir::io
