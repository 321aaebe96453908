#include "ringweir/io/send_slots.h"

namespace ringweir::io {

// Not value-initialised: pages that are never written are never resident.
SendSlots::SendSlots(std::uint32_t count, std::uint32_t count_large)
    : count_(count),
      count_large_(count_large),
      small_(std::make_unique_for_overwrite<char[]>(std::size_t{count} * kStride)),
      large_(std::make_unique_for_overwrite<char[]>(std::size_t{count_large} * kStrideLarge)) {
  free_.reserve(count);
  free_large_.reserve(count_large);
  queued_.reserve(size());
  for (std::uint32_t i = count; i-- > 0;) free_.push_back(i);
  for (std::uint32_t i = count_large; i-- > 0;) free_large_.push_back(count + i);
}

std::size_t SendSlots::memory_bytes() const noexcept {
  return count_ * kStride + count_large_ * kStrideLarge + 2 * size() * sizeof(std::uint32_t);
}

}  // namespace ringweir::io
