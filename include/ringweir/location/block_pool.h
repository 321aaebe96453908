// Blocks of many sizes out of one region that the caller reserved: pages are touched as they are used,
// nothing is asked of malloc, and running out is an answer, not an abort.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ringweir::location {

inline constexpr std::size_t kBlockGrain = 16;
inline constexpr std::size_t kBlockBytesMax = 1'408;
inline constexpr std::size_t kBlockClasses = kBlockBytesMax / kBlockGrain;
constexpr std::size_t block_class(std::size_t bytes) noexcept {
  return (bytes + kBlockGrain - 1) / kBlockGrain - 1;
}

// A free block. The first of a full magazine also links magazines.
struct FreeBlock {
  FreeBlock* next;
  FreeBlock* next_magazine;
};

// What all shards share: the rest of the region, and full magazines that one shard has too many of.
class BlockStore {
 public:
  explicit BlockStore(std::span<std::byte> region) noexcept : region_(region) {}
  std::byte* chunk(std::size_t bytes) noexcept;                    // null: used up
  bool put(std::size_t size_class, FreeBlock* magazine) noexcept;  // false: full, keep it
  FreeBlock* take(std::size_t size_class) noexcept;
  std::size_t bytes_used() const noexcept;

 private:
  static constexpr std::size_t kShelf = 16;
  std::span<std::byte> region_;
  alignas(64) std::atomic<std::size_t> used_{0};
  alignas(64) std::array<std::array<std::atomic<FreeBlock*>, kShelf>, kBlockClasses> depot_{};
};

// One thread's. A block may be taken by one shard and given by another.
class BlockPool {
 public:
  explicit BlockPool(BlockStore& store) noexcept : store_(store) {}
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  void* take(std::size_t bytes) noexcept;  // null: no memory
  void give(void* block, std::size_t bytes) noexcept;
  // Taken less given by this thread; only the sum over all pools says how many are out. Any thread.
  std::int64_t balance() const noexcept { return balance_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint32_t kMagazine = 128;
  struct Shelf {
    FreeBlock* active = nullptr;
    FreeBlock* spare = nullptr;  // full magazines
    std::byte* at = nullptr;     // the rest of the chunk being carved
    std::byte* end = nullptr;
    std::uint32_t active_count = 0;
    std::uint32_t spare_count = 0;
  };
  FreeBlock* refill(Shelf& shelf, std::size_t size_class) noexcept;
  void count(std::int64_t n) noexcept { balance_.store(balance() + n, std::memory_order_relaxed); }

  BlockStore& store_;
  std::atomic<std::int64_t> balance_{0};
  std::array<Shelf, kBlockClasses> shelves_;
};

}  // namespace ringweir::location
