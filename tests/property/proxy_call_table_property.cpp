// The call table against a map that forgets nothing.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <vector>

#include "ringweir/proxy/call_table.h"

namespace ringweir::proxy {
namespace {

constexpr std::size_t kTargets = 3;
constexpr std::uint64_t kBuckets = 4;  // of four: a table of sixteen, so that buckets fill up
Endpoint endpoint(std::size_t target) { return {IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(target)), 5060}; }
std::uint64_t hash_of(std::uint64_t call) { return (call % kBuckets) << 24 | call; }

struct Known {
  std::size_t target;
  bool open;
  Instant seen;
};

// Never a wrong target, never a lost count; nothing is forgotten before its time but from a bucket with no room, and that is counted.
RC_GTEST_PROP(CallTableModel, AgreesWithAMap, ()) {
  std::array<balance::TargetState, kTargets> states;
  Instant now{std::chrono::hours{100}};
  std::map<std::uint64_t, Known> known;
  {
    CallTable calls(4 * kBuckets);
    const auto lasts = [&](const Known& call) {
      const auto age = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()) - std::chrono::floor<std::chrono::seconds>(call.seen.time_since_epoch());
      return age < (call.open ? Duration{CallTable::kIdleMax} : Duration{CallTable::kEndedKept});
    };
    const auto in_bucket = [&](std::uint64_t call) {
      std::size_t count = 0;
      for (const auto& [other, what] : known) count += other % kBuckets == call % kBuckets;
      return count;
    };
    const int steps = *rc::gen::inRange(1, 200);
    for (int step = 0; step < steps; ++step) {
      const auto call = *rc::gen::inRange<std::uint64_t>(0, 40);
      const auto target = *rc::gen::inRange<std::size_t>(0, kTargets);
      switch (*rc::gen::inRange(0, 6)) {
        case 0:
        case 1: {
          const bool crowded = !known.contains(call) && in_bucket(call) >= 4;
          calls.begin(hash_of(call), states[target], endpoint(target), now);
          known[call] = {target, true, now};
          if (crowded) {  // somebody of the bucket is gone: whoever the table does not find
            for (auto at = known.begin(); at != known.end();) {
              const bool neighbour = at->first != call && at->first % kBuckets == call % kBuckets;
              if (neighbour && !calls.find(hash_of(at->first), now)) {
                at = known.erase(at);
              } else {
                if (neighbour) at->second.seen = now;  // looking refreshes
                ++at;
              }
            }
            RC_ASSERT(in_bucket(call) <= 4u);
          }
          break;
        }
        case 2:
          calls.end(hash_of(call), now);
          if (known.contains(call)) known[call] = {known[call].target, false, now};
          break;
        case 3: now += *rc::gen::element<Duration>(1s, 20s, 33s, std::chrono::hours{5}, std::chrono::hours{13}); break;
        case 4:
          for (std::uint64_t i = 0; i < kBuckets; ++i) calls.sweep(now);
          std::erase_if(known, [&](const auto& each) { return each.second.open && !lasts(each.second); });
          break;
        default: {
          const CallTable::Call* found = calls.find(hash_of(call), now);
          const bool expected = known.contains(call) && lasts(known[call]);
          RC_ASSERT((found != nullptr) == expected);
          if (found) {
            RC_ASSERT(found->target == &states[known[call].target]);
            RC_ASSERT(found->endpoint == endpoint(known[call].target));
            RC_ASSERT(found->open == known[call].open);
            known[call].seen = now;
          } else {
            known.erase(call);
          }
        }
      }
      std::array<std::uint32_t, kTargets> open{};
      std::uint32_t all = 0;
      for (const auto& [other, what] : known) {
        open[what.target] += what.open;
        all += what.open;
      }
      for (std::size_t i = 0; i < kTargets; ++i) RC_ASSERT(states[i].calls() == open[i]);
      RC_ASSERT(calls.open() == all);
    }
  }
  for (const auto& state : states) {
    RC_ASSERT(state.calls() == 0u);
    RC_ASSERT(state.tallies().unpaired == 0u);
  }
}

}  // namespace
}  // namespace ringweir::proxy
