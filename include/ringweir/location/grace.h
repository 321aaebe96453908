// Quiescent states: what a reader may still hold is given back only after every reader has been seen without
// it. Readers pay one plain store a turn; nobody ever waits.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>

#include "ringweir/base/limits.h"

namespace ringweir::location {

class Grace {
 public:
  static constexpr std::uint64_t kOffline = ~std::uint64_t{0};
  static constexpr std::size_t kParticipantsMax = limits::kShardsMax + 8;  // shards, control, tests

  // Call after unlinking: what was unlinked may be given back once passed(returned value).
  std::uint64_t close() noexcept { return epoch_.fetch_add(1, std::memory_order_seq_cst) + 1; }
  bool passed(std::uint64_t epoch) const noexcept;

 private:
  friend class Participant;
  struct alignas(64) Seat {
    std::atomic<std::uint64_t> seen{kOffline};  // the epoch at its last quiescent state
    std::atomic<bool> taken{false};
  };
  alignas(64) std::atomic<std::uint64_t> epoch_{1};
  std::atomic<std::uint32_t> seats_used_{0};
  std::array<Seat, kParticipantsMax> seats_;
};

// A thread that reads. Begins online. All calls from that one thread; what it found is its own until it says
// quiescent() or offline(). A thread that sleeps while online keeps every block of the others from being
// reused.
class Participant {
 public:
  explicit Participant(Grace& grace) noexcept;
  ~Participant();
  Participant(const Participant&) = delete;
  Participant& operator=(const Participant&) = delete;

  void quiescent() noexcept {
    seat_->seen.store(grace_.epoch_.load(std::memory_order_acquire), std::memory_order_release);
  }
  void offline() noexcept { seat_->seen.store(Grace::kOffline, std::memory_order_release); }
  void online() noexcept;

 private:
  Grace& grace_;
  Grace::Seat* seat_ = nullptr;
};

}  // namespace ringweir::location
