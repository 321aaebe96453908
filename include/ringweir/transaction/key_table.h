// Finds what has a 64-bit key: chains through the entries themselves. Buckets are allocated at start; nothing
// after. One thread. T has `std::uint64_t key`, a keyed hash (keys.h), and `T* next_in_bucket`.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include "ringweir/base/check.h"
#include "ringweir/base/prefetch.h"

namespace ringweir::transaction {

template <class T>
class KeyTable {
 public:
  // As many buckets as entries there may be, up to the next power of two: chains stay at one entry on
  // average.
  explicit KeyTable(std::uint32_t entries_max)
      : mask_(std::bit_ceil(std::size_t{std::max(entries_max, 2u)}) - 1),
        buckets_(static_cast<T**>(std::calloc(mask_ + 1, sizeof(T*)))) {
    if (!buckets_) throw std::bad_alloc();  // at start
  }

  // Hints that `key` will be asked for: the line is fetched while the message is read further.
  void prefetch(std::uint64_t key) const noexcept { prefetch_to_read(&buckets_.get()[index(key)]); }
  T* find(std::uint64_t key) const noexcept {
    T* entry = *bucket(key);
    while (entry && entry->key != key) entry = entry->next_in_bucket;
    return entry;
  }
  // For what a key does not say alone (keys.h, to_tag_hash).
  template <class Same>
  T* find(std::uint64_t key, Same&& same) const noexcept {
    T* entry = *bucket(key);
    while (entry && !(entry->key == key && same(*entry))) entry = entry->next_in_bucket;
    return entry;
  }
  // `entry.key` is set and does not change until it is erased.
  void insert(T& entry) noexcept {
    T** const at = bucket(entry.key);
    entry.next_in_bucket = *at;
    *at = &entry;
    ++size_;
  }
  void erase(T& entry) noexcept {
    T** at = bucket(entry.key);
    while (*at && *at != &entry) at = &(*at)->next_in_bucket;
    check(*at != nullptr, "an entry of the table");
    *at = entry.next_in_bucket;
    entry.next_in_bucket = nullptr;
    --size_;
  }
  std::size_t size() const noexcept { return size_; }

 private:
  struct Free {
    void operator()(T** at) const noexcept { std::free(at); }
  };
  std::size_t index(std::uint64_t key) const noexcept { return (key >> 16) & mask_; }
  T** bucket(std::uint64_t key) const noexcept { return buckets_.get() + index(key); }
  std::size_t mask_;
  std::unique_ptr<T*, Free> buckets_;  // zeroed by the system: resident only where it was touched
  std::size_t size_ = 0;
};

}  // namespace ringweir::transaction
