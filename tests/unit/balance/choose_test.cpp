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

}  // namespace
}  // namespace ringweir::balance
