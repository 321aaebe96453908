#include "location/plan.h"

#include <algorithm>
#include <bit>

#include "ringweir/sip/name_addr.h"

namespace ringweir::location {
namespace {

// Shards read the clock once a turn, so one may count a binding as gone while its owner, a little behind,
// refreshes it. Within this margin of its end a binding is therefore replaced, by compare-and-swap, and not
// refreshed in place.
constexpr Tick kClockMargin = static_cast<Tick>(1s / kTick);

// RFC 3261 10.3 step 7 compares URIs by 19.1.4.
bool same_contact(std::string_view kept, const ContactUpdate& update) noexcept {
  std::string_view rest;
  const auto address = sip::parse_name_addr(kept, rest);
  if (!address) return false;
  const auto uri = sip::parse_uri(address->uri);
  return uri && sip::equal(*uri, update.uri);
}

}  // namespace

Tick lease_end(const Registration& request, const ContactUpdate& contact) noexcept {
  return to_tick(request.now + std::min(contact.expires_s, limits::kExpiresSecondsMax) * Duration(1s));
}

Plan::Plan(const Registration& request, const BindingSet* set, std::uint8_t shard) noexcept
    : request_(request),
      set_(set),
      now_(to_tick(request.now)),
      shard_(shard),
      members_(set ? set->size() : 0),
      kept_(members_) {
  std::fill_n(fates_.begin(), members_, Fate::keep);
}

Outcome Plan::decide() noexcept {
  if (request_.star) return star();
  for (std::size_t i = 0; i < request_.contacts.size(); ++i) {
    if (const Outcome outcome = contact(i); outcome != Outcome::done) return outcome;
  }
  return limits();
}

// Only among requests of one Call-ID does CSeq say which came first.
bool Plan::out_of_order(const Binding& binding) const noexcept {
  const Lease lease = binding.read();
  return lease.expires > now_ && binding.call_id() == request_.call_id && request_.cseq <= lease.cseq;
}

// RFC 3261 10.3 step 6.
Outcome Plan::star() noexcept {
  for (std::size_t i = 0; i < members_; ++i) {
    if (out_of_order(member(i))) return Outcome::out_of_order;
    drop(i);
  }
  return Outcome::done;
}

// RFC 3261 10.3 step 7, for one contact.
Outcome Plan::contact(std::size_t index) noexcept {
  const ContactUpdate& update = request_.contacts[index];
  if (superseded(index)) return Outcome::done;
  const Mask named = named_by(update);
  Tick registered = now_;
  for (Mask rest = named; rest; rest &= rest - 1) {
    const auto i = static_cast<std::size_t>(std::countr_zero(rest));
    const Binding& binding = member(i);
    if (out_of_order(binding)) return Outcome::out_of_order;
    if (binding.alive(now_) && binding.call_id() == request_.call_id) registered = binding.registered;
    if (fates_[i] == Fate::keep && update.expires_s > 0 && refreshes_in_place(binding, update)) {
      fates_[i] = Fate::refresh;
      refreshed_by_[i] = static_cast<std::uint8_t>(index);
      return Outcome::done;
    }
  }
  for (Mask rest = named; rest; rest &= rest - 1) drop(static_cast<std::size_t>(std::countr_zero(rest)));
  if (update.expires_s > 0) added_[added_count_++] = {static_cast<std::uint8_t>(index), registered};
  return Outcome::done;
}

bool Plan::superseded(std::size_t index) const noexcept {
  const auto& contacts = request_.contacts;
  for (std::size_t later = index + 1; later < contacts.size(); ++later) {
    if (contacts[later].text == contacts[index].text || sip::equal(contacts[later].uri, contacts[index].uri))
      return true;
  }
  return false;
}

// Equality by 19.1.4 is not transitive (parameters that only one side has are ignored), so one contact may
// name several members. No two members are equal, because adding one removes those: the same text names one
// alone.
Plan::Mask Plan::named_by(const ContactUpdate& update) const noexcept {
  for (std::size_t i = 0; i < members_; ++i) {
    if (member(i).contact() == update.text) return Mask{1} << i;
  }
  Mask named = 0;
  for (std::size_t i = 0; i < members_; ++i) {
    if (same_contact(member(i).contact(), update)) named |= Mask{1} << i;
  }
  return named;
}

bool Plan::refreshes_in_place(const Binding& binding, const ContactUpdate& update) const noexcept {
  return binding.owner == shard_ && binding.alive(now_ + kClockMargin) && binding.contact() == update.text &&
         binding.call_id() == request_.call_id && binding.q_thousandths == update.q_thousandths &&
         binding.socket == request_.socket && binding.source_port == request_.source.port &&
         binding.source_ip == request_.source.ip;
}

void Plan::drop(std::size_t i) noexcept {
  if (fates_[i] != Fate::keep) return;
  fates_[i] = Fate::drop;
  --kept_;
}

Outcome Plan::limits() const noexcept {
  if (added_count_ == 0) return Outcome::done;
  std::size_t before = 0, after = added_count_;
  for (std::size_t i = 0; i < members_; ++i) {
    if (!member(i).alive(now_)) continue;
    ++before;
    if (fates_[i] != Fate::drop) ++after;
  }
  // A phone that holds its place keeps it when the limit was lowered since.
  if (after > request_.contacts_max && after > before) return Outcome::too_many_contacts;
  return kept_ + added_count_ > kMembersMax ? Outcome::too_many_contacts : Outcome::done;
}

}  // namespace ringweir::location
