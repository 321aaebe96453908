// Where a driver's outgoing datagrams are assembled: two pools carved at start, most of 4 KiB, a few that
// hold any datagram. A slot is free, taken (being written), or queued (the kernel may still read it).
#pragma once
#include <memory>
#include <vector>

#include "ringweir/base/check.h"
#include "ringweir/base/limits.h"
#include "ringweir/io/driver.h"

namespace ringweir::io {

class SendSlots {
 public:
  static constexpr std::uint32_t kOctets = 4'096;
  static constexpr std::uint32_t kOctetsLarge = limits::kMessageBytesMax;

  SendSlots(std::uint32_t count, std::uint32_t count_large);

  SendBuffer take(std::uint32_t octets) noexcept {
    const bool is_large = octets > kOctets;
    auto& free = is_large ? free_large_ : free_;
    if (free.empty() || octets > kOctetsLarge) [[unlikely]]
      return {};
    const std::uint32_t slot = free.back();
    free.pop_back();
    return {data(slot), is_large ? kOctetsLarge : kOctets, slot};
  }
  void give(std::uint32_t slot) noexcept {
    check(slot < size(), "a send slot of this driver");
    (slot < count_ ? free_ : free_large_).push_back(slot);
  }
  void queue(std::uint32_t slot) noexcept { queued_.push_back(slot); }
  // The kernel has read every queued slot. Backwards, so that the next datagram is written where the last
  // turn's first was: the same few slots stay in the cache.
  void release_queued() noexcept {
    while (!queued_.empty()) {
      give(queued_.back());
      queued_.pop_back();
    }
  }

  char* data(std::uint32_t slot) noexcept {
    return slot < count_ ? small_.get() + std::size_t{slot} * kStride
                         : large_.get() + std::size_t{slot - count_} * kStrideLarge;
  }
  std::uint32_t size() const noexcept { return count_ + count_large_; }
  bool has_queued() const noexcept { return !queued_.empty(); }
  std::size_t memory_bytes() const noexcept;

 private:
  // One line more than a power of two: slots that begin a page apart would all share the same sets of the
  // cache.
  static constexpr std::size_t kStride = kOctets + 64;
  static constexpr std::size_t kStrideLarge = 65'536 + 64;
  static_assert(kOctetsLarge <= kStrideLarge);

  std::uint32_t count_, count_large_;
  std::unique_ptr<char[]> small_, large_;
  std::vector<std::uint32_t> free_, free_large_, queued_;  // never grow: reserved at start
};

}  // namespace ringweir::io
