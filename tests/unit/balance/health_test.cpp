#include "ringweir/balance/health.h"

#include <gtest/gtest.h>

namespace ringweir::balance {
namespace {

constexpr Instant kStart{std::chrono::hours(24)};
constexpr Probing kProbing{.every = 10s, .fail = 3, .rise = 2};
constexpr Passive kPassive{.eject = 30s, .eject_max = 100s};

TEST(Health, goes_down_by_fail_bad_probes_in_a_row_and_up_by_rise_good_ones) {
  Verdict v;
  v = after_bad_probe(v, kProbing);
  EXPECT_EQ(v.probed, Health::suspect);
  v = after_bad_probe(v, kProbing);
  EXPECT_EQ(v.probed, Health::suspect);
  v = after_bad_probe(v, kProbing);
  EXPECT_EQ(v.probed, Health::down);
  v = after_good_probe(v, kProbing);
  EXPECT_EQ(v.probed, Health::down);
  v = after_bad_probe(v, kProbing);  // begins the count of good ones anew
  v = after_good_probe(v, kProbing);
  EXPECT_EQ(v.probed, Health::down);
  v = after_good_probe(v, kProbing);
  EXPECT_EQ(v.probed, Health::up);
}

TEST(Health, a_good_probe_clears_a_suspicion) {
  Verdict v = after_bad_probe(after_bad_probe({}, kProbing), kProbing);
  v = after_good_probe(v, kProbing);
  EXPECT_EQ(v.probed, Health::up);
  v = after_bad_probe(after_bad_probe(v, kProbing), kProbing);
  EXPECT_EQ(v.probed, Health::suspect);
}

TEST(Health, counts_of_probes_stop_at_their_maximum) {
  Verdict v;
  for (int i = 0; i < 1000; ++i) v = after_bad_probe(v, kProbing);
  EXPECT_EQ(v.failures, 255);
  for (int i = 0; i < 1000; ++i) v = after_good_probe(v, kProbing);
  EXPECT_EQ(v.successes, 255);
  EXPECT_EQ(v.probed, Health::up);
}

TEST(Ejection, doubles_while_it_repeats_up_to_its_maximum_and_is_forgiven_with_time) {
  Instant now = kStart;
  Ejection e;
  const auto again = [&] {
    e = next_ejection(e, Cause::codes, now, kPassive);
    const Duration took = Instant(std::chrono::milliseconds(e.until_ms)) - now;
    now = Instant(std::chrono::milliseconds(e.until_ms));
    return to_ms(took) / 1000;
  };
  EXPECT_EQ(again(), 30);
  EXPECT_EQ(again(), 60);
  EXPECT_EQ(again(), 100);
  EXPECT_EQ(again(), 100);
  EXPECT_EQ(e.strikes, 4);
  now += 60s;  // two are forgiven
  EXPECT_EQ(again(), 100);
  EXPECT_EQ(e.strikes, 3);
  now += 90s;
  EXPECT_EQ(again(), 30);
  for (int i = 0; i < 1000; ++i) again();
  EXPECT_EQ(e.strikes, 255);
}

TEST(Ejection, lasts_at_least_as_long_as_asked) {
  const Instant now = kStart + 999'999ns;
  const Ejection e = next_ejection({}, Cause::timeouts, now, kPassive);
  EXPECT_TRUE(e.holds(now));
  EXPECT_TRUE(e.holds(now + 30s - 1ns));
  EXPECT_FALSE(e.holds(now + 30s + 1ms));
}

TEST(Probes, are_spread_around_their_interval) {
  Random random(3);
  Duration least = 1h, most = 0s, sum = 0s;
  for (int i = 0; i < 10'000; ++i) {
    const Duration wait = next_probe(kStart, kProbing, random) - kStart;
    least = std::min(least, wait);
    most = std::max(most, wait);
    sum += wait;
  }
  EXPECT_GE(least, 9s);
  EXPECT_LT(least, 9010ms);
  EXPECT_LE(most, 11s);
  EXPECT_GT(most, 10'990ms);
  EXPECT_NEAR(static_cast<double>(to_ms(sum / 10'000)), 10'000, 30);
}

TEST(Probes, of_a_new_farm_do_not_come_together) {
  Random random(3);
  int early = 0;
  for (int i = 0; i < 1000; ++i) early += first_probe(kStart, kProbing, random) < kStart + 1s;
  EXPECT_NEAR(early, 100, 40);
}

}  // namespace
}  // namespace ringweir::balance
