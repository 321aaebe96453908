// What holds of the failure throttle whoever fails where, as whom, when.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <utility>

#include "ringweir/auth/failure_throttle.h"

namespace ringweir::auth {
namespace {

using Attempt = FailureThrottle::Attempt;

IpAddress host(std::uint32_t n) {
  return IpAddress::v4(198, 51, 100, static_cast<std::uint8_t>(n));
}

TEST(FailureThrottleProperty, guesses_a_pair_are_bounded_and_first_attempts_elsewhere_are_free) {
  EXPECT_TRUE(rc::check([](std::uint64_t k0, std::uint64_t k1) {
    FailureThrottle throttle({k0, k1}, 1u << 14);
    Instant now{1s};
    const Instant start = now;
    std::map<std::pair<std::uint32_t, std::uint32_t>, int> guesses;
    for (int i = 0; i < 500; ++i) {
      const auto source = *rc::gen::inRange<std::uint32_t>(0, 6);
      const auto user = *rc::gen::inRange<std::uint32_t>(0, 6);
      const bool known = *rc::gen::inRange(0, 4) == 0;
      now += Duration{*rc::gen::inRange<std::int64_t>(0, 2'000'000'000)};
      const auto answer = throttle.check(host(source), std::to_string(user), known, now);
      RC_ASSERT((answer.attempt == Attempt::allowed) == (answer.wait == Duration::zero()));
      if (known) RC_ASSERT(answer.attempt == Attempt::allowed || answer.attempt == Attempt::throttled_pair);
      const bool is_first = !guesses.contains(std::pair(source, user));
      if (is_first)
        RC_ASSERT(answer.attempt == Attempt::allowed || answer.attempt == Attempt::throttled_source);
      if (answer.attempt != Attempt::allowed) continue;
      throttle.record(host(source), std::to_string(user), Reason::wrong_password, now);
      const auto seconds = to_s(now - start);
      const int count = ++guesses[std::pair(source, user)];
      RC_ASSERT(count <= 5 + seconds / 30 + 1);
      RC_ASSERT(throttle.check(host(100 + source), std::to_string(user), false, now).attempt ==
                Attempt::allowed);
    }
  }));
}

TEST(FailureThrottleProperty, a_wait_that_was_told_is_enough) {
  EXPECT_TRUE(rc::check([](std::uint64_t k0, std::uint64_t k1) {
    FailureThrottle throttle({k0, k1}, 1u << 14);
    Instant now{1s};
    for (int i = 0; i < 300; ++i) {
      const auto source = *rc::gen::inRange<std::uint32_t>(0, 30);
      const auto user = *rc::gen::inRange<std::uint32_t>(0, 2);
      now += Duration{*rc::gen::inRange<std::int64_t>(0, 1'000'000'000)};
      const auto answer = throttle.check(host(source), std::to_string(user), false, now);
      if (answer.attempt == Attempt::allowed) {
        throttle.record(host(source), std::to_string(user), Reason::wrong_password, now);
      } else if (answer.attempt != Attempt::throttled_pair) {
        // Nothing is charged meanwhile, so the same question has another answer then.
        RC_ASSERT(throttle.check(host(source), std::to_string(user), false, now + answer.wait).attempt ==
                  Attempt::allowed);
      }
    }
  }));
}

}  // namespace
}  // namespace ringweir::auth
