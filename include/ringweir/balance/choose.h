// Which target a request goes to, and why. Pure: state is read from the targets' atomics, time and chance are
// given.
//
// The rule when nothing may be used (all down, ejected, draining or tried): no target. There is no panic mode
// that sends to a farm that is down; the caller answers 503 with Retry-After (RFC 3261 21.5.4), see
// retry_after().
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "ringweir/balance/upstream.h"
#include "ringweir/base/random.h"
#include "ringweir/base/time.h"

namespace ringweir::balance {

// Placement hashes of a request. One that the algorithm does not use may be 0. Edges that share a key for
// them place alike.
struct Keys {
  std::uint64_t call_id = 0, from = 0, to = 0, uri = 0;
};

// The targets that a request was already sent to, by index.
class Tried {
 public:
  void add(std::uint16_t target) noexcept { words_[target / 64] |= std::uint64_t{1} << (target % 64); }
  bool has(std::uint16_t target) const noexcept { return (words_[target / 64] >> (target % 64) & 1) != 0; }
  bool any() const noexcept { return (words_[0] | words_[1] | words_[2] | words_[3]) != 0; }

 private:
  static_assert(limits::kTargetsPerUpstreamMax == 256);
  std::array<std::uint64_t, 4> words_{};
};

// Enough to say in a sentence why a target was chosen. 32 octets, for a ring of decisions.
struct Why {
  Algorithm algorithm;
  std::uint16_t target;  // chosen
  std::uint16_t usable,
      members;  // of the level: how many could have been chosen (hashes do not count: 0), how many there are
  std::uint32_t priority;  // of the level
  bool backup : 1;         // no target of an earlier level could be used
  bool displaced : 1;  // a hash's first target could not be used; the hash alone may not find this one again
  bool starting : 1;   // the chosen one is in its slow start
  bool failover : 1;   // others were tried before
  bool continues : 1;  // for a call that the farm already has
  std::uint8_t
      looks;  // of a hash: how many until a usable target was found; 255: none was, and a draw decided
  std::uint64_t figure;  // calls, transactions, nanoseconds of cost, slot of the table
};
static_assert(sizeof(Why) <= 32);

struct Choice {
  std::uint16_t target;  // index into Upstream::targets()
  Why why;
};

// For a request that begins something. Never a target that is down, ejected, draining or tried. Under 100 ns
// for ten targets, without allocation (bench/balance_bench). Any shard.
std::optional<Choice> choose(const Upstream& upstream, const Keys& keys, const Tried& tried, Instant now,
                             Random& random) noexcept;

// For a request inside a call that names no target (no Route of ours): as above, but a target that drains may
// be chosen and a slow start does not matter, so that a hash finds where the call began. A call whose Choice
// was `displaced`, or whose target's health changed since, is found only by who remembers it.
std::optional<Choice> choose_again(const Upstream& upstream, const Keys& keys, const Tried& tried,
                                   Instant now, Random& random) noexcept;

// How long until some ejected target is tried again; zero when nothing says. For Retry-After.
Duration retry_after(const Upstream& upstream, Instant now) noexcept;

// Sentences for `ringweir upstream why CALL-ID`. Cold.
std::string describe(const Why& why, const Upstream& upstream);
std::string describe_none(const Upstream& upstream, Instant now);

}  // namespace ringweir::balance
