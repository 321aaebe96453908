// What a farm's changes do to the placement of keys: how many move, where they go, and how even the shares
// stay.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "unit/balance/farm.h"

namespace ringweir::balance {
namespace {

using testing::Farm;

constexpr int kKeys = 20'000;

std::vector<std::uint64_t> keys(std::uint64_t seed) {
  Random random(seed);
  std::vector<std::uint64_t> all(kKeys);
  for (auto& key : all) key = random.next();
  return all;
}

// Members by distinct endpoint numbers, as a configuration would have them.
std::vector<Maglev::Member> members(const std::vector<std::uint32_t>& numbers,
                                    const std::vector<std::uint32_t>& weights) {
  std::vector<Maglev::Member> all;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    all.push_back({identity_of(testing::endpoint_of(numbers[i])), weights[i]});
  }
  return all;
}

struct Numbers {
  std::vector<std::uint32_t> numbers, weights;
  std::uint32_t sum() const { return std::accumulate(weights.begin(), weights.end(), 0u); }
};

Numbers draw(std::size_t least, std::uint32_t heaviest) {
  const auto n = *rc::gen::inRange<std::size_t>(least, 33);
  Numbers drawn;
  drawn.numbers = *rc::gen::unique<std::vector<std::uint32_t>>(n, rc::gen::inRange<std::uint32_t>(0, 5'000));
  drawn.weights =
      *rc::gen::container<std::vector<std::uint32_t>>(n, rc::gen::inRange<std::uint32_t>(1, heaviest + 1));
  return drawn;
}

double moved(const Maglev& before, const std::vector<std::uint32_t>& names, const Maglev& after,
             const std::vector<std::uint32_t>& later) {
  int n = 0;
  for (const std::uint64_t key : keys(1)) n += names[before.at(key)] != later[after.at(key)];
  return static_cast<double>(n) / kKeys;
}

RC_GTEST_PROP(Maglev, when_a_target_leaves_at_most_its_share_and_5_percent_of_keys_move, ()) {
  const Numbers all = draw(2, 1);
  Numbers left = all;
  const auto gone = static_cast<std::ptrdiff_t>(*rc::gen::inRange<std::size_t>(0, all.numbers.size()));
  left.numbers.erase(left.numbers.begin() + gone);
  left.weights.erase(left.weights.begin() + gone);
  const double share = moved(Maglev(members(all.numbers, all.weights)), all.numbers,
                             Maglev(members(left.numbers, left.weights)), left.numbers);
  RC_ASSERT(share <= 1.0 / static_cast<double>(all.numbers.size()) + 0.05);
}

RC_GTEST_PROP(Maglev, when_a_target_is_added_at_most_its_share_and_5_percent_of_keys_move, ()) {
  Numbers less = draw(2, 1);
  const Numbers all = less;
  less.numbers.pop_back();
  less.weights.pop_back();
  const double share = moved(Maglev(members(less.numbers, less.weights)), less.numbers,
                             Maglev(members(all.numbers, all.weights)), all.numbers);
  RC_ASSERT(share <= 1.0 / static_cast<double>(all.numbers.size()) + 0.05);
}

RC_GTEST_PROP(Maglev, with_weights_too_little_more_than_the_share_of_the_one_that_leaves_moves, ()) {
  const Numbers all = draw(2, 10);
  Numbers left = all;
  left.numbers.pop_back();
  left.weights.pop_back();
  const double share = moved(Maglev(members(all.numbers, all.weights)), all.numbers,
                             Maglev(members(left.numbers, left.weights)), left.numbers);
  RC_ASSERT(share <= static_cast<double>(all.weights.back()) / all.sum() + 0.05);
}

RC_GTEST_PROP(Maglev, shares_of_slots_follow_the_weights, ()) {
  const Numbers all = draw(1, 20);
  const Maglev table(members(all.numbers, all.weights));
  std::vector<double> slots(all.numbers.size());
  for (const std::uint8_t i : table.slots()) slots[i] += 1;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const double expected = static_cast<double>(limits::kMaglevSlots) * all.weights[i] / all.sum();
    RC_ASSERT(slots[i] > expected * 0.98 - 1);
    RC_ASSERT(slots[i] < expected * 1.02 + 1);
  }
}

RC_GTEST_PROP(Maglev, the_order_of_the_targets_moves_no_key, ()) {
  const Numbers all = draw(2, 5);
  const Maglev table(members(all.numbers, all.weights));
  Numbers turned = all;
  std::ranges::reverse(turned.numbers);
  std::ranges::reverse(turned.weights);
  RC_ASSERT(moved(table, all.numbers, Maglev(members(turned.numbers, turned.weights)), turned.numbers) == 0);
}

// Without a rebuild: some targets go down, drain, are ejected or were tried.
RC_GTEST_PROP(MaglevChoice, keys_of_an_unusable_target_spread_over_the_others_and_no_other_key_moves, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(3, 20);
  const auto unusable = *rc::gen::inRange<std::size_t>(1, n - 1);
  std::vector<testing::Member> shape(n);
  for (auto& member : shape) member.weight = *rc::gen::inRange<std::uint32_t>(1, 4);
  Farm farm(Algorithm::call_id_hash, shape);
  const auto all = keys(*rc::gen::arbitrary<std::uint64_t>());
  std::vector<int> before;
  for (const std::uint64_t key : all) before.push_back(farm.pick(key));
  Tried tried;
  std::set<int> gone;
  for (std::size_t i = 0; i < unusable; ++i) {
    gone.insert(static_cast<int>(i));
    switch (*rc::gen::inRange(0, 4)) {
      case 0: farm.down(i); break;
      case 1: farm.state(i).drain(); break;
      case 2: farm.state(i).unreachable(farm.now, {}); break;
      default: tried.add(static_cast<std::uint16_t>(i)); break;
    }
  }
  double weights_left = 0;
  for (std::size_t i = unusable; i < n; ++i) weights_left += shape[i].weight;
  std::map<int, double> inherited;
  double orphans = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const int after = farm.pick(all[i], tried);
    RC_ASSERT(!gone.contains(after));
    if (!gone.contains(before[i])) {
      RC_ASSERT(after == before[i]);
    } else {
      ++orphans;
      ++inherited[after];
    }
  }
  for (std::size_t i = unusable; i < n; ++i) {
    const double expected = orphans * shape[i].weight / weights_left;
    const double slack = 6 * std::sqrt(expected) + 6;  // six standard deviations
    RC_ASSERT(std::abs(inherited[static_cast<int>(i)] - expected) < slack + 0.02 * expected);
  }
}

// A backend less or one that comes back moves only its own keys, whatever else is away.
RC_GTEST_PROP(MaglevChoice, a_target_that_comes_back_takes_its_own_keys_only, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(3, 20);
  Farm farm(Algorithm::call_id_hash, std::vector<testing::Member>(n));
  const auto down = *rc::gen::inRange<std::size_t>(1, n);
  for (std::size_t i = 0; i < down; ++i) farm.state(i).drain();
  std::vector<int> before;
  for (const std::uint64_t key : keys(3)) before.push_back(farm.pick(key));
  farm.state(0).undrain(farm.now);
  std::size_t i = 0;
  for (const std::uint64_t key : keys(3)) {
    const int after = farm.pick(key);
    RC_ASSERT(after == before[i] || after == 0);
    ++i;
  }
}

}  // namespace
}  // namespace ringweir::balance
