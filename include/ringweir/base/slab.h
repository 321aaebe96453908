// Fixed-size blocks of one region, asked for at start and never given back: the message path takes and
// returns them without malloc. A block is carved when it is first needed, so that what was never taken is
// never resident. One thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "ringweir/base/check.h"

namespace ringweir {

template <class T>
class Slab {
 public:
  explicit Slab(std::uint32_t capacity)
      : capacity_(capacity), blocks_(static_cast<Block*>(::operator new(sizeof(Block) * capacity, kAlign))) {}
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() { ::operator delete(blocks_, kAlign); }

  // Null when every block is taken: the caller sheds.
  template <class... Args>
  T* take(Args&&... args) noexcept {
    Block* block = free_;
    if (block) {
      free_ = block->next;
    } else {
      if (carved_ == capacity_) return nullptr;
      block = &blocks_[carved_++];
    }
    ++taken_;
    return ::new (static_cast<void*>(block)) T(std::forward<Args>(args)...);
  }
  void give(T* object) noexcept {
    object->~T();
    Block* block = reinterpret_cast<Block*>(object);
    check(block >= blocks_ && block < blocks_ + carved_, "block of another slab");
    block->next = free_;
    free_ = block;
    --taken_;
  }
  // A block's number, below carved(), and back. at() is for who knows that the block is taken.
  std::uint32_t index(const T& object) const noexcept {
    return static_cast<std::uint32_t>(reinterpret_cast<const Block*>(&object) - blocks_);
  }
  T& at(std::uint32_t index) noexcept { return *reinterpret_cast<T*>(blocks_ + index); }
  std::uint32_t taken() const noexcept { return taken_; }
  std::uint32_t capacity() const noexcept { return capacity_; }
  std::uint32_t carved() const noexcept { return carved_; }  // the most that were ever taken at once

 private:
  union Block {
    Block* next;
    alignas(T) std::byte bytes[sizeof(T)];
  };
  static constexpr std::align_val_t kAlign{alignof(Block) < 64 ? 64 : alignof(Block)};
  std::uint32_t capacity_;
  std::uint32_t taken_ = 0;
  std::uint32_t carved_ = 0;
  Block* blocks_;
  Block* free_ = nullptr;
};

}  // namespace ringweir
