#include "ringweir/balance/health.h"

#include <algorithm>
#include <array>

namespace ringweir::balance {
namespace {

constexpr std::uint8_t one_more(std::uint8_t n) noexcept {
  return n == UINT8_MAX ? n : static_cast<std::uint8_t>(n + 1);
}

}  // namespace

std::string_view to_string(Health health) noexcept {
  constexpr std::array<std::string_view, 3> kNames{"up", "suspect", "down"};
  return kNames[static_cast<std::size_t>(health)];
}

std::string_view to_string(Cause cause) noexcept {
  constexpr std::array<std::string_view, 4> kNames{"none", "codes", "timeouts", "unreachable"};
  return kNames[static_cast<std::size_t>(cause)];
}

Verdict after_good_probe(Verdict verdict, const Probing& probing) noexcept {
  verdict.failures = 0;
  verdict.successes = one_more(verdict.successes);
  switch (verdict.probed) {
    case Health::up: break;
    case Health::suspect: verdict.probed = Health::up; break;
    case Health::down:
      if (verdict.successes >= probing.rise) verdict.probed = Health::up;
      break;
  }
  return verdict;
}

Verdict after_bad_probe(Verdict verdict, const Probing& probing) noexcept {
  verdict.successes = 0;
  verdict.failures = one_more(verdict.failures);
  if (verdict.probed != Health::down) {
    verdict.probed = verdict.failures >= probing.fail ? Health::down : Health::suspect;
  }
  return verdict;
}

Ejection next_ejection(const Ejection& last, Cause cause, Instant now, const Passive& passive) noexcept {
  const std::int64_t now_ms = to_ms(now.time_since_epoch());
  const std::int64_t eject_ms = std::max<std::int64_t>(to_ms(passive.eject), 1);
  const std::int64_t quiet_ms = std::max<std::int64_t>(now_ms - last.until_ms, 0);
  const std::int64_t held = std::max<std::int64_t>(last.strikes - quiet_ms / eject_ms, 0);
  const std::int64_t most_ms = std::max(eject_ms, to_ms(passive.eject_max));
  std::int64_t span_ms = eject_ms;
  for (std::int64_t i = 0; i < held && span_ms < most_ms; ++i) span_ms *= 2;
  Ejection next;
  next.until_ms = now_ms + 1 + std::min(span_ms, most_ms);  // + 1: the instant was rounded down
  next.strikes = one_more(static_cast<std::uint8_t>(held));
  next.cause = cause;
  return next;
}

Instant next_probe(Instant now, const Probing& probing, Random& random) noexcept {
  const std::int64_t every_us = std::max<std::int64_t>(probing.every / 1us, 1);
  const std::uint32_t span_us =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(every_us / 5, 1, UINT32_MAX));
  return now + std::chrono::microseconds(every_us - span_us / 2 + random.below(span_us));
}

Instant first_probe(Instant now, const Probing& probing, Random& random) noexcept {
  const std::int64_t every_us = std::clamp<std::int64_t>(probing.every / 1us, 1, UINT32_MAX);
  return now + std::chrono::microseconds(random.below(static_cast<std::uint32_t>(every_us)));
}

}  // namespace ringweir::balance
