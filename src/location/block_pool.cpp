#include "ringweir/location/block_pool.h"

#include "ringweir/base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size) static_cast<void>(0)
#define ASAN_UNPOISON_MEMORY_REGION(at, size) static_cast<void>(0)
#endif

namespace ringweir::location {

std::byte* BlockStore::chunk(std::size_t bytes) noexcept {
  std::size_t used = used_.load(std::memory_order_relaxed);
  do {
    if (bytes > region_.size() - used) return nullptr;
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  return region_.data() + used;
}

// A slot holds a whole magazine or null, and only exchanges touch it: no ABA, no retry.
bool BlockStore::put(std::size_t size_class, FreeBlock* magazine) noexcept {
  for (auto& slot : depot_[size_class]) {
    FreeBlock* empty = nullptr;
    if (slot.load(std::memory_order_relaxed) == nullptr &&
        slot.compare_exchange_strong(empty, magazine, std::memory_order_release, std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

FreeBlock* BlockStore::take(std::size_t size_class) noexcept {
  for (auto& slot : depot_[size_class]) {
    if (slot.load(std::memory_order_relaxed) == nullptr) continue;
    if (FreeBlock* magazine = slot.exchange(nullptr, std::memory_order_acquire)) return magazine;
  }
  return nullptr;
}

std::size_t BlockStore::bytes_used() const noexcept {
  return used_.load(std::memory_order_relaxed);
}

// Spare magazines first, then this chunk, then what others have too much of, then fresh memory.
FreeBlock* BlockPool::refill(Shelf& shelf, std::size_t size_class) noexcept {
  if (shelf.spare) {
    FreeBlock* magazine = shelf.spare;
    shelf.spare = magazine->next_magazine;
    --shelf.spare_count;
    shelf.active_count = kMagazine;
    return magazine;
  }
  const std::size_t size = (size_class + 1) * kBlockGrain;
  if (static_cast<std::size_t>(shelf.end - shelf.at) < size) {
    if (FreeBlock* magazine = store_.take(size_class)) {
      shelf.active_count = kMagazine;
      return magazine;
    }
    // A page keeps blocks of a cache line's multiple on their lines; larger blocks would waste too much of
    // one.
    const std::size_t chunk = size <= 256 ? 4'096 : 16'384;
    shelf.at = store_.chunk(chunk);
    shelf.end = shelf.at ? shelf.at + chunk : nullptr;
    if (!shelf.at) return nullptr;
  }
  auto* block = ::new (static_cast<void*>(shelf.at)) FreeBlock{nullptr, nullptr};
  shelf.at += size;
  shelf.active_count = 1;
  return block;
}

void* BlockPool::take(std::size_t bytes) noexcept {
  const std::size_t size_class = block_class(bytes);
  check(bytes > 0 && size_class < kBlockClasses, "a block larger than the limits allow");
  Shelf& shelf = shelves_[size_class];
  if (!shelf.active) shelf.active = refill(shelf, size_class);
  FreeBlock* block = shelf.active;
  if (!block) return nullptr;
  shelf.active = block->next;
  --shelf.active_count;
  count(1);
  ASAN_UNPOISON_MEMORY_REGION(block, bytes);
  return block;
}

void BlockPool::give(void* memory, std::size_t bytes) noexcept {
  const std::size_t size_class = block_class(bytes);
  Shelf& shelf = shelves_[size_class];
  if (shelf.active_count == kMagazine) {
    const bool enough = shelf.spare_count > 0;
    if (!enough || !store_.put(size_class, shelf.active)) {
      shelf.active->next_magazine = shelf.spare;
      shelf.spare = shelf.active;
      ++shelf.spare_count;
    }
    shelf.active = nullptr;
    shelf.active_count = 0;
  }
  shelf.active = ::new (memory) FreeBlock{shelf.active, nullptr};
  ++shelf.active_count;
  count(-1);
  // The links stay readable; whoever still reads the rest is a reader that outstayed its grace.
  ASAN_POISON_MEMORY_REGION(static_cast<std::byte*>(memory) + sizeof(FreeBlock), bytes - sizeof(FreeBlock));
}

}  // namespace ringweir::location
