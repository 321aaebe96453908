#include "ringweir/balance/target_state.h"

#include <algorithm>
#include <bit>

namespace ringweir::balance {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

constexpr std::uint64_t pack(const Ejection& e) noexcept {
  return static_cast<std::uint64_t>(e.until_ms) << 16 | std::uint64_t{e.strikes} << 8 |
         static_cast<std::uint64_t>(e.cause);
}
constexpr Ejection unpack(std::uint64_t word) noexcept {
  return {static_cast<std::int64_t>(word >> 16), static_cast<std::uint8_t>(word >> 8),
          static_cast<Cause>(word & 0xff)};
}

constexpr std::uint32_t ewma_us(std::uint64_t word) noexcept {
  return static_cast<std::uint32_t>(word);
}
constexpr std::uint32_t stamp_of(Instant now) noexcept {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(now.time_since_epoch().count()) >> 16);
}
constexpr std::uint64_t kStepUsMin = 8;
constexpr std::uint64_t kDecayTicks = static_cast<std::uint64_t>(PeakEwma::kDecay.count()) >> 16;

// Another thread's stamp may be a little ahead of our `now`: no time has passed then.
constexpr std::uint64_t ticks_since(std::uint64_t word, Instant now) noexcept {
  const std::uint32_t passed = stamp_of(now) - static_cast<std::uint32_t>(word >> 32);
  return passed > UINT32_MAX / 2 ? 0 : passed;
}

}  // namespace

void PeakEwma::observe(Duration sample, Instant now) noexcept {
  const std::uint64_t us = static_cast<std::uint64_t>(std::clamp<std::int64_t>(sample / 1us, 1, UINT32_MAX));
  std::uint64_t word = word_.load(kRelaxed);
  for (;;) {
    const std::uint64_t old = ewma_us(word);
    const std::uint64_t passed = ticks_since(word, now);
    std::uint64_t next = us;
    if (us < old) {
      // A sample's weight is how long it was waited for: passed / (passed + decay), which is 1 - e^-x to
      // first order. A step too small for whole microseconds waits for a later sample, or rounding would add
      // up.
      const std::uint64_t step = (old - us) * passed / (kDecayTicks + passed);
      if (step < kStepUsMin) return;
      next = old - step;
    }
    // A stamp of another thread that is ahead of ours stays.
    const std::uint64_t stamp = passed == 0 && word != 0 ? word >> 32 : stamp_of(now);
    if (word_.compare_exchange_weak(word, stamp << 32 | next, kRelaxed)) return;
  }
}

Duration PeakEwma::read(Instant now) const noexcept {
  const std::uint64_t word = word_.load(kRelaxed);
  const std::uint64_t us = ewma_us(word);
  if (us == 0) return Duration::zero();
  return std::chrono::microseconds(
      std::max<std::uint64_t>(us * kDecayTicks / (kDecayTicks + ticks_since(word, now)), 1));
}

TargetState::TargetState(Instant came_up) noexcept {
  gate_.up_since_ns.store(came_up.time_since_epoch().count(), kRelaxed);
}

void TargetState::transaction_ended(Duration took, Instant now) noexcept {
  load_.ewma.observe(took, now);
  transaction_abandoned();
}

void TargetState::transaction_abandoned() noexcept {
  if (!load_.outstanding.lower()) sums_.unpaired.fetch_add(1, kRelaxed);
}

void TargetState::call_began() noexcept {
  load_.calls.raise();
  sums_.calls.fetch_add(1, kRelaxed);
}

void TargetState::call_ended() noexcept {
  if (!load_.calls.lower()) sums_.unpaired.fetch_add(1, kRelaxed);
}

Verdict TargetState::verdict() const noexcept {
  return std::bit_cast<Verdict>(gate_.verdict.load(kRelaxed));
}

Ejection TargetState::ejection() const noexcept {
  return unpack(gate_.ejection.load(kRelaxed));
}

template <class Change>
std::pair<Verdict, Verdict> TargetState::change_verdict(Change change) noexcept {
  std::uint32_t word = gate_.verdict.load(kRelaxed);
  for (;;) {
    const Verdict before = std::bit_cast<Verdict>(word);
    const Verdict after = change(before);
    if (before == after ||
        gate_.verdict.compare_exchange_weak(word, std::bit_cast<std::uint32_t>(after), kRelaxed)) {
      return {before, after};
    }
  }
}

void TargetState::answered(std::uint16_t status, Instant now, const Passive& passive) noexcept {
  sums_.responses[status >= 100 && status < 700 ? status / 100u : 0].fetch_add(1, kRelaxed);
  if (passive.codes.has(status)) return bad_outcome(Cause::codes, now, passive);
  if (verdict().evidence == 0) return;
  if (ejection().holds(now)) {
    // What was sent before an ejection says nothing about the time after it, but that the target is there.
    const Instant ejected_at{Duration(gate_.ejected_at_ns.load(kRelaxed))};
    if (now < ejected_at + kProofAfter || !lift_unreachable(now)) return;
  }
  change_verdict([](Verdict v) {
    v.evidence = 0;
    return v;
  });
}

void TargetState::timed_out(Instant now, const Passive& passive) noexcept {
  sums_.timeouts.fetch_add(1, kRelaxed);
  if (passive.timeouts) bad_outcome(Cause::timeouts, now, passive);
}

void TargetState::unreachable(Instant now, const Passive& passive) noexcept {
  sums_.unreachables.fetch_add(1, kRelaxed);
  if (!eject(Cause::unreachable, now, passive)) return;
  change_verdict([&](Verdict v) {
    v.successes = 0;  // the good probes that end it must come after it
    v.evidence = std::max<std::uint8_t>(passive.after, 1);
    return v;
  });
}

void TargetState::failed_over() noexcept {
  sums_.failovers.fetch_add(1, kRelaxed);
}

void TargetState::bad_outcome(Cause cause, Instant now, const Passive& passive) noexcept {
  if (passive.eject <= Duration::zero() || ejection().holds(now)) return;
  const auto [before, after] = change_verdict([&](Verdict v) {
    if (v.evidence < std::max<std::uint8_t>(passive.after, 1)) ++v.evidence;
    return v;
  });
  // Evidence stays at its maximum after an ejection: the next bad outcome ejects again, a good one clears it.
  if (after.evidence >= passive.after) eject(cause, now, passive);
}

// Several shards may find out at once: one ejection comes of it.
bool TargetState::eject(Cause cause, Instant now, const Passive& passive) noexcept {
  if (passive.eject <= Duration::zero()) return false;
  std::uint64_t word = gate_.ejection.load(kRelaxed);
  const Ejection last = unpack(word);
  if (last.holds(now)) return false;
  if (!gate_.ejection.compare_exchange_strong(word, pack(next_ejection(last, cause, now, passive)),
                                              kRelaxed)) {
    return false;
  }
  gate_.ejected_at_ns.store(now.time_since_epoch().count(), kRelaxed);
  sums_.ejections.fetch_add(1, kRelaxed);
  return true;
}

bool TargetState::lift_unreachable(Instant now) noexcept {
  std::uint64_t word = gate_.ejection.load(kRelaxed);
  const Ejection held = unpack(word);
  if (!held.holds(now) || held.cause != Cause::unreachable) return false;
  const Ejection over{to_ms(now.time_since_epoch()), held.strikes, held.cause};
  return gate_.ejection.compare_exchange_strong(word, pack(over), kRelaxed);
}

bool TargetState::probe_succeeded(Instant now, const Probing& probing) noexcept {
  sums_.probes_good.fetch_add(1, kRelaxed);
  const bool was_down = !reachable(now);
  const auto [before, after] = change_verdict([&](Verdict v) { return after_good_probe(v, probing); });
  // What answers probes is reachable again; that it answers OPTIONS says nothing about its 503s and timeouts.
  if (after.successes >= probing.rise) lift_unreachable(now);
  if (before.probed == Health::down && after.probed == Health::up) {
    gate_.up_since_ns.store(now.time_since_epoch().count(), kRelaxed);
  }
  return was_down && reachable(now);
}

bool TargetState::probe_failed(Instant now, const Probing& probing) noexcept {
  sums_.probes_bad.fetch_add(1, kRelaxed);
  const bool was_up = reachable(now);
  change_verdict([&](Verdict v) { return after_bad_probe(v, probing); });
  return was_up && !reachable(now);
}

void TargetState::probing_stopped(Instant now) noexcept {
  const auto [before, after] = change_verdict([](Verdict v) { return Verdict{.evidence = v.evidence}; });
  if (before.probed == Health::down) gate_.up_since_ns.store(now.time_since_epoch().count(), kRelaxed);
}

void TargetState::undrain(Instant now) noexcept {
  if (gate_.draining.exchange(false, kRelaxed))
    gate_.up_since_ns.store(now.time_since_epoch().count(), kRelaxed);
}

Health TargetState::health(Instant now) const noexcept {
  if (!reachable(now)) return Health::down;
  const Verdict v = verdict();
  return v.evidence != 0 ? Health::suspect : v.probed;
}

bool TargetState::reachable(Instant now) const noexcept {
  return verdict().probed != Health::down && !ejection().holds(now);
}

std::uint32_t TargetState::share(Instant now, Duration slow_start) const noexcept {
  if (slow_start <= Duration::zero()) return kShareFull;
  const std::int64_t up_ns = gate_.up_since_ns.load(kRelaxed);
  const std::int64_t ejected_ms = ejection().until_ms;
  if (up_ns == INT64_MIN && ejected_ms == 0) return kShareFull;
  const Instant since = std::max(Instant(Duration(up_ns)), Instant(std::chrono::milliseconds(ejected_ms)));
  const Duration up = std::max(now - since, Duration::zero());
  if (up >= slow_start) return kShareFull;
  const double part = static_cast<double>(up.count()) / static_cast<double>(slow_start.count());
  return std::max(kShareMin, static_cast<std::uint32_t>(part * kShareFull));
}

TargetState::Tallies TargetState::tallies() const noexcept {
  Tallies t{
      sums_.calls.load(kRelaxed),      sums_.timeouts.load(kRelaxed),  sums_.unreachables.load(kRelaxed),
      sums_.ejections.load(kRelaxed),  sums_.failovers.load(kRelaxed), sums_.probes_good.load(kRelaxed),
      sums_.probes_bad.load(kRelaxed), sums_.unpaired.load(kRelaxed),  {}};
  for (std::size_t i = 0; i < t.responses.size(); ++i) t.responses[i] = sums_.responses[i].load(kRelaxed);
  return t;
}

}  // namespace ringweir::balance
