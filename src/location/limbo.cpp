#include "ringweir/location/limbo.h"

#include "location/binding.h"
#include "ringweir/location/binding_set.h"

namespace ringweir::location {

void Limbo::retire(Binding* binding) noexcept {
  binding->link = open_.bindings;
  open_.bindings = binding;
  ++size_;
}

void Limbo::retire(const BindingSet* set) noexcept {
  const_cast<BindingSet*>(set)->retired_ = open_.sets;  // only the thread that unlinked it writes here
  open_.sets = set;
  ++size_;
}

void Limbo::give_back(Batch& batch, BlockPool& pool) noexcept {
  while (Binding* binding = batch.bindings) {
    batch.bindings = binding->link;
    pool.give(binding, binding->bytes());
    --size_;
  }
  while (const BindingSet* set = batch.sets) {
    batch.sets = set->retired_;
    pool.give(const_cast<BindingSet*>(set), set->bytes());
    --size_;
  }
}

void Limbo::turn(Grace& grace, BlockPool& pool) noexcept {
  if (size_ == 0) return;
  while (closed_count_ > 0 && grace.passed(closed_[first_].epoch)) {
    give_back(closed_[first_], pool);
    first_ = (first_ + 1) % kClosedMax;
    --closed_count_;
  }
  if ((open_.bindings || open_.sets) && closed_count_ < kClosedMax) {
    open_.epoch = grace.close();
    closed_[(first_ + closed_count_++) % kClosedMax] = open_;
    open_ = {};
  }
}

}  // namespace ringweir::location
