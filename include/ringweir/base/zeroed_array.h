// A large array of zeroed words or lines, allocated once at start: resident only where it was touched, and where it is large
// laid out so that the caller may ask the system for huge pages under it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>

namespace ringweir {

template <class T>
class ZeroedArray {
 public:
  explicit ZeroedArray(std::size_t count) : size_(count) {
    const std::size_t alignment = count * sizeof(T) >= kHugePage ? kHugePage : kLine;
    memory_.reset(std::calloc(count * sizeof(T) + alignment, 1));  // untouched pages cost address space only
    if (!memory_) throw std::bad_alloc();                          // at start
    const auto at = reinterpret_cast<std::uintptr_t>(memory_.get());
    first_ = reinterpret_cast<T*>((at + alignment - 1) & ~(alignment - 1));
  }
  T* data() const noexcept { return first_; }
  T& operator[](std::size_t i) const noexcept { return first_[i]; }
  std::span<const std::byte> memory() const noexcept {
    return std::as_bytes(std::span<const T>(first_, size_));
  }

 private:
  static constexpr std::size_t kLine = 64, kHugePage = std::size_t{2} << 20;
  struct Free {
    void operator()(void* at) const noexcept { std::free(at); }
  };
  std::size_t size_;
  std::unique_ptr<void, Free> memory_;
  T* first_;
};

}  // namespace ringweir
