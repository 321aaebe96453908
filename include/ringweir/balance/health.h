// The health of a target: two small values, and pure functions from one to the next. TargetState keeps them
// in atomics.
//
//   probes:  up --bad--> suspect --`fail` bad in a row--> down --`rise` good in a row--> up        suspect
//   --good--> up traffic: `after` bad outcomes in a row, or one ICMP unreachable, eject the target for a
//   while. When that is
//            over it is suspect: its next bad outcome ejects it again and for longer, its next good one
//            clears it.
#pragma once
#include <cstdint>
#include <string_view>

#include "ringweir/balance/policy.h"
#include "ringweir/base/random.h"
#include "ringweir/base/time.h"

namespace ringweir::balance {

enum class Health : std::uint8_t { up, suspect, down };
std::string_view to_string(Health health) noexcept;

// What probes and traffic have said so far.
struct Verdict {
  Health probed = Health::up;
  std::uint8_t failures = 0;   // bad probes in a row
  std::uint8_t successes = 0;  // good probes in a row
  std::uint8_t evidence = 0;   // bad outcomes of traffic in a row
  friend constexpr bool operator==(const Verdict&, const Verdict&) noexcept = default;
};

Verdict after_good_probe(Verdict verdict, const Probing& probing) noexcept;
Verdict after_bad_probe(Verdict verdict, const Probing& probing) noexcept;

enum class Cause : std::uint8_t { none, codes, timeouts, unreachable };
std::string_view to_string(Cause cause) noexcept;

// A target put aside by what traffic showed, until an instant.
struct Ejection {
  std::int64_t until_ms = 0;  // since the clock's epoch, at most 2^47 - 1; 0: never ejected
  std::uint8_t strikes = 0;   // ejections that followed one another closely
  Cause cause = Cause::none;
  constexpr bool holds(Instant now) const noexcept {
    return Instant(std::chrono::milliseconds(until_ms)) > now;
  }
  friend constexpr bool operator==(const Ejection&, const Ejection&) noexcept = default;
};

// The ejection that follows `last`: `eject`, doubled for each strike still held, at most `eject_max`. One
// strike is forgiven for each `eject` that has passed since the last ejection ended.
Ejection next_ejection(const Ejection& last, Cause cause, Instant now, const Passive& passive) noexcept;

// When to probe next: a tenth of `every` earlier or later, so that edges and targets do not march in step.
Instant next_probe(Instant now, const Probing& probing, Random& random) noexcept;
// When to probe for the first time: anywhere within `every`, so that a reload of a thousand targets is no
// burst.
Instant first_probe(Instant now, const Probing& probing, Random& random) noexcept;

}  // namespace ringweir::balance
