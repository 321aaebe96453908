#include "ringweir/shard/admission.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace ringweir::shard {
namespace {

constexpr OverloadPolicy kPolicy{};
constexpr Duration kTarget = kPolicy.target;

// A shard where every message has waited `wait` for as long as it takes to count, one a millisecond.
struct Waiting {
  Admission admission{1};
  Instant now{10s};
  Waiting() { admission.use(kPolicy, true); }
  void wait_for(Duration length, Duration wait, Load load = Load::under_way) {
    for (const Instant end = now + length; now < end; now += 1ms) admission.admit(load, wait, now);
  }
  double shed_share(Load load, Duration wait, int of = 1'000) {
    int shed = 0;
    for (int i = 0; i < of; ++i, now += 10us) shed += admission.admit(load, wait, now) != Admitted::accept;
    return shed / double(of);
  }
};

TEST(Admission, TakesEverythingWhileNothingWaits) {
  Waiting shard;
  for (std::size_t load = 0; load < kLoads; ++load) {
    EXPECT_EQ(shard.shed_share(static_cast<Load>(load), 0ms), 0.0);
    EXPECT_EQ(shard.shed_share(static_cast<Load>(load), kTarget), 0.0);
  }
  EXPECT_FALSE(shard.admission.sheds());
}

TEST(Admission, ABurstOrAPauseThatDrainsShedsNothing) {
  Waiting shard;
  for (int i = 0; i < 20; ++i) {
    for (Duration wait = 40ms; wait > 0ms; wait -= 1ms) {
      EXPECT_EQ(shard.admission.admit(Load::dialog, wait, shard.now), Admitted::accept);
      shard.now += 2ms;
    }
  }
}

TEST(Admission, AStandingWaitShedsNewDialogs) {
  Waiting shard;
  shard.wait_for(99ms, 2 * kTarget, Load::dialog);
  EXPECT_FALSE(shard.admission.sheds());
  shard.wait_for(3ms, 2 * kTarget);
  EXPECT_TRUE(shard.admission.sheds());
  EXPECT_EQ(shard.admission.admit(Load::dialog, 2 * kTarget, shard.now), Admitted::refuse);
}

TEST(Admission, AVeryLongWaitIsNotWaitedOut) {
  Waiting shard;
  shard.wait_for(Admission::kHiccupDrains, Admission::kHiccup);
  EXPECT_FALSE(shard.admission.sheds()) << "a pause of the process drains";
  shard.wait_for(2ms, Admission::kHiccup);
  EXPECT_TRUE(shard.admission.sheds());
}

TEST(Admission, ShedsInTiersAndNeverWhatIsUnderWay) {
  struct Row {
    double targets;
    std::map<Load, double> shed;
  };
  const std::vector<Row> rows{
      {0.4, {{Load::dialog, 0}, {Load::registration, 0}, {Load::begins_other, 0}}},
      {1.0,
       {{Load::dialog, 0.5},
        {Load::registration, 0},
        {Load::registration_begun, 0},
        {Load::begins_other, 0}}},
      {1.5, {{Load::dialog, 1}, {Load::registration, 0}, {Load::begins_other, 0}}},
      {2.0,
       {{Load::dialog, 1},
        {Load::registration, 0.5},
        {Load::registration_begun, 0},
        {Load::begins_other, 0}}},
      {2.5,
       {{Load::dialog, 1},
        {Load::registration, 1},
        {Load::registration_begun, 0.5},
        {Load::begins_other, 0}}},
      {3.0,
       {{Load::dialog, 1},
        {Load::registration, 1},
        {Load::registration_begun, 1},
        {Load::begins_other, 0.5}}},
      {3.5,
       {{Load::dialog, 1}, {Load::registration, 1}, {Load::registration_begun, 1}, {Load::begins_other, 1}}},
  };
  for (const Row& row : rows) {
    for (const auto& [load, share] : row.shed) {
      Waiting shard;
      shard.wait_for(110ms, 2 * kTarget);
      const Duration wait{static_cast<std::int64_t>(row.targets * double(kTarget.count()))};
      EXPECT_NEAR(shard.shed_share(load, wait), share, 0.01) << row.targets << ' ' << int(load);
    }
  }
  Waiting shard;
  shard.wait_for(110ms, 2 * kTarget);
  EXPECT_EQ(shard.shed_share(Load::under_way, 10s), 0.0);
  EXPECT_EQ(shard.shed_share(Load::refresh, 10s), 0.0);
}

TEST(Admission, GoesSilentWhereEvenRefusalsDoNotFit) {
  Waiting shard;
  shard.wait_for(110ms, 2 * kTarget);
  EXPECT_EQ(shard.admission.admit(Load::dialog, kTarget * 119 / 10, shard.now), Admitted::refuse);
  EXPECT_EQ(shard.admission.admit(Load::dialog, kTarget * 121 / 10, shard.now), Admitted::ignore);
}

TEST(Admission, StopsSheddingOnlyAfterTheWaitHasStayedLow) {
  Waiting shard;
  shard.wait_for(110ms, 2 * kTarget);
  shard.wait_for(90ms, 0ms);
  EXPECT_TRUE(shard.admission.sheds());
  shard.wait_for(10ms, 2 * kTarget);
  shard.wait_for(90ms, 0ms);
  EXPECT_TRUE(shard.admission.sheds()) << "the low spell was broken";
  shard.wait_for(20ms, 0ms);
  EXPECT_FALSE(shard.admission.sheds());
  EXPECT_EQ(shard.shed_share(Load::dialog, kTarget), 0.0);
}

TEST(Admission, SwitchedOffAcceptsAll) {
  Waiting shard;
  OverloadPolicy off;
  off.enabled = false;
  shard.admission.use(off, true);
  shard.wait_for(1s, 1s);
  EXPECT_EQ(shard.shed_share(Load::dialog, 1s), 0.0);
}

TEST(Admission, AQueueTooShortToReachTheTargetLowersIt) {
  Waiting shard;
  for (int i = 0; i < 1'000; ++i) {
    shard.admission.overflowed();
    shard.wait_for(1ms, 3ms);  // below the target of 5 ms, always
  }
  EXPECT_TRUE(shard.admission.sheds());
  EXPECT_EQ(shard.shed_share(Load::dialog, 3ms), 1.0);
  shard.wait_for(30s, 0ms);
  EXPECT_FALSE(shard.admission.sheds());
  shard.wait_for(1s, 3ms);
  EXPECT_FALSE(shard.admission.sheds()) << "the target came back";
}

// A shard that admits 10,000 registrations a second (two requests each) and turns 100,000 more away.
TEST(Admission, AppointmentsAreMadeAtTheRateTheShardAdmits) {
  Waiting shard;
  for (int i = 0; i < 400; ++i) {
    for (int n = 0; n < 10; ++n) {
      shard.admission.admit(Load::registration, 0ms, shard.now);
      shard.admission.admit(Load::registration_begun, 0ms, shard.now);
    }
    shard.now += 1ms;
  }
  std::map<std::uint32_t, int> come;
  for (int i = 0; i < 100'000; ++i) {
    ++come[shard.admission.retry_after_s(i % 2 ? Load::registration : Load::registration_begun, shard.now)];
    if (i % 50 == 0) shard.now += 1ms;
  }
  // All within two seconds; the last appointment is as far away as the work is long, with room for who has
  // none.
  EXPECT_EQ(come.begin()->first, 1u);
  EXPECT_NEAR(come.rbegin()->first, 100'000 / 7'000, 3);
  for (const auto& [second, count] : come) EXPECT_LT(count, 10'000) << second;
}

TEST(Admission, WhoDoesNotFitTheLongestAppointmentComesAtRandomBeforeIt) {
  Waiting shard;  // nothing admitted yet: ten a second
  std::map<std::uint32_t, int> come;
  for (int i = 0; i < 10'000; ++i) ++come[shard.admission.retry_after_s(Load::dialog, shard.now)];
  EXPECT_EQ(come.begin()->first, 1u);
  EXPECT_EQ(come.rbegin()->first, Admission::kRetryAfterMax);
  int late = 0;
  for (const auto& [second, count] : come) {
    if (second >= Admission::kRetryAfterMax / 2) late += count;
    EXPECT_LT(count, 200) << second;
  }
  EXPECT_GT(late, 8'000);
}

TEST(Admission, TheSieveClosesOnlyWhereMostDialogsAreRefusedForSecondsAndOpensAgain) {
  Waiting shard;
  const auto offer = [&](Duration length, Duration wait) {
    for (const Instant end = shard.now + length; shard.now < end; shard.now += 100us) {
      shard.admission.admit(Load::dialog, wait, shard.now);
    }
  };
  EXPECT_EQ(shard.admission.passes_per_million(), 1'000'000u);
  offer(5s, kTarget * 7 / 10);
  EXPECT_EQ(shard.admission.passes_per_million(), 1'000'000u) << "a fifth refused";
  offer(5s, kTarget * 13 / 10);
  EXPECT_LT(shard.admission.passes_per_million(), 400'000u) << "four of five refused";
  offer(10s, 0ms);
  EXPECT_EQ(shard.admission.passes_per_million(), 1'000'000u);
  OverloadPolicy without;
  without.sieve = false;
  shard.admission.use(without, true);
  offer(10s, 2 * kTarget);
  EXPECT_EQ(shard.admission.passes_per_million(), 1'000'000u);
}

}  // namespace
}  // namespace ringweir::shard
