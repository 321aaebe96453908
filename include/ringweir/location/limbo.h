// What one thread has unlinked and readers may still hold.
#pragma once
#include <array>
#include <cstdint>

#include "ringweir/location/block_pool.h"
#include "ringweir/location/grace.h"

namespace ringweir::location {

struct Binding;
class BindingSet;

class Limbo {
 public:
  void retire(Binding* binding) noexcept;
  void retire(const BindingSet* set) noexcept;
  // Once a turn: closes what was retired since and gives back what no reader can hold any more.
  void turn(Grace& grace, BlockPool& pool) noexcept;
  std::size_t size() const noexcept { return size_; }

 private:
  struct Batch {
    std::uint64_t epoch = 0;
    Binding* bindings = nullptr;
    const BindingSet* sets = nullptr;
  };
  void give_back(Batch& batch, BlockPool& pool) noexcept;

  static constexpr std::uint32_t kClosedMax =
      4;  // when all wait, the open batch grows: bounded by the region
  Batch open_;
  std::array<Batch, kClosedMax> closed_;
  std::uint32_t first_ = 0;
  std::uint32_t closed_count_ = 0;
  std::size_t size_ = 0;
};

}  // namespace ringweir::location
