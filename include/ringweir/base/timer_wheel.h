// A hierarchical timer wheel: O(1) to arm, move and cancel, intrusive, no allocation.
// Ticks are milliseconds-per-tick of the owner's choosing. One thread.
#pragma once
#include <array>
#include <bit>
#include <cstdint>

#include "ringweir/base/check.h"

namespace ringweir {

// Embedded in what expires. Must not move in memory while armed.
struct TimerNode {
  TimerNode* next = nullptr;
  TimerNode* previous = nullptr;
  std::uint64_t due = 0;  // tick
  bool armed() const noexcept { return next != nullptr; }
};

class TimerWheel {
 public:
  explicit TimerWheel(std::uint64_t now_tick = 0) noexcept;
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Arms or re-arms. A tick that has passed fires at the next advance().
  void arm(TimerNode& node, std::uint64_t due_tick) noexcept;
  void cancel(TimerNode& node) noexcept;

  // Fires every node due at or before `to_tick`, each unlinked before `fire(TimerNode&)` is called, which may arm
  // or cancel any node. Stops after `most` nodes and says so by returning false: call again, nothing is lost.
  template <class Fire>
  bool advance(std::uint64_t to_tick, std::uint32_t most, Fire&& fire) {
    for (;;) {
      while (TimerNode* node = pop(due_)) {
        if (most-- == 0) {
          push(due_, *node);
          return false;
        }
        --size_;
        fire(*node);
      }
      if (now_ >= to_tick) return true;
      step(to_tick);
    }
  }

  // The earliest tick at which advance() may have something to do; UINT64_MAX when empty. A lower bound: cascades count.
  std::uint64_t next_due() const noexcept;
  std::uint64_t now() const noexcept { return now_; }
  std::size_t size() const noexcept { return size_; }

 private:
  static constexpr unsigned kSlotBits = 6, kSlots = 1u << kSlotBits, kLevels = 6;  // 2^36 ticks
  void push(TimerNode& list, TimerNode& node) noexcept;
  static TimerNode* pop(TimerNode& list) noexcept;
  void unlink(TimerNode& node) noexcept;
  void place(TimerNode& node) noexcept;
  void step(std::uint64_t to_tick) noexcept;

  std::uint64_t now_;
  std::size_t size_ = 0;
  TimerNode due_;
  std::array<std::uint64_t, kLevels> occupied_{};
  std::array<std::array<TimerNode, kSlots>, kLevels> slots_;
};

}  // namespace ringweir
