// The driver of simulations and benchmarks: memory instead of sockets, a clock that only moves when told. No allocation after
// construction. The world around it (network, peers, loss) lives in tests/sim; here is only the socket's two ends.
// One thread drives all the Sim drivers of a world.
#pragma once
#include <array>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "ringweir/base/check.h"
#include "ringweir/base/limits.h"
#include "ringweir/io/counters.h"
#include "ringweir/io/driver.h"

namespace ringweir::io {

struct SimClock {
  Instant now{};
  WallMs wall_ms = 1'700'000'000'000;
  void advance(Duration by) noexcept {
    now += by;
    wall_ms = kEpochMs + to_ms(now.time_since_epoch());
  }
  static constexpr WallMs kEpochMs = 1'700'000'000'000;
};

struct SimSent {
  std::string_view bytes;  // valid until clear_sent()
  Endpoint to;
  SocketIndex socket;
  IpAddress from{};        // unspecified: the network's choice
};

struct SimOptions {
  std::uint32_t inputs = 256;        // datagrams that wait to be read; more are lost, as in a full socket
  std::uint32_t send_buffers = 512;  // of 4 KiB; large ones are taken from a pool of 8
  std::uint32_t octets_each = 4'096;
};

class Sim {
 public:
  Sim(const SimClock& clock, const SimOptions& options);
  Sim(const Sim&) = delete;
  Sim& operator=(const Sim&) = delete;
  void connect(std::span<Sim* const> shards) { shards_.assign(shards.begin(), shards.end()); }

  // The world's side.
  // False when the socket buffer is full: the datagram is lost.
  bool deliver(std::string_view bytes, const Endpoint& from, SocketIndex socket) noexcept;
  std::span<const SimSent> sent() const noexcept { return sent_; }
  void clear_sent() noexcept;
  bool woken() const noexcept { return woken_; }
  bool has_input() const noexcept { return waiting_ != 0 || reports_waiting_ != 0; }
  // ICMP: a datagram to `peer` found nobody. Lost when too many wait, as in a full socket.
  void report_unreachable(const Endpoint& peer, SocketIndex socket) noexcept {
    if (reports_waiting_ < reports_.size()) reports_[reports_waiting_++] = {peer, socket};
  }
  std::uint32_t buffers_taken() const noexcept { return taken_; }
  void fail_buffers(bool on) noexcept { fail_buffers_ = on; }  // the next take_buffer() finds none

  // The shard's side (io/driver.h).
  Instant now() const noexcept { return clock_.now; }
  WallMs wall_ms() const noexcept { return clock_.wall_ms; }
  // Each look within a turn is a microsecond later: an order that people can read, the same in every run.
  Instant precise_now() noexcept { return clock_.now + std::chrono::microseconds{++looks_}; }
  SendBuffer take_buffer(std::uint32_t capacity) noexcept;
  void drop_buffer(SendBuffer buffer) noexcept;
  void send(SendBuffer buffer, std::uint32_t size, SocketIndex socket, const Endpoint& to,
            const IpAddress& from = {}, std::uint64_t order = 0) noexcept;
  void wake(std::uint32_t shard) noexcept;
  void wake_from_outside() noexcept { woken_ = true; }
  bool overflowed() noexcept { return std::exchange(overflowed_, false); }
  void sieve(const SievePattern&, std::uint32_t passes_per_million) noexcept { passes_ = passes_per_million; }
  std::uint32_t passes() const noexcept { return passes_; }  // for the world to heed
  const DriverCounters& counters() const noexcept { return counters_; }

  // Hands over what waits at the start of the turn, at most limits::kTurnBatchMax. Never sleeps: the world decides when to turn.
  template <class H>
  void turn(H& handler, Instant) {
    woken_ = false;
    looks_ = 0;
    counters_.turns.add();
    std::size_t batch = std::min<std::size_t>(waiting_, limits::kTurnBatchMax);
    while (batch-- > 0) {
      const Input& input = inputs_[head_];
      head_ = (head_ + 1) % static_cast<std::uint32_t>(inputs_.size());
      --waiting_;
      counters_.datagrams_in.add();
      const std::size_t kept = std::min<std::size_t>(input.size, options_.octets_each);
      Received received{};
      received.bytes = {input_text_.get() + std::size_t{input.slot} * options_.octets_each, kept};
      received.peer = input.from;
      received.socket = input.socket;
      received.truncated = kept < input.size;
      received.waited = clock_.now - input.at;
      handler.on_datagram(received);
    }
    handler.on_batch_end();
    // A copy's worth of care: the handler may have the world report more.
    const auto reports = reports_;
    const std::size_t count = std::exchange(reports_waiting_, 0);
    counters_.unreachable.add(count);
    for (std::size_t i = 0; i < count; ++i) handler.on_unreachable(reports[i].peer, reports[i].socket);
  }

 private:
  struct Input {
    std::uint32_t slot;
    std::uint32_t size;
    Endpoint from;
    SocketIndex socket;
    Instant at;
  };
  struct Report {
    Endpoint peer;
    SocketIndex socket;
  };
  static constexpr std::uint32_t kLargeBuffers = 8;
  char* buffer_at(std::uint32_t slot) noexcept;

  const SimClock& clock_;
  SimOptions options_;
  std::vector<Input> inputs_;
  std::unique_ptr<char[]> input_text_;
  std::uint32_t head_ = 0, waiting_ = 0;
  std::vector<std::uint32_t> free_, free_large_;
  std::unique_ptr<char[]> buffers_, large_;
  std::vector<SimSent> sent_;
  std::vector<std::uint32_t> sent_slots_;
  std::vector<Sim*> shards_;
  std::uint32_t taken_ = 0, looks_ = 0;
  std::array<Report, 32> reports_{};
  std::size_t reports_waiting_ = 0;
  bool overflowed_ = false;
  std::uint32_t passes_ = 1'000'000;
  bool woken_ = false, fail_buffers_ = false;
  DriverCounters counters_;
};
static_assert(Driver<Sim>);

}  // namespace ringweir::io
