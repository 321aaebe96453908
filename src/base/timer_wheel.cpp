#include "ringweir/base/timer_wheel.h"

#include <algorithm>
#include <limits>

namespace ringweir {

TimerWheel::TimerWheel(std::uint64_t now_tick) noexcept : now_(now_tick) {
  due_.next = due_.previous = &due_;
  for (auto& level : slots_) {
    for (auto& list : level) list.next = list.previous = &list;
  }
}

void TimerWheel::push(TimerNode& list, TimerNode& node) noexcept {
  node.previous = list.previous;
  node.next = &list;
  list.previous->next = &node;
  list.previous = &node;
}

TimerNode* TimerWheel::pop(TimerNode& list) noexcept {
  TimerNode* node = list.next;
  if (node == &list) return nullptr;
  list.next = node->next;
  node->next->previous = &list;
  node->next = node->previous = nullptr;
  return node;
}

void TimerWheel::unlink(TimerNode& node) noexcept {
  node.previous->next = node.next;
  node.next->previous = node.previous;
  node.next = node.previous = nullptr;
}

// A node sits on the lowest level whose span still tells its slot from now's.
void TimerWheel::place(TimerNode& node) noexcept {
  if (node.due <= now_) return push(due_, node);
  constexpr std::uint64_t kSpan = std::uint64_t{1} << (kSlotBits * kLevels);
  const std::uint64_t due = std::min(node.due, now_ + kSpan - 1);  // farther ones cascade again
  const unsigned highest = 63u - static_cast<unsigned>(std::countl_zero(due ^ now_));
  const unsigned level = std::min(highest / kSlotBits, kLevels - 1);
  const unsigned slot = (due >> (level * kSlotBits)) & (kSlots - 1);
  push(slots_[level][slot], node);
  occupied_[level] |= std::uint64_t{1} << slot;
}

void TimerWheel::arm(TimerNode& node, std::uint64_t due_tick) noexcept {
  if (node.armed()) {
    unlink(node);
  } else {
    ++size_;
  }
  node.due = due_tick;
  place(node);
}

void TimerWheel::cancel(TimerNode& node) noexcept {
  if (!node.armed()) return;
  unlink(node);
  --size_;
}

std::uint64_t TimerWheel::next_due() const noexcept {
  if (due_.next != &due_) return now_;
  for (unsigned level = 0; level < kLevels; ++level) {
    const unsigned shift = level * kSlotBits;
    const unsigned here = (now_ >> shift) & (kSlots - 1);
    // Slots at or before `here` on this level belong to the next turn of the level above, or are stale bits.
    const std::uint64_t ahead = here == kSlots - 1 ? 0 : occupied_[level] & (~std::uint64_t{0} << (here + 1));
    if (ahead) {
      const unsigned slot = static_cast<unsigned>(std::countr_zero(ahead));
      return ((now_ >> shift) + (slot - here)) << shift;
    }
    if (level + 1 == kLevels && occupied_[level]) return ((now_ >> shift) + 1) << shift;
  }
  return std::numeric_limits<std::uint64_t>::max();
}

// Moves now to the next slot that holds something (at most to_tick) and brings its nodes down.
void TimerWheel::step(std::uint64_t to_tick) noexcept {
  const std::uint64_t target = next_due();
  if (target > to_tick) {
    now_ = to_tick;
    return;
  }
  now_ = target;
  for (unsigned level = kLevels; level-- > 0;) {
    const unsigned shift = level * kSlotBits;
    if (level > 0 && (now_ & ((std::uint64_t{1} << shift) - 1)) != 0) continue;
    const unsigned slot = (now_ >> shift) & (kSlots - 1);
    if (!(occupied_[level] >> slot & 1)) continue;
    occupied_[level] &= ~(std::uint64_t{1} << slot);
    TimerNode pending;  // placed nodes may come back to this very slot
    TimerNode& list = slots_[level][slot];
    pending.next = pending.previous = &pending;
    while (TimerNode* node = pop(list)) push(pending, *node);
    while (TimerNode* node = pop(pending)) place(*node);
  }
}

}  // namespace ringweir
