#include "ringweir/location/registrations.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "location/binding.h"
#include "location/plan.h"
#include "ringweir/base/check.h"
#include "ringweir/base/limits.h"

namespace ringweir::location {
namespace {

constexpr Tick kRetryTicks =
    static_cast<Tick>(1s / kTick);  // when there was no memory to expire one of several

bool too_long(const Registration& request) noexcept {
  return request.aor.size() > limits::kAorBytesMax || request.call_id.size() > limits::kCallIdBytesMax ||
         std::ranges::any_of(request.contacts,
                             [](const ContactUpdate& c) { return c.text.size() > limits::kContactBytesMax; });
}

static_assert(Binding::bytes(limits::kContactBytesMax, limits::kCallIdBytesMax) <= kBlockBytesMax);

}  // namespace

// What is built before the directory is asked: new bindings and the set that would hold them.
struct Registrations::Draft {
  BindingSet* set = nullptr;
  std::array<Binding*, limits::kContactsPerRequestMax> added{};
  std::size_t added_count = 0;
};

Registrations::Registrations(Directory& directory, std::uint32_t shard, Instant now)
    : directory_(directory),
      shard_(static_cast<std::uint8_t>(shard)),
      pool_(directory.store_),
      wheel_(to_tick(now)) {
  check(shard < directory.inboxes_.size(), "shard");
}

Outcome Registrations::apply(const Registration& request, const BindingSet*& result) {
  for (;;) {
    const AorTable::Place place = directory_.table_.locate(request.aor, request.aor_hash);
    result = place.found;
    if (request.contacts.empty() && !request.star) return Outcome::done;
    if (request.contacts.size() > limits::kContactsPerRequestMax) return Outcome::too_many_contacts;
    if (too_long(request)) return Outcome::too_long;
    Plan plan(request, place.found, shard_);
    if (const Outcome outcome = plan.decide(); outcome != Outcome::done) return outcome;
    Draft fresh;
    if (plan.changes_set()) {
      if (!draft(plan, request, place.found, fresh)) return Outcome::no_memory;
      const auto commit = AorTable::commit(place, fresh.set, pool_, limbo_);
      if (commit != AorTable::Commit::done) discard(fresh);
      if (commit == AorTable::Commit::no_memory) return Outcome::no_memory;
      if (commit == AorTable::Commit::raced) {
        races_.add();
        continue;
      }
      result = fresh.set;
    }
    settle(plan, request, place.found, fresh);
    return Outcome::done;
  }
}

Binding* Registrations::make(const ContactUpdate& contact, const Registration& request, Tick registered,
                             std::uint16_t agent) noexcept {
  void* block = pool_.take(Binding::bytes(contact.text.size(), request.call_id.size()));
  if (!block) return nullptr;
  auto* binding = ::new (block) Binding{.timer = {},
                                        .lease = {},
                                        .aor_hash = request.aor_hash,
                                        .link = nullptr,
                                        .registered = registered,
                                        .contact_size = static_cast<std::uint16_t>(contact.text.size()),
                                        .user_agent = agent,
                                        .source_ip = request.source.ip,
                                        .source_port = request.source.port,
                                        .socket = request.socket,
                                        .q_thousandths = contact.q_thousandths,
                                        .owner = shard_,
                                        .call_id_size = static_cast<std::uint8_t>(request.call_id.size())};
  std::memcpy(binding->texts(), contact.text.data(), contact.text.size());
  std::memcpy(binding->texts() + contact.text.size(), request.call_id.data(), request.call_id.size());
  binding->write({request.cseq, lease_end(request, contact)});
  return binding;
}

// False, with nothing taken, when there is no memory.
bool Registrations::draft(const Plan& plan, const Registration& request, const BindingSet* old,
                          Draft& out) noexcept {
  const std::size_t count = plan.kept() + plan.added().size();
  if (count == 0) return true;
  if (plan.added().size() > plan.dropped() && directory_.bindings() >= directory_.bindings_max())
    return false;
  std::uint16_t agent = 0;
  if (!plan.added().empty()) {
    agent = directory_.user_agents_.intern(request.user_agent, directory_.hash(request.user_agent), pool_);
  }
  for (const Plan::Added& added : plan.added()) {
    Binding* binding = make(request.contacts[added.update], request, added.registered, agent);
    if (!binding) {
      discard(out);
      return false;
    }
    out.added[out.added_count++] = binding;
  }
  void* block = pool_.take(BindingSet::bytes(request.aor.size(), count));
  if (!block) {
    discard(out);
    return false;
  }
  out.set = ::new (block) BindingSet(request.aor_hash, request.aor, count);
  Binding** next = out.set->members();
  for (std::size_t i = 0; old && i < old->size(); ++i) {
    if (plan.fate(i) != Plan::Fate::drop) *next++ = old->members()[i];
  }
  std::copy_n(out.added.begin(), out.added_count, next);
  return true;
}

// Nothing of a draft was ever seen by a reader.
void Registrations::discard(Draft& draft) noexcept {
  for (std::size_t i = 0; i < draft.added_count; ++i) pool_.give(draft.added[i], draft.added[i]->bytes());
  if (draft.set) pool_.give(draft.set, draft.set->bytes());
  draft = {};
}

// The directory has the new set: now the timers, and what was in the old set only. Fates are of the old set's
// members.
void Registrations::settle(const Plan& plan, const Registration& request, const BindingSet* old,
                           const Draft& draft) noexcept {
  for (std::size_t i = 0; old && i < old->size(); ++i) {
    Binding& binding = *old->members()[i];
    if (plan.fate(i) == Plan::Fate::refresh)
      refresh(binding, request.cseq, lease_end(request, plan.refreshed_by(i)));
    if (plan.fate(i) == Plan::Fate::drop) unlinked(binding);
  }
  for (std::size_t i = 0; i < draft.added_count; ++i) {
    wheel_.arm(draft.added[i]->timer, draft.added[i]->read().expires);
    ++live_;
  }
  if (!plan.changes_set()) return;
  count(static_cast<std::int64_t>(draft.added_count) - static_cast<std::int64_t>(plan.dropped()),
        (draft.set ? 1 : 0) - (old ? 1 : 0));
}

// PERF: the timer stays where it is when the lease only grows; it finds the new end when it fires. Moving it
// would touch two neighbours and a list's end, three cache misses, on every refresh instead of once a lease.
void Registrations::refresh(Binding& binding, std::uint32_t cseq, Tick expires) noexcept {
  binding.write({cseq, expires});
  if (expires < binding.timer.due) wheel_.arm(binding.timer, expires);
}

// A binding leaves the directory once, by whoever swapped it out; its memory and its timer are its owner's.
void Registrations::unlinked(Binding& binding) noexcept {
  if (binding.owner == shard_) return let_go(binding);
  auto& inbox = directory_.inboxes_[binding.owner].head;
  binding.link = inbox.load(std::memory_order_relaxed);
  while (!inbox.compare_exchange_weak(binding.link, &binding, std::memory_order_release,
                                      std::memory_order_relaxed)) {
  }
}

void Registrations::let_go(Binding& binding) noexcept {
  wheel_.cancel(binding.timer);
  limbo_.retire(&binding);
  --live_;
}

bool Registrations::expire(Instant now, std::uint32_t most) {
  const Tick tick = to_tick(now);
  return wheel_.advance(tick, most, [&](TimerNode& node) {
    static_assert(offsetof(Binding, timer) == 0);
    expired(reinterpret_cast<Binding&>(node), tick);
  });
}

void Registrations::expired(Binding& binding, Tick now) noexcept {
  const Tick end = binding.read().expires;
  if (end > now) return wheel_.arm(binding.timer, end);  // refreshed since
  for (;;) {
    const AorTable::Place place = directory_.table_.locate(&binding, binding.aor_hash);
    if (!place.found) return;  // taken over: it is in the inbox, or about to be
    const BindingSet& old = *place.found;
    BindingSet* fresh = nullptr;
    if (old.size() > 1) {
      void* block = pool_.take(BindingSet::bytes(old.aor().size(), old.size() - 1));
      if (!block) return wheel_.arm(binding.timer, now + kRetryTicks);  // readers see that it is not alive
      fresh = ::new (block) BindingSet(old.hash(), old.aor(), old.size() - 1);
      std::remove_copy(old.members(), old.members() + old.size(), fresh->members(), &binding);
    }
    const auto commit = AorTable::commit(place, fresh, pool_, limbo_);
    if (commit == AorTable::Commit::done) {
      count(-1, fresh ? 0 : -1);
      return let_go(binding);
    }
    if (fresh) pool_.give(fresh, fresh->bytes());
    if (commit == AorTable::Commit::no_memory) return wheel_.arm(binding.timer, now + kRetryTicks);
    races_.add();
  }
}

Instant Registrations::next_expiry() const noexcept {
  return wheel_.size() == 0 ? Instant::max() : Instant{static_cast<std::int64_t>(wheel_.next_due()) * kTick};
}

void Registrations::turn() noexcept {
  auto& inbox = directory_.inboxes_[shard_].head;
  if (inbox.load(std::memory_order_relaxed)) {
    Binding* binding = inbox.exchange(nullptr, std::memory_order_acquire);
    while (binding) {
      Binding* next = binding->link;
      taken_over_.add();
      let_go(*binding);
      binding = next;
    }
  }
  limbo_.turn(directory_.grace_, pool_);
}

bool Registrations::unsettled() const noexcept {
  return limbo_.size() > 0 || directory_.inboxes_[shard_].head.load(std::memory_order_relaxed) != nullptr;
}

void Registrations::count(std::int64_t bindings, std::int64_t aors) noexcept {
  auto& counts = directory_.counts_;
  if (bindings) counts.bindings.fetch_add(static_cast<std::uint64_t>(bindings), std::memory_order_relaxed);
  if (aors) counts.aors.fetch_add(static_cast<std::uint64_t>(aors), std::memory_order_relaxed);
}

}  // namespace ringweir::location
