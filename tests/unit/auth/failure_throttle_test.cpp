#include "ringweir/auth/failure_throttle.h"

#include <gtest/gtest.h>

namespace ringweir::auth {
namespace {

using Attempt = FailureThrottle::Attempt;
constexpr Key128 kKey{3, 4};
Instant at(Duration since) {
  return Instant{since};
}
IpAddress host(std::uint32_t n) {
  return IpAddress::v4(198, static_cast<std::uint8_t>(n >> 16), static_cast<std::uint8_t>(n >> 8),
                       static_cast<std::uint8_t>(n));
}

// One attempt with a wrong password: what check() said; charged when it was let through.
Attempt guess(FailureThrottle& throttle, const IpAddress& source, std::string_view user, Instant now,
              bool known = false) {
  const Attempt attempt = throttle.check(source, user, known, now).attempt;
  if (attempt == Attempt::allowed) throttle.record(source, user, Reason::wrong_password, now);
  return attempt;
}

TEST(FailureThrottle, AWrongPasswordMayBeTriedFiveTimesThenEveryHalfMinute) {
  FailureThrottle throttle(kKey);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(guess(throttle, host(1), "100", at(1s)), Attempt::allowed);
  EXPECT_EQ(guess(throttle, host(1), "100", at(1s)), Attempt::throttled_pair);
  EXPECT_EQ(throttle.check(host(1), "100", false, at(1s)).wait, 30s);
  EXPECT_EQ(throttle.check(host(1), "100", true, at(1s)).attempt, Attempt::throttled_pair) << "known or not";
  int let_through = 0;
  for (Duration t = 2s; t <= 3601s; t += 1s)
    let_through += guess(throttle, host(1), "100", at(t)) == Attempt::allowed;
  EXPECT_EQ(let_through, 120) << "an hour's worth of guesses";
}

TEST(FailureThrottle, AnotherSourceOfTheSameUserIsNotLockedOut) {
  FailureThrottle throttle(kKey);
  for (int i = 0; i < 100; ++i) guess(throttle, host(1), "100", at(1s));
  EXPECT_EQ(throttle.check(host(1), "100", false, at(1s)).attempt, Attempt::throttled_pair);
  EXPECT_EQ(throttle.check(host(2), "100", true, at(1s)).attempt, Attempt::allowed);
  EXPECT_EQ(throttle.check(host(2), "100", false, at(1s)).attempt, Attempt::allowed) << "a new place too";
  EXPECT_EQ(throttle.check(host(1), "101", false, at(1s)).attempt, Attempt::allowed)
      << "a neighbour at the source";
}

TEST(FailureThrottle, AScannerOfNamesIsSilencedWhileKnownUsersBehindItsAddressAreNot) {
  FailureThrottle throttle(kKey);
  int let_through = 0;
  for (int i = 0; i < 1'000; ++i) {
    let_through += guess(throttle, host(1), std::to_string(1'000 + i), at(1s + i * 1ms)) == Attempt::allowed;
  }
  EXPECT_EQ(let_through, 50);
  EXPECT_EQ(throttle.check(host(1), "5000", false, at(2s)).attempt, Attempt::allowed)
      << "a second later one more";
  throttle.record(host(1), "5000", Reason::unknown_user, at(2s));
  const auto answer = throttle.check(host(1), "100", false, at(2s));
  EXPECT_EQ(answer.attempt, Attempt::throttled_source);
  EXPECT_GT(answer.wait, 0s);
  EXPECT_EQ(throttle.check(host(1), "100", true, at(2s)).attempt, Attempt::allowed);
  EXPECT_EQ(throttle.check(host(2), "100", false, at(2s)).attempt, Attempt::allowed);
}

TEST(FailureThrottle, OneNameTriedFromManyPlacesIsSlowedButNeverClosed) {
  FailureThrottle throttle(kKey);
  int let_through = 0;
  for (std::uint32_t place = 0; place < 100; ++place) {
    for (int i = 0; i < 5; ++i)
      let_through += guess(throttle, host(place), "100", at(1s)) == Attempt::allowed;
  }
  EXPECT_LE(let_through, 20 + 100) << "the burst, then one a place";
  EXPECT_EQ(throttle.check(host(50), "100", false, at(1s)).attempt, Attempt::throttled_user);
  EXPECT_GT(throttle.check(host(50), "100", false, at(1s)).wait, 0s);
  EXPECT_EQ(throttle.check(host(5'000), "100", false, at(1s)).attempt, Attempt::allowed)
      << "who knows the password gets in at the first attempt from anywhere";
  EXPECT_EQ(throttle.check(host(50), "100", true, at(1s)).attempt, Attempt::allowed)
      << "a failure at a place where the user is registered is a slip";
  EXPECT_EQ(throttle.check(host(50), "101", false, at(1s)).attempt, Attempt::allowed);
}

TEST(FailureThrottle, OnlyGuessesAreCharged) {
  FailureThrottle throttle(kKey);
  for (int i = 0; i < 100; ++i) {
    for (const Reason reason :
         {Reason::accepted, Reason::no_credentials, Reason::stale_nonce, Reason::forged_nonce, Reason::replayed,
          Reason::malformed, Reason::wrong_realm, Reason::unsupported_algorithm}) {
      throttle.record(host(1), "100", reason, at(1s));
    }
  }
  EXPECT_EQ(throttle.check(host(1), "100", false, at(1s)).attempt, Attempt::allowed);
  for (const Reason reason : {Reason::wrong_password, Reason::unknown_user}) {
    EXPECT_TRUE(FailureThrottle::is_guess(reason));
  }
}

TEST(FailureThrottle, EverythingIsForgottenInTime) {
  FailureThrottle throttle(kKey);
  for (int i = 0; i < 1'000; ++i) guess(throttle, host(1), "100", at(1s));
  EXPECT_EQ(throttle.check(host(1), "100", false, at(1s)).attempt, Attempt::throttled_pair);
  EXPECT_EQ(throttle.check(host(1), "100", false, at(1s + 200s)).attempt, Attempt::allowed);
  for (int i = 0; i < 4; ++i) {
    throttle.record(host(1), "100", Reason::wrong_password, at(201s));
    EXPECT_EQ(throttle.check(host(1), "100", false, at(201s)).attempt, Attempt::allowed);
  }
}

TEST(FailureThrottle, AnIpv6CustomerIsOneSource) {
  FailureThrottle throttle(kKey);
  for (int i = 0; i < 5; ++i) {
    const auto source = *parse_ip("2001:db8:1:2::" + std::to_string(i + 1));
    EXPECT_EQ(guess(throttle, source, "100", at(1s)), Attempt::allowed);
  }
  EXPECT_EQ(guess(throttle, *parse_ip("2001:db8:1:2:dead::1"), "100", at(1s)), Attempt::throttled_pair);
  EXPECT_EQ(guess(throttle, *parse_ip("2001:db8:1:3::1"), "100", at(1s)), Attempt::allowed);
}

TEST(FailureThrottle, MemoryIsBoundedAndAGuesserIsNotForgottenForOthers) {
  FailureThrottle throttle(kKey, 64);
  for (int i = 0; i < 5; ++i) guess(throttle, host(1), "100", at(1s));
  for (std::uint32_t place = 1'000; place < 51'000; ++place) {
    throttle.record(host(place), "user" + std::to_string(place), Reason::unknown_user, at(1s));
  }
  EXPECT_EQ(throttle.check(host(1), "100", false, at(1s)).attempt, Attempt::throttled_pair);
}

}  // namespace
}  // namespace ringweir::auth
