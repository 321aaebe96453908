#include "ringweir/balance/choose.h"

#include <gmock/gmock.h>

#include "unit/balance/farm.h"

namespace ringweir::balance {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::Farm;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;

TEST(Choose, round_robin_takes_each_in_turn) {
  Farm farm(Algorithm::round_robin, {{5}, {1}, {1}});
  EXPECT_THAT(farm.picks(7), ElementsAre(0, 1, 2, 0, 1, 2, 0));
}

TEST(Choose, round_robin_spreads_the_turns_of_a_target_that_is_down) {
  Farm farm(Algorithm::round_robin, {{}, {}, {}, {}});
  farm.down(1);
  const auto count = farm.tally(3000);
  EXPECT_THAT(count, ElementsAre(std::pair(0, 1000), std::pair(2, 1000), std::pair(3, 1000)));
}

TEST(Choose, the_same_call_id_gets_the_same_target) {
  Farm farm(Algorithm::call_id_hash, {{}, {}, {}});
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t key = farm.random.next();
    const int first = farm.pick(key);
    EXPECT_EQ(farm.pick(key), first);
  }
  for (const auto& [target, n] : farm.tally(30'000)) EXPECT_THAT(n, AllOf(Ge(9'500), Le(10'500))) << target;
}

TEST(Choose, weighted_turns_are_spread_out) {
  Farm farm(Algorithm::weighted, {{5}, {1}, {1}});
  EXPECT_THAT(farm.picks(7), ElementsAre(0, 1, 0, 0, 2, 0, 0));
  EXPECT_THAT(farm.tally(7000), ElementsAre(std::pair(0, 5000), std::pair(1, 1000), std::pair(2, 1000)));
}

TEST(Choose, a_target_that_comes_back_is_owed_no_turns) {
  Farm farm(Algorithm::weighted, {{1}, {1}, {1}});
  farm.state(0).drain();
  farm.tally(1000);
  farm.state(0).undrain(farm.now);
  const auto count = farm.tally(30);
  EXPECT_THAT(count.at(0), AllOf(Ge(10), Le(11)));
}

TEST(Choose, hashes_use_their_own_key) {
  Farm by_from(Algorithm::hash_from, {{}, {}, {}}), by_to(Algorithm::hash_to, {{}, {}, {}});
  Farm by_uri(Algorithm::hash_uri, {{}, {}, {}}), by_call(Algorithm::call_id_hash, {{}, {}, {}});
  Random random(5);
  for (int i = 0; i < 500; ++i) {
    const std::uint64_t key = random.next();
    const auto pick = [&](Farm& farm, const Keys& keys) {
      return choose(*farm.upstream, keys, {}, farm.now, random)->target;
    };
    const auto expected = pick(by_call, {.call_id = key});
    EXPECT_EQ(pick(by_from, {.call_id = 1, .from = key, .to = 2, .uri = 3}), expected);
    EXPECT_EQ(pick(by_to, {.call_id = 1, .from = 2, .to = key, .uri = 3}), expected);
    EXPECT_EQ(pick(by_uri, {.call_id = 1, .from = 2, .to = 3, .uri = key}), expected);
  }
}

TEST(Choose, least_calls_looks_at_calls_per_weight) {
  Farm farm(Algorithm::least_calls, {{1}, {3}});
  std::vector<int> picks;
  for (int i = 0; i < 400; ++i) {
    const int target = farm.pick();
    farm.state(static_cast<std::size_t>(target)).call_began();
  }
  EXPECT_EQ(farm.state(0).calls(), 100u);
  EXPECT_EQ(farm.state(1).calls(), 300u);
  for (int i = 0; i < 200; ++i) farm.state(1).call_ended();
  EXPECT_EQ(farm.pick(), 1);
}

TEST(Choose, least_outstanding_looks_at_transactions_in_flight) {
  Farm farm(Algorithm::least_outstanding, {{}, {}, {}});
  farm.state(0).transaction_began();
  farm.state(2).transaction_began();
  farm.state(1).call_began();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(farm.pick(), 1);
  EXPECT_EQ(farm.choice()->why.figure, 0u);
}

TEST(Choose, equals_are_drawn) {
  for (const Algorithm a : {Algorithm::least_calls, Algorithm::least_outstanding, Algorithm::peak_ewma}) {
    Farm farm(a, {{}, {}, {}, {}});
    for (const auto& [target, n] : farm.tally(8000)) EXPECT_THAT(n, AllOf(Ge(1800), Le(2200))) << target;
  }
}

TEST(Choose, peak_ewma_avoids_the_slow_one_of_two) {
  Farm farm(Algorithm::peak_ewma, {{}, {}, {}, {}});
  const auto answered = [&](std::size_t i, Duration took) {
    farm.state(i).transaction_began();
    farm.state(i).transaction_ended(took, farm.now);
  };
  for (std::size_t i = 0; i < 4; ++i) answered(i, i == 2 ? 100ms : 10ms);
  auto count = farm.tally(6000);
  EXPECT_EQ(count.count(2), 0u);
  EXPECT_THAT(count[0], AllOf(Ge(1800), Le(2200)));
  for (int i = 0; i < 20; ++i) farm.state(0).transaction_began();  // busy: 210 ms expected
  count = farm.tally(6000);
  EXPECT_EQ(count.count(0), 0u);
  EXPECT_GT(count[2], 700);  // better than that
}

TEST(Choose, a_target_never_measured_is_neither_flooded_nor_left_out) {
  Farm farm(Algorithm::peak_ewma, {{}, {}, {}});
  for (std::size_t i = 0; i < 2; ++i) {
    farm.state(i).transaction_began();
    farm.state(i).transaction_ended(10ms, farm.now);
  }
  EXPECT_THAT(farm.tally(3000)[2], AllOf(Ge(800), Le(1200)));
}

TEST(Choose, backups_are_used_only_when_nothing_before_them_is) {
  for (int a = 0; a <= static_cast<int>(Algorithm::hash_uri); ++a) {
    Farm farm(static_cast<Algorithm>(a), {{1, 10}, {1, 10}, {1, 0}, {1, 0}, {1, 20}});
    EXPECT_EQ(farm.tally(200).count(2) + farm.tally(200).count(3), 2u);
    EXPECT_EQ(farm.tally(200).size(), 2u);
    EXPECT_FALSE(farm.choice(1)->why.backup);
    farm.down(2);
    EXPECT_THAT(farm.tally(200), ElementsAre(std::pair(3, 200)));
    farm.state(3).drain();
    const auto backups = farm.tally(200);
    EXPECT_EQ(backups.size(), 2u);
    EXPECT_EQ(backups.count(0) + backups.count(1), 2u);
    EXPECT_TRUE(farm.choice(1)->why.backup);
    Tried tried;
    tried.add(0);
    tried.add(1);
    EXPECT_EQ(farm.pick(7, tried), 4);
  }
}

TEST(Choose, what_was_tried_is_not_chosen_again) {
  for (int a = 0; a <= static_cast<int>(Algorithm::hash_uri); ++a) {
    Farm farm(static_cast<Algorithm>(a), {{}, {}, {}, {}});
    for (int i = 0; i < 100; ++i) {
      Tried tried;
      const std::uint64_t key = farm.random.next();
      for (int n = 0; n < 4; ++n) {
        const auto choice = farm.choice(key, tried);
        ASSERT_TRUE(choice);
        EXPECT_FALSE(tried.has(choice->target));
        EXPECT_EQ(choice->why.failover, n != 0);
        tried.add(choice->target);
      }
      EXPECT_FALSE(farm.choice(key, tried));
    }
  }
}

TEST(Choose, a_slow_start_gives_a_rising_share) {
  for (int a = 0; a <= static_cast<int>(Algorithm::hash_uri); ++a) {
    const auto algorithm = static_cast<Algorithm>(a);
    if (algorithm == Algorithm::peak_ewma) continue;  // its share depends on what responses cost; see below
    Farm farm(algorithm, {{}, {}, {}, {}}, 100s);
    farm.state(1).drain();
    farm.state(1).undrain(farm.now);
    const auto share_at = [&](Duration after) {
      farm.now = testing::kStart + after;
      for (const auto& state : farm.states) {
        while (state->calls() != 0) state->call_ended();
        while (state->outstanding() != 0) state->transaction_abandoned();
      }
      int n = 0;
      for (int i = 0; i < 4000; ++i) {
        const int target = farm.pick(farm.random.next());
        n += target == 1;
        farm.state(static_cast<std::size_t>(target)).call_began();
        farm.state(static_cast<std::size_t>(target)).transaction_began();
      }
      return n;
    };
    EXPECT_THAT(share_at(0s), AllOf(Ge(60), Le(180))) << to_string(algorithm);    // 0.1 of 3.1
    EXPECT_THAT(share_at(50s), AllOf(Ge(420), Le(650))) << to_string(algorithm);  // 0.5 of 3.5
    EXPECT_THAT(share_at(100s), AllOf(Ge(900), Le(1100))) << to_string(algorithm);
  }
  Farm farm(Algorithm::peak_ewma, {{}, {}}, 100s);
  farm.state(1).drain();
  farm.state(1).undrain(farm.now);
  for (int i = 0; i < 110; ++i) farm.state(static_cast<std::size_t>(farm.pick())).transaction_began();
  EXPECT_EQ(farm.state(1).outstanding(), 10u);
}

TEST(Choose, in_a_slow_start_keys_come_back_once) {
  Farm farm(Algorithm::call_id_hash, {{}, {}, {}}, 100s);
  Random random(11);
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t key = random.next();
    const Instant from = farm.now;
    const int home = farm.pick(key);
    farm.state(0).drain();
    const int away = farm.pick(key);
    farm.state(0).undrain(farm.now);
    bool back = home != 0;
    for (int s = 0; s <= 100; s += 5) {
      farm.now = from + std::chrono::seconds(s);
      const int target = farm.pick(key);
      EXPECT_EQ(target, back ? home : target == 0 ? 0 : away);
      back = back || target == 0;
    }
    EXPECT_TRUE(back);
    farm.now += 1000s;
  }
}

TEST(Choose, a_call_under_way_finds_its_target_while_that_drains_or_starts) {
  Farm farm(Algorithm::call_id_hash, {{}, {}, {}}, 100s);
  const auto again = [&](std::uint64_t key) {
    return choose_again(*farm.upstream, {.call_id = key}, {}, farm.now, farm.random)->target;
  };
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t key = farm.random.next();
    const int home = farm.pick(key);
    farm.state(1).drain();
    EXPECT_EQ(again(key), home);
    EXPECT_NE(farm.pick(key), 1);
    EXPECT_EQ(farm.choice(key)->why.displaced, home == 1);
    farm.state(1).undrain(farm.now);
    EXPECT_EQ(again(key), home);
    farm.now += 1000s;
  }
}

TEST(Choose, nothing_usable_is_no_choice) {
  for (int a = 0; a <= static_cast<int>(Algorithm::hash_uri); ++a) {
    Farm farm(static_cast<Algorithm>(a), {{}, {}});
    farm.down(0);
    farm.state(1).drain();
    EXPECT_EQ(farm.pick(1), -1);
    Farm none(static_cast<Algorithm>(a), {});
    EXPECT_EQ(none.pick(1), -1);
  }
}

TEST(Choose, with_one_usable_target_left_of_many_a_hash_still_finds_it) {
  Farm farm(Algorithm::call_id_hash, std::vector<testing::Member>(100));
  for (std::size_t i = 0; i < 100; ++i) {
    if (i != 42) farm.down(i);
  }
  for (int i = 0; i < 200; ++i) EXPECT_EQ(farm.pick(farm.random.next()), 42);
}

TEST(Choose, when_all_are_ejected_the_caller_is_told_when_to_come_back) {
  Farm farm(Algorithm::round_robin, {{}, {}});
  EXPECT_EQ(retry_after(*farm.upstream, farm.now), 0s);
  farm.state(0).unreachable(farm.now, {.eject = 30s});
  farm.state(1).unreachable(farm.now, {.eject = 20s});
  EXPECT_EQ(to_s(retry_after(*farm.upstream, farm.now)), 20);
  farm.state(1).drain();
  EXPECT_EQ(to_s(retry_after(*farm.upstream, farm.now)), 30);
}

TEST(Upstream, finds_a_target_by_its_endpoint) {
  Farm farm(Algorithm::round_robin, std::vector<testing::Member>(200));
  for (std::size_t i = 0; i < 200; ++i) EXPECT_EQ(farm.upstream->find(testing::endpoint_of(i)), i);
  EXPECT_EQ(farm.upstream->find(testing::endpoint_of(200)), std::nullopt);
}

TEST(Describe, says_why_in_a_sentence) {
  const auto sentence = [](Farm& farm, const Tried& tried = {}) {
    return describe(farm.choice(99, tried)->why, *farm.upstream);
  };
  Farm turn(Algorithm::round_robin, {{}, {}});
  EXPECT_EQ(sentence(turn),
            "pbx chose sip:10.0.0.1 (10.0.0.1:5060) by round_robin: it was its turn, of 2 usable targets.");
  Tried tried;
  tried.add(1);
  EXPECT_EQ(
      sentence(turn, tried),
      "pbx chose sip:10.0.0.1 (10.0.0.1:5060) by round_robin: it was its turn (the only usable one); others "
      "were tried before for this request.");
  Farm hash(Algorithm::call_id_hash, {{}, {}});
  EXPECT_THAT(sentence(hash), HasSubstr("by call_id_hash: the Call-ID hashes to its slot "));
  tried = {};
  tried.add(static_cast<std::uint16_t>(hash.pick(99)));
  EXPECT_THAT(sentence(hash, tried), HasSubstr("because the earlier ones could not be used"));
  Farm calls(Algorithm::least_calls, {{}, {1, 5}}, 60s);
  calls.state(1).call_began();
  calls.state(1).drain();
  calls.state(1).undrain(calls.now);
  calls.down(0);
  EXPECT_EQ(
      sentence(calls),
      "pbx chose sip:10.0.0.2 (10.0.0.2:5060) by least_calls: it had the fewest calls for its weight, 1 open "
      "(the only usable one); it is a backup (priority 5), no target before it could be used; it is in its "
      "slow start.");
  Farm ewma(Algorithm::peak_ewma, {{}, {}});
  for (std::size_t i = 0; i < 2; ++i) {
    ewma.state(i).transaction_began();
    ewma.state(i).transaction_ended(2ms, ewma.now);
  }
  EXPECT_THAT(sentence(ewma), HasSubstr("the lower expected response time, 2000 us"));
}

TEST(Describe, says_why_there_was_none) {
  Farm farm(Algorithm::least_calls, {{}, {}, {}, {}});
  farm.down(0);
  farm.state(1).drain();
  farm.state(2).unreachable(farm.now, {.eject = 30s});
  EXPECT_EQ(
      describe_none(*farm.upstream, farm.now),
      "pbx had no target to use: sip:10.0.0.1 (10.0.0.1:5060) fails its probes, sip:10.0.0.2 (10.0.0.2:5060) "
      "drains, sip:10.0.0.3 (10.0.0.3:5060) is ejected (unreachable) for another 31 s, sip:10.0.0.4 "
      "(10.0.0.4:5060) is up (tried before for this request).");
  EXPECT_EQ(describe_none(*Farm(Algorithm::weighted, {}).upstream, farm.now), "pbx has no target.");
}

}  // namespace
}  // namespace ringweir::balance
