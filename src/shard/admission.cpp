#include "ringweir/shard/admission.h"

#include <algorithm>
#include <chrono>

namespace ringweir::shard {

namespace {

struct Ramp {
  double from, to;  // in targets
};
constexpr std::array<Ramp, kLoads> kRamps{{
    {1e9, 2e9},  // under_way
    {1e9, 2e9},  // refresh
    {2.5, 3.5},
    {2.0, 3.0},
    {1.5, 2.5},
    {0.5, 1.5},
}};
constexpr double kSilentFrom = 12.0;
constexpr double kReserved = 0.4, kReservedUntil = 12.0;
constexpr Duration kReservedBurst = 10ms;

// The sieve is used where fewer than kSieveBelow of the new dialogs can be admitted, and lets through so many
// that kAdmittedWanted of them are.
constexpr double kAdmittedWanted = 0.8, kSieveBelow = 0.6;
constexpr double kSieveGain = 0.1;  // of a new measure: two seconds, so that waves of calls do not turn it
constexpr double kOpening = 1.2;
constexpr std::uint32_t kPassesLeast = 20'000, kPassesAll = 1'000'000;

constexpr double kQueueShare = 1.0 / 3;  // of the wait at which the kernel's queue is full
constexpr int kTargetLeast = 20;         // the target in use is at least this part of the configured one
constexpr double kTargetRise = 1.02;     // a measure without overflow

constexpr double kRateLeast = 10;    // appointments a second where nothing was measured
constexpr double kBooked = 0.7;      // of the rate: the rest is for who comes without an appointment
constexpr double kRateFades = 0.99;  // a measure: half in 14 s

double seconds(Duration d) noexcept {
  return std::chrono::duration<double>(d).count();
}
Duration scaled(Duration d, double by) noexcept {
  return Duration{static_cast<std::int64_t>(static_cast<double>(d.count()) * by)};
}

}  // namespace

// Whether the wait stands.
void Admission::follow(Duration wait, Instant now) noexcept {
  if (wait > target_) {
    if (!above_) above_since_ = now;
    above_ = true;
    below_ = false;
    sheds_ = sheds_ || now - above_since_ >= (wait >= kHiccup ? kHiccupDrains : kStanding);
  } else if (wait < target_ / 2) {
    if (!below_) below_since_ = now;
    above_ = false;
    below_ = true;
    if (now - below_since_ >= kStanding) sheds_ = false;
  }
}

// Where even refusing all of the excess is more than a shard can do, it would do nothing else: part of what
// it can admit is admitted all the same, and the refusals get what is left.
bool Admission::is_reserved(Load load, Instant now) noexcept {
  Book& book = books_[static_cast<std::size_t>(load)];
  if (book.rate == 0 || now < book.reserved) return false;
  book.reserved = std::max(book.reserved, now - kReservedBurst) + scaled(1s, 1 / (kReserved * book.rate));
  return true;
}

Admitted Admission::shed_or_accept(Load load, Duration wait, Instant now) noexcept {
  const auto at = static_cast<std::size_t>(load);
  const double targets = seconds(wait) / seconds(target_);
  const double share = std::clamp((targets - kRamps[at].from) / (kRamps[at].to - kRamps[at].from), 0.0, 1.0);
  carry_[at] += share;
  if (carry_[at] < 1.0 || (targets < kReservedUntil && is_reserved(load, now))) {
    carry_[at] = std::min(carry_[at], 1.0);
    ++accepted_[at];
    return Admitted::accept;
  }
  carry_[at] -= 1.0;
  ++refused_[at];
  return targets > kSilentFrom && now - above_since_ >= kStanding ? Admitted::ignore : Admitted::refuse;
}

void Admission::measure(Instant now) noexcept {
  const double took = seconds(std::clamp<Duration>(now - measure_began_, kMeasure, 5 * kMeasure));
  measure_began_ = now;
  measure_ends_ = now + kMeasure;
  const auto dialog = static_cast<std::size_t>(Load::dialog);
  turn_sieve(static_cast<double>(accepted_[dialog]) / took, static_cast<double>(refused_[dialog]) / took);
  for (std::size_t i = 0; i < kLoads; ++i) {
    // Most of a call comes after it was admitted: only an average over seconds says how many a shard can
    // serve.
    const double rate = i == dialog ? dialogs_admitted_ : measured(static_cast<Load>(i), took);
    books_[i].rate = std::max(books_[i].rate * kRateFades, rate);
  }
  fit_target();
  accepted_ = {};
  refused_ = {};
}

void Admission::fit_target() noexcept {
  if (overflowed_) {
    target_ = std::clamp(scaled(longest_, kQueueShare), policy_.target / kTargetLeast, target_);
  } else {
    target_ = std::min(policy_.target, scaled(target_, kTargetRise));
  }
  overflowed_ = false;
  longest_ = {};
}

// Calls a second.
void Admission::turn_sieve(double accepted, double refused) noexcept {
  const double offered = (accepted + refused) * kPassesAll / passes_;
  dialogs_offered_ += kSieveGain * (offered - dialogs_offered_);
  dialogs_admitted_ += kSieveGain * (accepted - dialogs_admitted_);
  double passes = passes_ * kOpening;  // nothing is shed: open, step by step
  if (policy_.sieve && sheds_) {
    const bool is_wanted = dialogs_admitted_ < kSieveBelow * dialogs_offered_;
    passes = is_wanted ? dialogs_admitted_ / (kAdmittedWanted * dialogs_offered_) * kPassesAll : kPassesAll;
  }
  passes_ =
      std::clamp(static_cast<std::uint32_t>(std::min(passes, double{kPassesAll})), kPassesLeast, kPassesAll);
}

// A registration that begins and one that answers a challenge stand in one line: it is the same phone.
Admission::Book& Admission::book_of(Load load) noexcept {
  return books_[static_cast<std::size_t>(load == Load::registration_begun ? Load::registration : load)];
}

// What the shard can admit a second, as far as this measure shows.
double Admission::measured(Load load, double took) const noexcept {
  const auto count = [&](Load of) { return static_cast<double>(accepted_[static_cast<std::size_t>(of)]); };
  if (load != Load::registration) return count(load) / took;
  const double first = count(Load::registration), second = count(Load::registration_begun);
  return (first + second) / (challenges_ ? 2 : 1) / took;
}

// The rate is the best of late, not an average: while a storm is being refused the shard admits little,
// because refusing is work too, but that is not what it can do when they come back by appointment. And an
// appointment too late cannot be moved, while one too early is only made again.
std::uint32_t Admission::retry_after_s(Load load, Instant now) noexcept {
  Book& book = book_of(load);
  const double rate = std::max({book.rate, measured(load, seconds(kMeasure)), kRateLeast});
  const Instant soonest = now + 1s, latest = now + std::chrono::seconds{kRetryAfterMax};
  book.next = std::max(book.next + scaled(1s, 1 / (kBooked * rate)), soonest);
  if (book.next > latest) {
    book.next = latest;
    return kRetryAfterMax / 2 + random_.below(kRetryAfterMax / 2 + 1);
  }
  // Whole seconds: of those between two, as many go up as are nearer to the upper.
  const auto wait = static_cast<std::uint64_t>((book.next - now).count()) + random_.below(1'000'000'000);
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(wait / 1'000'000'000, 1, kRetryAfterMax));
}

}  // namespace ringweir::shard
