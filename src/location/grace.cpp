#include "ringweir/location/grace.h"

#include "ringweir/base/check.h"

namespace ringweir::location {

bool Grace::passed(std::uint64_t epoch) const noexcept {
  // Pairs with the fence in online(): either we see that a reader came back, or it sees what we unlinked.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const std::uint32_t used = seats_used_.load(std::memory_order_acquire);
  for (std::uint32_t i = 0; i < used; ++i) {
    if (seats_[i].seen.load(std::memory_order_acquire) < epoch) return false;
  }
  return true;
}

Participant::Participant(Grace& grace) noexcept : grace_(grace) {
  for (std::uint32_t i = 0; i < Grace::kParticipantsMax && !seat_; ++i) {
    bool taken = false;
    if (!grace.seats_[i].taken.compare_exchange_strong(taken, true, std::memory_order_acq_rel)) continue;
    seat_ = &grace.seats_[i];
    std::uint32_t used = grace.seats_used_.load(std::memory_order_relaxed);
    while (used < i + 1 && !grace.seats_used_.compare_exchange_weak(used, i + 1, std::memory_order_seq_cst)) {
    }
  }
  check(seat_ != nullptr, "more readers than seats");
  online();
}

Participant::~Participant() {
  offline();
  seat_->taken.store(false, std::memory_order_release);
}

void Participant::online() noexcept {
  quiescent();
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

}  // namespace ringweir::location
