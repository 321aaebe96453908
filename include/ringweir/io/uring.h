// The io_uring driver: datagrams arrive through one multishot recvmsg a socket into buffers the ring hands
// out, and everything a turn produces (sends, wakes, re-arms) leaves with the one io_uring_enter that also
// waits.
//
// Linux 6.1 or later. open() on any thread, start() and turn() on the shard's own (the ring has a single
// issuer), stop() there too when it is done. Nothing is allocated after start().
#pragma once
#include <liburing.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <thread>
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

struct UringOptions {
  // A power of two. As many as one turn decides: what is not yet read waits in the socket's buffer, not in
  // the ring.
  std::uint32_t receive_buffers = limits::kTurnBatchMax;
  // Takes any datagram. PERF: large buffers cost address space, not memory: a page is touched only when a
  // datagram reaches it, so a shard that sees phones keeps 1 MiB resident of these 16, and no difference in
  // time to 4 KiB ones was measurable.
  std::uint32_t receive_octets = 65'536;
  std::uint32_t send_slots = 512;
  std::uint32_t send_slots_large = 8;
  bool send_trains = true;  // see io/send_trains.h
};

// Whether this process can run class Uring here; when not, why, in a sentence for people.
Opened probe_uring();

class Uring {
 public:
  using Options = UringOptions;

  // Takes the sockets (their order is SocketIndex) only when it succeeds: after a failure they are the
  // caller's, for epoll.
  static Result<std::unique_ptr<Uring>, OpenError> open(std::vector<UdpSocket>& sockets,
                                                        const UringOptions& options = {});
  ~Uring();
  Uring(const Uring&) = delete;
  Uring& operator=(const Uring&) = delete;

  // Every shard's driver by its number, before any starts.
  void connect(std::span<Uring* const> shards);
  // On the shard's thread, before its first turn.
  Opened start();
  // On the shard's thread, after its last turn: lets go of sockets and buffers at once. The destructor does
  // the same, but on another thread leaves the kernel to do it in its own time.
  void stop() noexcept;

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
    submit_and_wait(until);
    clock_.read();
    watch_.turn_begins();
    Tally tally;
    unsigned head = 0, seen = 0;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      if (tally.datagrams == limits::kTurnBatchMax) break;
      ++seen;
      if (kind_of(*cqe) != Kind::receive) [[unlikely]] {
        on_other(*cqe);
        continue;
      }
      Received received;
      if (!(cqe->flags & IORING_CQE_F_MORE)) [[unlikely]]
        disarmed_[socket_of(*cqe)] = true;
      if (read_datagram(*cqe, received, tally)) [[likely]]
        handler.on_datagram(received);
      if (cqe->flags & IORING_CQE_F_BUFFER) [[likely]]
        give_back(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
    }
    handler.on_batch_end();  // buffers given back are the kernel's only when end_turn() moves the ring's tail
    end_turn(seen, tally);
    if (errors_.has_marked()) [[unlikely]] {
      for (const Unreachable& each : errors_.harvest(sockets_, counters_)) {
        handler.on_unreachable(each.peer, each.socket);
      }
    }
  }

  const std::vector<UdpSocket>& sockets() const noexcept { return sockets_; }
  const DriverCounters& counters() const noexcept { return counters_; }
  std::size_t memory_bytes() const noexcept;  // address space, most of it untouched

 private:
  // The low octet of user_data; a receive carries its socket above it, a send its train.
  enum class Kind : std::uint8_t { receive, send, outside, woken, wake };
  struct SendTag {
    std::uint32_t train = 0;
    std::uint32_t tries = 0;
    std::uint32_t release = 0;  // count of slot releases when it was made, modulo 2^32: a train is its own until the next
    std::uint64_t pack() const noexcept {
      return static_cast<std::uint64_t>(Kind::send) | std::uint64_t{train & 0x3ffff} << 8 | std::uint64_t{tries} << 26 |
             std::uint64_t{release} << 32;
    }
    static SendTag unpack(std::uint64_t tag) noexcept {
      return {static_cast<std::uint32_t>(tag >> 8 & 0x3ffff), static_cast<std::uint32_t>(tag >> 26 & 7),
              static_cast<std::uint32_t>(tag >> 32)};
    }
  };
  static_assert(ErrorQueue::kTries <= 7);
  struct Tally {
    std::uint32_t datagrams = 0, truncated = 0;
    std::uint64_t octets = 0;
  };
  // A recvmsg lays out each buffer as header, name, control, payload; sizes are the socket's, fixed at start.
  struct Layout {
    msghdr shape{};
    std::uint32_t payload_at = 0;
    bool is_v6 = false, is_wildcard = false;
  };
  Uring(const UringOptions& options, std::size_t sockets);
  Opened set_up(std::span<const UdpSocket> sockets);
  Opened register_buffers();
  void submit_and_wait(Instant until) noexcept;
  void flush() noexcept;
  void settle(int entered) noexcept;
  void look_for_failed_sends() noexcept;
  void on_failed_send(const io_uring_cqe& cqe) noexcept;
  void emit() noexcept;
  void depart(std::uint32_t train, std::uint32_t tries) noexcept;
  void depart_one_by_one(const Train& train) noexcept;
  io_uring_sqe* next_entry() noexcept;
  SendBuffer take_after_flush(std::uint32_t octets) noexcept;
  void arm_receive(SocketIndex socket) noexcept;
  void arm_outside() noexcept;
  void on_other(const io_uring_cqe& cqe) noexcept;
  void on_receive_error(int error, SocketIndex socket) noexcept;
  void end_turn(unsigned seen, const Tally& tally) noexcept;

  static std::uint64_t tag(Kind kind, std::uint64_t socket = 0) noexcept {
    return static_cast<std::uint64_t>(kind) | (socket << 8);
  }
  static Kind kind_of(const io_uring_cqe& cqe) noexcept { return static_cast<Kind>(cqe.user_data & 0xff); }
  static SocketIndex socket_of(const io_uring_cqe& cqe) noexcept {
    return static_cast<SocketIndex>(cqe.user_data >> 8);
  }
  char* buffer_at(std::uint32_t buffer) noexcept {
    return buffers_.get() + std::size_t{buffer} * buffer_octets_;
  }
  void give_back(std::uint32_t buffer) noexcept {
    io_uring_buf_ring_add(buffer_ring(), buffer_at(buffer), buffer_octets_,
                          static_cast<unsigned short>(buffer), static_cast<int>(options_.receive_buffers - 1),
                          static_cast<int>(given_back_++));
  }
  io_uring_buf_ring* buffer_ring() noexcept {
    return reinterpret_cast<io_uring_buf_ring*>(buffer_ring_.get());
  }

  bool read_datagram(const io_uring_cqe& cqe, Received& received, Tally& tally) noexcept {
    if (cqe.res < 0) [[unlikely]] {
      on_receive_error(-cqe.res, socket_of(cqe));
      return false;
    }
    const char* buffer = buffer_at(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
    received.socket = socket_of(cqe);
    const Layout& layout = layouts_[received.socket];
    io_uring_recvmsg_out head;
    std::memcpy(&head, buffer, sizeof head);
    const char* name = buffer + sizeof head;
    received.peer = layout.is_v6 ? endpoint_v6(name) : endpoint_v4(name);
    if (head.controllen != 0) {
      const Aside aside = aside_of(name + layout.shape.msg_namelen,
                                   std::min<std::size_t>(head.controllen, layout.shape.msg_controllen));
      received.local = aside.local;
      if (watch_.stamps()) [[unlikely]]
        received.waited = watch_.since(aside.stamp);
    }
    received.bytes = {buffer + layout.payload_at, static_cast<std::uint32_t>(cqe.res) - layout.payload_at};
    received.truncated = (head.flags & MSG_TRUNC) != 0;
    ++tally.datagrams;
    tally.octets += received.bytes.size();
    tally.truncated += received.truncated;
    return true;
  }

  UringOptions options_;
  TurnClock clock_;
  io_uring ring_{};
  bool has_ring_ = false;
  std::thread::id owner_;  // who started it
  std::uint32_t buffer_octets_;
  std::uint32_t given_back_ = 0;
  std::uint32_t releases_ = 0;  // of queued send slots
  unsigned looked_at_ = 0;      // completions before this one have been looked at for failed sends
  std::uint64_t queued_datagrams_ = 0, queued_octets_ = 0;
  Pages buffers_, buffer_ring_;
  SendSlots slots_;
  SendTrains trains_;
  TrainMessages messages_;
  std::vector<msghdr*> departed_;    // by train: its message
  std::vector<Layout> layouts_;      // by socket
  std::vector<char> disarmed_;       // by socket: its recvmsg has ended
  std::vector<UdpSocket> sockets_;
  OwnedFd outside_;
  std::uint64_t outside_count_ = 0;  // what the ring reads from outside_
  bool outside_armed_ = false;
  std::vector<int> peers_;  // ring descriptors by shard
  ErrorQueue errors_;
  QueueWatch watch_;
  Sieve sieve_;
  DriverCounters counters_;
};
static_assert(Driver<Uring>);

}  // namespace ringweir::io
