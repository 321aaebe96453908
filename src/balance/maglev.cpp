#include "ringweir/balance/maglev.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "ringweir/base/check.h"

namespace ringweir::balance {
namespace {

constexpr std::uint32_t kSlots = limits::kMaglevSlots;

// A member's own order of preference over all slots: offset + j * skip mod M visits each once, as M is prime.
struct Permutation {
  std::uint32_t at, skip;
  std::uint64_t credit = 0;  // turns it is owed, in units of the greatest weight
  explicit Permutation(std::uint64_t identity) noexcept
      : at(reduce(rehash(identity, 1), kSlots)), skip(1 + reduce(rehash(identity, 2), kSlots - 1)) {}
  std::uint32_t next() noexcept {
    const std::uint32_t slot = at;
    at += skip;
    if (at >= kSlots) at -= kSlots;
    return slot;
  }
};

}  // namespace

Maglev::Maglev(std::span<const Member> members) {
  check(!members.empty() && members.size() <= limits::kTargetsPerUpstreamMax, "members of a Maglev table");
  std::vector<std::uint8_t> order(members.size());
  std::iota(order.begin(), order.end(), std::uint8_t{0});
  // Turns are taken in the order of identities, so that where a target stands in a list moves no key.
  std::ranges::sort(order, {}, [&](std::uint8_t i) { return std::pair(members[i].identity, i); });
  std::vector<Permutation> permutations;
  std::uint64_t most = 1;
  for (const Member& member : members) {
    permutations.emplace_back(member.identity);
    most = std::max<std::uint64_t>(most, member.weight);
  }
  slots_.assign(kSlots, 0);
  std::vector<bool> taken(kSlots, false);
  for (std::uint32_t filled = 0;;) {
    for (const std::uint8_t i : order) {
      // The paper leaves open how weights change the turns: each round credits a weight, a turn costs the
      // greatest.
      Permutation& own = permutations[i];
      own.credit += std::max<std::uint32_t>(members[i].weight, 1);
      if (own.credit < most) continue;
      own.credit -= most;
      std::uint32_t slot = own.next();
      while (taken[slot]) slot = own.next();
      taken[slot] = true;
      slots_[slot] = i;
      if (++filled == kSlots) return;
    }
  }
}

}  // namespace ringweir::balance
