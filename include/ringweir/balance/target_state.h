// What all shards and control know of one target endpoint: its load, its health, its tallies. Atomics only,
// no lock.
//
// Ownership: made by control, one an endpoint; outlives every snapshot and every transaction that names it.
// Threads: all members may be called from any thread. Three cache lines: `gate` is read by every choice and
// seldom written, `load` is written by every transaction, `tallies` are written by answers and read by
// people.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>

#include "ringweir/balance/health.h"
#include "ringweir/balance/policy.h"
#include "ringweir/base/time.h"

namespace ringweir::balance {

// A count that any thread raises and lowers. It stops at zero: a lowering that no raising paired is refused
// and returned as false.
class SharedCount {
 public:
  void raise() noexcept { value_.fetch_add(1, std::memory_order_relaxed); }
  bool lower() noexcept {
    std::uint32_t n = value_.load(std::memory_order_relaxed);
    while (n != 0) {
      if (value_.compare_exchange_weak(n, n - 1, std::memory_order_relaxed)) return true;
    }
    return false;
  }
  std::uint32_t read() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint32_t> value_{0};
};

// A moving average of response times that jumps to a peak at once and comes down with time: with every
// sample, and by itself while nothing is heard. Value and time stamp share one word, so that a reader never
// sees half of each.
class PeakEwma {
 public:
  static constexpr Duration kDecay = 10s;  // after this long without a sample, half is left
  void observe(Duration sample, Instant now) noexcept;
  Duration read(Instant now) const noexcept;  // 0: nothing measured yet

 private:
  std::atomic<std::uint64_t> word_{
      0};  // low: microseconds; high: time in units of 2^16 ns, wraps in 78 hours
};

class TargetState {
 public:
  TargetState() noexcept = default;
  // For a target that is added to a running edge: its slow start begins here.
  explicit TargetState(Instant came_up) noexcept;
  TargetState(const TargetState&) = delete;
  TargetState& operator=(const TargetState&) = delete;

  // --- The shards. began/ended and began/abandoned pair up; TransactionInFlight and CallOpen (in_flight.h)
  // see to it.
  void transaction_began() noexcept { load_.outstanding.raise(); }
  // `took`: from the request's first sending to the first response, final or provisional (not 100 of a hop).
  void transaction_ended(Duration took, Instant now) noexcept;
  void transaction_abandoned() noexcept;  // it ended without a response, or was never sent
  void call_began() noexcept;
  void call_ended() noexcept;
  // What the target did. Each may eject it as `passive` says. An ICMP report can be forged: a good answer
  // that comes kProofAfter later or more ends an ejection as unreachable.
  static constexpr Duration kProofAfter = 1s;
  void answered(std::uint16_t status, Instant now, const Passive& passive) noexcept;
  void timed_out(Instant now, const Passive& passive) noexcept;
  void unreachable(Instant now, const Passive& passive) noexcept;  // ICMP, connection refused: at once
  void failed_over() noexcept;                                     // a request went on to another target

  // --- Control. These return true when they changed whether the target is used.
  bool probe_succeeded(Instant now, const Probing& probing) noexcept;
  bool probe_failed(Instant now, const Probing& probing) noexcept;
  // Probes were switched off: what they said no longer counts, and an ejected target is tried after its time.
  void probing_stopped(Instant now) noexcept;
  void drain() noexcept { gate_.draining.store(true, std::memory_order_relaxed); }
  void undrain(Instant now) noexcept;  // begins a slow start

  // --- Readers.
  Health health(Instant now) const noexcept;
  bool draining() const noexcept { return gate_.draining.load(std::memory_order_relaxed); }
  // May a request that begins something go there?
  bool usable(Instant now) const noexcept { return !draining() && reachable(now); }
  // May a request of a call that it already has go there? Draining does not stop those.
  bool reachable(Instant now) const noexcept;
  // How much of its share a target gets `slow_start` after it came up: from kShareMin to kShareFull.
  static constexpr std::uint32_t kShareFull = 256, kShareMin = 26;
  std::uint32_t share(Instant now, Duration slow_start) const noexcept;

  std::uint32_t outstanding() const noexcept { return load_.outstanding.read(); }
  std::uint32_t calls() const noexcept { return load_.calls.read(); }
  Duration ewma(Instant now) const noexcept { return load_.ewma.read(now); }
  Ejection ejection() const noexcept;
  Verdict verdict() const noexcept;

  struct Tallies {
    std::uint64_t calls, timeouts, unreachables, ejections, failovers, probes_good, probes_bad;
    std::uint64_t unpaired;                  // ends that nothing had begun: a mistake of ours, visible
    std::array<std::uint64_t, 7> responses;  // by class, [1] to [6]; [0]: no SIP status
  };
  Tallies tallies() const noexcept;

 private:
  void bad_outcome(Cause cause, Instant now, const Passive& passive) noexcept;
  bool eject(Cause cause, Instant now, const Passive& passive) noexcept;
  bool lift_unreachable(Instant now) noexcept;
  template <class Change>
  std::pair<Verdict, Verdict> change_verdict(Change change) noexcept;  // before, after

  struct alignas(64) Gate {
    std::atomic<std::uint32_t> verdict{0};
    std::atomic<bool> draining{false};
    std::atomic<std::uint64_t> ejection{0};
    std::atomic<std::int64_t> up_since_ns{INT64_MIN};
    std::atomic<std::int64_t> ejected_at_ns{INT64_MIN};
  };
  struct alignas(64) Load {
    SharedCount outstanding, calls;
    PeakEwma ewma;
  };
  struct alignas(64) Sums {
    std::atomic<std::uint64_t> calls{0}, timeouts{0}, unreachables{0}, ejections{0}, failovers{0},
        probes_good{0}, probes_bad{0}, unpaired{0};
    std::array<std::atomic<std::uint64_t>, 7> responses{};
  };
  Gate gate_;
  Load load_;
  Sums sums_;
};

}  // namespace ringweir::balance
