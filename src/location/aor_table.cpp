#include "ringweir/location/aor_table.h"

#include <new>

namespace ringweir::location {

const BindingSet* AorTable::find(std::string_view aor, std::uint64_t hash) const noexcept {
  const BindingSet* set = chain(reduce(hash, size()));
  while (set && (set->hash_ != hash || set->aor() != aor)) set = set->next_;
  return set;
}

AorTable::Place AorTable::locate(std::string_view aor, std::uint64_t hash) const noexcept {
  Bucket& bucket = buckets_[reduce(hash, size())];
  const BindingSet* head = bucket.load(std::memory_order_acquire);
  const BindingSet* set = head;
  while (set && (set->hash_ != hash || set->aor() != aor)) set = set->next_;
  return {&bucket, head, set};
}

AorTable::Place AorTable::locate(const Binding* member, std::uint64_t hash) const noexcept {
  Bucket& bucket = buckets_[reduce(hash, size())];
  const BindingSet* head = bucket.load(std::memory_order_acquire);
  const BindingSet* set = head;
  while (set && (set->hash_ != hash || !set->contains(member))) set = set->next_;
  return {&bucket, head, set};
}

AorTable::Commit AorTable::commit(const Place& place, BindingSet* fresh, BlockPool& pool,
                                  Limbo& limbo) noexcept {
  const BindingSet* const rest = place.found ? place.found->next_ : place.head;
  const BindingSet* const last =
      place.found ? place.found : place.head;  // copies are made of those before it
  if (fresh) fresh->next_ = rest;
  const BindingSet* head = fresh ? fresh : rest;
  BindingSet* copies = nullptr;  // the copied prefix, last first while it is built
  bool memory = true;
  for (const BindingSet* set = place.head; set != last; set = set->next_) {
    void* block = pool.take(set->bytes());
    if (!block) {
      memory = false;
      break;
    }
    // Field by field: whoever wins a race for this bucket may be writing the original's retired_.
    copies = ::new (block) BindingSet(*set, copies);
  }
  for (BindingSet* copy = copies; copy; copy = const_cast<BindingSet*>(copy->retired_)) {
    copy->next_ = head;
    head = copy;
  }
  const BindingSet* seen = place.head;
  if (memory && place.bucket->compare_exchange_strong(seen, head, std::memory_order_acq_rel,
                                                      std::memory_order_relaxed)) {
    for (const BindingSet* set = place.head; set != last; set = set->next_) limbo.retire(set);
    if (place.found) limbo.retire(place.found);
    return Commit::done;
  }
  while (copies) {
    BindingSet* copy = copies;
    copies = const_cast<BindingSet*>(copy->retired_);
    pool.give(copy, copy->bytes());
  }
  return memory ? Commit::raced : Commit::no_memory;
}

}  // namespace ringweir::location
