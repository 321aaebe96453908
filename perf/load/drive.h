// Drives one phase of a workload: starts what is due, harvests, flushes, and knows when it is over.
#pragma once
#include <algorithm>
#include <cstdint>
#include <ctime>

#include "options.h"
#include "outcome.h"
#include "peers.h"
#include "usage.h"

namespace ringweir::load {

struct Phase {
  Workload workload = Workload::options;
  double rate = 0;
  double duration_s = 0;
  double warm_up_s = 0;
  std::uint64_t count = 0;
};

// RFC 3261 17.1.1.2 and 17.1.2.2: a request is sent again after T1, then after twice as long each time, a
// non-INVITE at most every T2; its transaction ends at 64 T1 (Timers A, B, E, F).
inline constexpr std::int64_t kT1Ns = 500'000'000;
inline constexpr std::int64_t kT2Ns = 4'000'000'000;
inline constexpr std::int64_t kTransactionNs = 64 * kT1Ns;
inline constexpr std::int64_t kTimerTickNs = 20'000'000;

// What drive() asks of a workload: which of its units (a transaction, a call) to start when, and their
// timers.
//   bool room()                     closed loop: another one may start
//   bool begin(workload, due, now)  false when none could
//   void take(peer, text, now)      a datagram
//   void run_timers(now)            every kTimerTickNs
//   std::uint32_t in_flight()
//   std::int64_t patience_ns()      how long after the last start the last one may take to end
//   bool& counting()                between the two readings of the clock
template <class Work>
class Drive {
 public:
  Drive(Work& work, Peers& peers, const Options& options) : work_(work), peers_(peers), options_(options) {}

  // Fills from, to, not_started and abandoned.
  void run(const Phase& phase, Outcome& outcome) {
    std::int64_t now = now_ns();
    const std::int64_t from = now + nanoseconds(phase.warm_up_s);
    const std::int64_t until = now + nanoseconds(phase.duration_s);
    std::int64_t tick = now, drained = until + work_.patience_ns();
    bool starting = true, measured = false;
    due_ns_ = now;
    while (now < drained) {
      peers_.harvest([&](std::uint32_t peer, std::string_view message) { work_.take(peer, message, now); });
      if (!work_.counting() && !measured && now >= from) {
        outcome.from = read_usage(options_.watch_pids, options_.watch_cpu);
        work_.counting() = true;
      }
      const bool counted_out = phase.count != 0 && started_ >= phase.count;
      if (starting && (now >= until || counted_out)) {
        starting = false;
        drained = std::min(drained, now + work_.patience_ns());
      }
      // By duration the figures end with the last start; by count with the last answer.
      if (work_.counting() && !starting && (!counted_out || work_.in_flight() == 0)) {
        outcome.to = read_usage(options_.watch_pids, options_.watch_cpu);
        work_.counting() = false;
        measured = true;
      }
      if (!starting && work_.in_flight() == 0) break;
      if (starting) start_due(phase, now, outcome);
      if (now - tick >= kTimerTickNs) {
        work_.run_timers(now);
        tick = now;
      }
      peers_.flush();
      pause();
      now = now_ns();
    }
    if (!measured) outcome.to = read_usage(options_.watch_pids, options_.watch_cpu);
    outcome.abandoned = work_.in_flight();
  }

 private:
  static std::int64_t nanoseconds(double seconds) { return static_cast<std::int64_t>(seconds * 1e9); }

  void start_due(const Phase& phase, std::int64_t now, Outcome& outcome) {
    if (phase.rate <= 0) {
      while (work_.room() && (phase.count == 0 || started_ < phase.count)) {
        if (!work_.begin(phase.workload, now, now)) return;
        ++started_;
      }
      return;
    }
    const auto gap = static_cast<std::int64_t>(1e9 / phase.rate);
    for (; due_ns_ <= now && (phase.count == 0 || started_ < phase.count); due_ns_ += gap) {
      if (work_.begin(phase.workload, due_ns_, now)) {
        ++started_;
      } else {
        ++outcome.not_started;
      }
    }
  }

  // A paced load sleeps whether or not a reply is there, so that replies gather: the server never has to wake
  // us, and one receive and one send serve many transactions.
  void pause() {
    if (options_.pace_us == 0) {
      peers_.wait(1'000'000);
      return;
    }
    const timespec gap{0, options_.pace_us * 1'000L};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &gap, nullptr);
  }

  Work& work_;
  Peers& peers_;
  const Options& options_;
  std::uint64_t started_ = 0;
  std::int64_t due_ns_ = 0;
};

}  // namespace ringweir::load
