#include "ringweir/location/binding_set.h"

#include <algorithm>
#include <cstring>

#include "location/binding.h"

namespace ringweir::location {

BindingSet::BindingSet(std::uint64_t hash, std::string_view aor, std::size_t count) noexcept
    : hash_(hash),
      count_(static_cast<std::uint8_t>(count)),
      aor_size_(static_cast<std::uint8_t>(aor.size())) {
  static_assert(sizeof(BindingSet) >= kHeader && offsetof(BindingSet, aor_size_) == kHeader - 1);
  std::memcpy(reinterpret_cast<char*>(this) + kHeader, aor.data(), aor.size());
}

BindingSet::BindingSet(const BindingSet& original, const BindingSet* retired) noexcept
    : BindingSet(original.hash_, original.aor(), original.count_) {
  std::copy_n(original.members(), count_, members());
  retired_ = retired;
}

BindingView BindingSet::view(std::size_t i) const noexcept {
  const Binding& b = *members()[i];
  const Lease lease = b.read();
  return {.contact = b.contact(),
          .call_id = b.call_id(),
          .cseq = lease.cseq,
          .q_thousandths = b.q_thousandths,
          .user_agent = b.user_agent,
          .socket = b.socket,
          .owner = b.owner,
          .source = {b.source_ip, b.source_port},
          .expires_at = to_instant(lease.expires),
          .registered_at = to_instant(b.registered)};
}

std::size_t BindingSet::alive(Instant now) const noexcept {
  const Tick tick = to_tick(now);
  return static_cast<std::size_t>(
      std::count_if(members(), members() + count_, [&](const Binding* b) { return b->alive(tick); }));
}

bool BindingSet::contains(const Binding* binding) const noexcept {
  return std::find(members(), members() + count_, binding) != members() + count_;
}

}  // namespace ringweir::location
