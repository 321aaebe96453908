// A counter written by one thread and read by any: no locked instruction on the message path.
#pragma once
#include <atomic>
#include <cstdint>

namespace ringweir {

class Counter {
 public:
  // Owner thread only.
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void set(std::uint64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }
  // Any thread.
  std::uint64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace ringweir
