// The hash table of the directory: each bucket is the head of a chain of immutable sets. A change builds what
// it changes anew (the set, and copies of those before it in the chain) and swings the head by one
// compare-and-swap, so two writers of one AOR can neither both win nor both insert, and a reader walks a
// chain that cannot change. Why not rculfhash: DECISIONS.md and bench/location_bench.cpp, which measures it
// beside this.
#pragma once
#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "ringweir/base/hash.h"
#include "ringweir/base/prefetch.h"
#include "ringweir/location/binding_set.h"
#include "ringweir/location/block_pool.h"
#include "ringweir/location/limbo.h"

namespace ringweir::location {

class AorTable {
 public:
  using Bucket = std::atomic<const BindingSet*>;
  // Where an AOR is, or would be. Good for one commit by a thread that has not been quiescent since.
  struct Place {
    Bucket* bucket;
    const BindingSet* head;
    const BindingSet* found;  // null: not there
  };
  enum class Commit : std::uint8_t { done, raced, no_memory };

  explicit AorTable(std::span<Bucket> buckets) noexcept : buckets_(buckets) {}
  std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(buckets_.size()); }

  // Any thread, wait-free.
  const BindingSet* find(std::string_view aor, std::uint64_t hash) const noexcept;
  const BindingSet* chain(std::uint32_t bucket) const noexcept {
    return buckets_[bucket].load(std::memory_order_acquire);
  }
  static const BindingSet* next(const BindingSet* set) noexcept { return set->next_; }
  // The way to an AOR's bindings is three cache misses, one behind the other: bucket, set, binding. Each step starts the next
  // one's; called with other work between them, the misses cost nothing. Any thread that may call find().
  void prefetch(std::uint64_t hash) const noexcept { prefetch_to_read(&buckets_[reduce(hash, size())]); }
  void prefetch_set(std::uint64_t hash) const noexcept {
    if (const BindingSet* set = chain(reduce(hash, size()))) set->prefetch();
  }
  void prefetch_members(std::uint64_t hash) const noexcept {
    if (const BindingSet* set = chain(reduce(hash, size()))) set->prefetch_member();
  }

  Place locate(std::string_view aor, std::uint64_t hash) const noexcept;
  Place locate(const Binding* member, std::uint64_t hash) const noexcept;
  // Puts `fresh` (null: nothing) where place.found was and retires what it replaced. When it is not done
  // nothing has changed and `fresh` is still the caller's.
  static Commit commit(const Place& place, BindingSet* fresh, BlockPool& pool, Limbo& limbo) noexcept;

 private:
  std::span<Bucket> buckets_;
};

}  // namespace ringweir::location
