#include "ringweir/balance/target_state.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "ringweir/balance/in_flight.h"

namespace ringweir::balance {
namespace {

constexpr Instant kStart{std::chrono::hours(24)};
constexpr Probing kProbing{.every = 10s, .fail = 3, .rise = 2};
constexpr Passive kPassive{
    .codes = StatusSet::of(503), .timeouts = true, .after = 3, .eject = 30s, .eject_max = 300s};

TEST(TargetState, ends_that_nothing_began_are_refused_and_seen) {
  TargetState target;
  target.transaction_abandoned();
  target.call_ended();
  target.transaction_ended(1ms, kStart);
  EXPECT_EQ(target.outstanding(), 0u);
  EXPECT_EQ(target.calls(), 0u);
  EXPECT_EQ(target.tallies().unpaired, 3u);
  target.call_began();
  EXPECT_EQ(target.calls(), 1u);
}

TEST(TargetState, tokens_end_what_they_began_once) {
  TargetState target;
  {
    TransactionInFlight one(target), two(target), three(target);
    CallOpen call(target);
    EXPECT_EQ(target.outstanding(), 3u);
    EXPECT_EQ(target.calls(), 1u);
    one.answered(5ms, kStart);
    one.answered(5ms, kStart);
    EXPECT_EQ(target.outstanding(), 2u);
    EXPECT_EQ(target.ewma(kStart), 5ms);
    two = std::move(three);
    EXPECT_EQ(target.outstanding(), 1u);
    CallOpen moved(std::move(call));
    call.end();
    EXPECT_EQ(target.calls(), 1u);
    moved = CallOpen(target);
    EXPECT_EQ(target.calls(), 1u);
  }
  EXPECT_EQ(target.outstanding(), 0u);
  EXPECT_EQ(target.calls(), 0u);
  EXPECT_EQ(target.tallies().unpaired, 0u);
  EXPECT_EQ(target.tallies().calls, 2u);
}

TEST(TargetState, counts_from_many_shards_come_back_to_zero) {
  TargetState target;
  std::vector<std::jthread> shards;
  for (int s = 0; s < 4; ++s) {
    shards.emplace_back([&target, s] {
      for (int i = 0; i < 50'000; ++i) {
        TransactionInFlight transaction(target);
        CallOpen call(target);
        if ((i + s) % 3 != 0)
          transaction.answered(std::chrono::microseconds(100 + i % 7), kStart + std::chrono::microseconds(i));
        target.answered(i % 5 == 0 ? 503 : 200, kStart, kPassive);
      }
    });
  }
  shards.clear();
  EXPECT_EQ(target.outstanding(), 0u);
  EXPECT_EQ(target.calls(), 0u);
  EXPECT_EQ(target.tallies().unpaired, 0u);
  EXPECT_EQ(target.tallies().calls, 200'000u);
  EXPECT_EQ(target.tallies().responses[2] + target.tallies().responses[5], 200'000u);
}

TEST(TargetState, is_ejected_by_bad_answers_in_a_row_only) {
  TargetState target;
  for (int i = 0; i < 10; ++i) {
    target.answered(503, kStart, kPassive);
    target.answered(503, kStart, kPassive);
    EXPECT_EQ(target.health(kStart), Health::suspect);
    target.answered(486, kStart, kPassive);
    EXPECT_EQ(target.health(kStart), Health::up);
  }
  target.answered(503, kStart, kPassive);
  target.timed_out(kStart, kPassive);
  EXPECT_TRUE(target.usable(kStart));
  target.answered(503, kStart, kPassive);
  EXPECT_EQ(target.health(kStart), Health::down);
  EXPECT_FALSE(target.usable(kStart + 29s));
  EXPECT_EQ(target.ejection().cause, Cause::codes);
  EXPECT_EQ(target.tallies().ejections, 1u);
}

TEST(TargetState, after_an_ejection_one_bad_outcome_ejects_again_and_one_good_one_clears) {
  TargetState target;
  for (int i = 0; i < 3; ++i) target.timed_out(kStart, kPassive);
  target.answered(200, kStart + 1s, kPassive);  // of a request sent before
  const Instant tried = kStart + 31s;
  EXPECT_EQ(target.health(tried), Health::suspect);
  target.timed_out(tried, kPassive);
  EXPECT_FALSE(target.usable(tried + 59s));
  const Instant again = tried + 61s;
  ASSERT_TRUE(target.usable(again));
  target.answered(200, again, kPassive);
  EXPECT_EQ(target.health(again), Health::up);
  target.timed_out(again, kPassive);
  EXPECT_TRUE(target.usable(again));
}

TEST(TargetState, an_unreachable_port_ejects_at_once_and_good_probes_end_it) {
  TargetState target;
  target.probe_succeeded(kStart, kProbing);
  target.probe_succeeded(kStart, kProbing);
  target.unreachable(kStart, kPassive);
  EXPECT_FALSE(target.usable(kStart));
  target.unreachable(kStart, kPassive);
  EXPECT_EQ(target.tallies().ejections, 1u);
  EXPECT_EQ(target.tallies().unreachables, 2u);
  EXPECT_FALSE(target.probe_succeeded(kStart + 2s, kProbing));  // those before it do not count
  EXPECT_TRUE(target.probe_succeeded(kStart + 4s, kProbing));
  EXPECT_TRUE(target.usable(kStart + 4s));
}

TEST(TargetState, a_forged_report_is_undone_by_the_targets_own_answers) {
  TargetState target;
  target.unreachable(kStart, kPassive);
  target.answered(200, kStart + 999ms, kPassive);  // may have been under way
  EXPECT_FALSE(target.usable(kStart + 999ms));
  target.answered(503, kStart + 1s, kPassive);
  EXPECT_FALSE(target.usable(kStart + 1s));
  target.answered(200, kStart + 1s, kPassive);
  EXPECT_EQ(target.health(kStart + 1s), Health::up);
  for (int i = 0; i < 3; ++i) target.timed_out(kStart + 2s, kPassive);
  target.answered(200, kStart + 4s, kPassive);
  EXPECT_FALSE(target.usable(kStart + 4s));
}

TEST(TargetState, good_probes_do_not_end_an_ejection_by_503) {
  TargetState target;
  for (int i = 0; i < 3; ++i) target.answered(503, kStart, kPassive);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(target.probe_succeeded(kStart + 1s, kProbing));
  EXPECT_FALSE(target.usable(kStart + 1s));
}

TEST(TargetState, without_probes_it_is_tried_again_after_the_eject_time) {
  TargetState target;
  target.unreachable(kStart, kPassive);
  EXPECT_FALSE(target.usable(kStart + 30s));
  EXPECT_TRUE(target.usable(kStart + 31s));
  target.unreachable(kStart + 31s, kPassive);
  EXPECT_FALSE(target.usable(kStart + 31s + 59s));
}

TEST(TargetState, nothing_is_ejected_when_passive_health_is_off) {
  TargetState target;
  constexpr Passive kOff{.codes = StatusSet::of(503), .eject = 0s};
  for (int i = 0; i < 10; ++i) target.answered(503, kStart, kOff);
  target.unreachable(kStart, kOff);
  EXPECT_EQ(target.health(kStart), Health::up);
}

TEST(TargetState, probes_that_stop_leave_no_verdict_behind) {
  TargetState target;
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(target.probe_failed(kStart, kProbing));
  EXPECT_EQ(target.health(kStart), Health::suspect);
  EXPECT_TRUE(target.probe_failed(kStart, kProbing));
  EXPECT_EQ(target.health(kStart), Health::down);
  target.probing_stopped(kStart);
  EXPECT_EQ(target.health(kStart), Health::up);
}

TEST(TargetState, draining_takes_nothing_new_and_keeps_its_calls) {
  TargetState target;
  target.drain();
  EXPECT_FALSE(target.usable(kStart));
  EXPECT_TRUE(target.reachable(kStart));
  EXPECT_EQ(target.health(kStart), Health::up);
  target.undrain(kStart);
  EXPECT_TRUE(target.usable(kStart));
}

TEST(TargetState, a_share_rises_over_the_slow_start_from_whatever_brought_it_up) {
  const auto rises = [](const TargetState& target, Instant from) {
    EXPECT_EQ(target.share(from, 60s), TargetState::kShareMin);
    EXPECT_EQ(target.share(from + 30s, 60s), TargetState::kShareFull / 2);
    EXPECT_EQ(target.share(from + 60s, 60s), TargetState::kShareFull);
    EXPECT_EQ(target.share(from, 0s), TargetState::kShareFull);
  };
  TargetState first;  // of an edge that starts: no slow start
  EXPECT_EQ(first.share(kStart, 60s), TargetState::kShareFull);
  rises(TargetState(kStart), kStart);
  for (int i = 0; i < 3; ++i) first.probe_failed(kStart, kProbing);
  for (int i = 0; i < 2; ++i) first.probe_succeeded(kStart + 5s, kProbing);
  rises(first, kStart + 5s);
  TargetState drained;
  drained.drain();
  drained.undrain(kStart);
  rises(drained, kStart);
  TargetState ejected;
  ejected.unreachable(kStart, kPassive);
  rises(ejected, Instant(std::chrono::milliseconds(ejected.ejection().until_ms)));
}

TEST(PeakEwma, jumps_to_a_peak_and_comes_down_with_time) {
  PeakEwma ewma;
  EXPECT_EQ(ewma.read(kStart), 0ns);
  ewma.observe(10ms, kStart);
  ewma.observe(200ms, kStart + 1ms);
  EXPECT_EQ(ewma.read(kStart + 1ms), 200ms);
  EXPECT_NEAR(static_cast<double>(ewma.read(kStart + 10s) / 1us), 100'000, 100);
  // Samples bring it down as fast as time passes, however many there are.
  Instant now = kStart + 1ms;
  for (int i = 0; i < 100'000; ++i) ewma.observe(10ms, now += 100us);
  EXPECT_NEAR(static_cast<double>(ewma.read(now) / 1us), 10'000 + 190'000 / 2.718, 5'000);
}

TEST(PeakEwma, a_clock_that_runs_behind_another_shards_does_no_harm) {
  PeakEwma ewma;
  ewma.observe(10ms, kStart + 1s);
  EXPECT_EQ(ewma.read(kStart), 10ms);
  ewma.observe(1ms, kStart);
  EXPECT_EQ(ewma.read(kStart), 10ms);
  ewma.observe(20ms, kStart);
  EXPECT_EQ(ewma.read(kStart), 20ms);
}

}  // namespace
}  // namespace ringweir::balance
