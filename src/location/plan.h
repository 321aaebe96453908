// RFC 3261 10.3 steps 6 and 7 as a decision: what one REGISTER would do to one set of bindings. Changes
// nothing.
#pragma once
#include <array>
#include <cstdint>

#include "location/binding.h"
#include "ringweir/base/limits.h"
#include "ringweir/location/registrations.h"

namespace ringweir::location {

class Plan {
 public:
  // Members of one set: the contacts allowed, and as many again that have expired but are not yet removed.
  static constexpr std::size_t kMembersMax = 2 * limits::kContactsPerAorMax;
  static_assert(kMembersMax <= 64, "a set of members is one word");

  enum class Fate : std::uint8_t { keep, refresh, drop };
  struct Added {
    std::uint8_t update;  // index into the request's contacts
    Tick registered;
  };

  Plan(const Registration& request, const BindingSet* set, std::uint8_t shard) noexcept;
  Outcome decide() noexcept;

  bool changes_set() const noexcept { return added_count_ > 0 || kept_ < members_; }
  std::size_t kept() const noexcept { return kept_; }
  std::size_t dropped() const noexcept { return members_ - kept_; }
  std::span<const Added> added() const noexcept { return {added_.data(), added_count_}; }
  Fate fate(std::size_t member) const noexcept { return fates_[member]; }
  const ContactUpdate& refreshed_by(std::size_t member) const noexcept {
    return request_.contacts[refreshed_by_[member]];
  }

 private:
  using Mask = std::uint64_t;
  Outcome star() noexcept;
  Outcome contact(std::size_t update) noexcept;
  bool superseded(std::size_t update) const noexcept;
  Mask named_by(const ContactUpdate& update) const noexcept;
  bool out_of_order(const Binding& binding) const noexcept;
  bool refreshes_in_place(const Binding& binding, const ContactUpdate& update) const noexcept;
  void drop(std::size_t member) noexcept;
  Outcome limits() const noexcept;
  const Binding& member(std::size_t i) const noexcept { return *set_->members()[i]; }

  const Registration& request_;
  const BindingSet* const set_;
  const Tick now_;
  const std::uint8_t shard_;
  std::size_t members_;
  std::size_t kept_;
  std::size_t added_count_ = 0;
  std::array<Fate, kMembersMax> fates_;
  std::array<std::uint8_t, kMembersMax> refreshed_by_;
  std::array<Added, limits::kContactsPerRequestMax> added_;
};

// The tick at which a lease granted by this request ends.
Tick lease_end(const Registration& request, const ContactUpdate& contact) noexcept;

}  // namespace ringweir::location
