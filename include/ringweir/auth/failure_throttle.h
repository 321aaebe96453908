// Repeated authentication failures, throttled so that nobody can guess passwords by asking, and nobody can
// lock somebody else out by failing in their name. Each failure is charged to three token buckets:
//
//   pair    (source, user)  5 failures, then one every 30 s    a phone with a wrong password; one guesser
//   source                  50, then one a second              a scanner that tries many names
//   user                    20, then one every 10 s            one name tried from many places
//
// What an empty bucket means for the next attempt:
//   pair    throttled, whatever is sent, until a token is back.
//   source  throttled, but for users known there (a live registration made from that source): behind the same
//   NAT as a
//           scanner, a phone stays registered.
//   user    slowed, not closed: a source where the user is not known has one attempt at a time, and no second
//   one before its
//           pair has forgotten the first (150 s). Who knows the password gets in at the first attempt, from
//           anywhere; many guessers together get one guess each per forgetting instead of five.
//
// A source is an IPv4 address or an IPv6 /64. Only failures are charged (wrong password,
// unknown user), so a server where nobody fails does one read of one shared word for each attempt. Shared by all
// shards, since attempts under many Call-IDs reach all of them; lock-free; bounded; a keyed hash places
// buckets. Time is a parameter.
#pragma once
#include <atomic>
#include <cstdint>
#include <string_view>

#include "ringweir/auth/authenticate.h"
#include "ringweir/base/token_buckets.h"

namespace ringweir::auth {

struct FailureLimits {
  TokenRate pair = TokenRate::every(30s, 5);
  TokenRate source = TokenRate::every(1s, 50);
  TokenRate user = TokenRate::every(10s, 20);
};

class FailureThrottle {
 public:
  enum class Attempt : std::uint8_t {
    allowed,
    throttled_pair,    // 403 with Retry-After: a phone whose password is wrong, and who set it wants to know
    throttled_user,    // the same
    throttled_source,  // silence: a scanner learns nothing and gets no traffic to reflect
  };
  struct Answer {
    Attempt attempt = Attempt::allowed;
    Duration wait{};  // until it makes sense to try again; zero when allowed
  };

  explicit FailureThrottle(const Key128& key, std::uint32_t buckets = TokenBuckets::kBucketsDefault,
                           const FailureLimits& limits = {});

  // Before credentials are verified: a throttled attempt costs no hash and is not charged. `user` as claimed
  // (any text); `known`: the user has a live registration that was made from this source.
  Answer check(const IpAddress& source, std::string_view user, bool known, Instant now) const noexcept;
  // After: charges a failure that counts as a guess, and nothing else.
  void record(const IpAddress& source, std::string_view user, Reason reason, Instant now) noexcept;
  static bool is_guess(Reason reason) noexcept {
    return reason == Reason::wrong_password || reason == Reason::unknown_user;
  }

  // No failure for so long that every bucket is full again: check() allows all.
  bool is_quiet(Instant now) const noexcept {
    return now.time_since_epoch().count() >= all_full_at_ns_.load(std::memory_order_relaxed);
  }

 private:
  FailureLimits limits_;
  TokenBuckets buckets_;
  Duration longest_;
  alignas(64) std::atomic<std::int64_t> all_full_at_ns_{0};
};

}  // namespace ringweir::auth
