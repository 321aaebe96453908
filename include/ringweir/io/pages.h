// Memory straight from the kernel: address space that becomes resident page by page as it is touched.
#pragma once
#include <cstddef>
#include <span>
#include <utility>

namespace ringweir::io {

// Asks the system for huge pages under large tables that are read at random; nothing when it has none. PERF: every miss in
// them was a page walk as well, which even a prefetch waits for.
void prefer_huge_pages(std::span<const std::byte> untouched) noexcept;
void gather_into_huge_pages(std::span<const std::byte> filled) noexcept;  // Linux 6.1; copies once

class Pages {
 public:
  Pages() = default;
  explicit Pages(std::size_t size) noexcept;  // empty when there is none
  Pages(Pages&& other) noexcept
      : at_(std::exchange(other.at_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Pages& operator=(Pages&& other) noexcept {
    std::swap(at_, other.at_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Pages();

  char* get() const noexcept { return at_; }
  std::size_t size() const noexcept { return size_; }
  explicit operator bool() const noexcept { return at_ != nullptr; }

 private:
  char* at_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace ringweir::io
