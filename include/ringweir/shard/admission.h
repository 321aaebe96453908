// Which messages a shard takes on when more arrive than it can serve. Pure: told how long each message has
// waited in the kernel's queue and in mailboxes, it answers in the order the shard decides.
//
// What is under way is always served: it is short, and giving it up wastes what was spent on it. What begins
// something is shed by the wait, in ramps rather than steps, so that the wait settles where the shed share
// equals the excess and nothing swings:
//
//   wait in targets   0.5 ... 1.5   new dialogs: none ... all are shed
//                     1.5 ... 2.5   then registrations of who is not registered
//                     2.0 ... 3.0   those of them that already answer a challenge
//                     2.5 ... 3.5   then everything else that begins something
//                     from 12       shed in silence, since even the refusals do not fit any more
//
// A wait counts only once it has stood above the target for kStanding, or kHiccup for kHiccupDrains: a burst and a
// process that was not scheduled for some milliseconds drain by themselves (as in CoDel, RFC 8289 4; but what
// is dropped there slows its sender down, while callers are not responsive, so the share follows the wait
// instead of a slowly rising count).
//
// A queue too short to wait in (net.core.rmem_max) overflows before the target is reached. The longest wait
// seen then is how much it holds, and the target in use becomes a third of that.
//
// One shard's, its thread only. No allocation. Time is a parameter.
#pragma once
#include <array>
#include <cstdint>

#include "ringweir/base/random.h"
#include "ringweir/base/time.h"

namespace ringweir::shard {

struct OverloadPolicy {
  bool enabled = true;
  // PERF: 5 ms are more than a thousand messages: the shard never runs dry while it sheds. More would not fit
  // the kernel's queue: 8 MiB (rmem_max of 4 MiB) hold some 20 to 30 ms of messages at full speed.
  Duration target = 5ms;
  bool sieve = true;  // see Admission::passes_per_million()
  friend bool operator==(const OverloadPolicy&, const OverloadPolicy&) = default;
};

// What a message is to the load, in the order in which it is shed: last first.
enum class Load : std::uint8_t {
  under_way,     // responses, ACK, CANCEL, BYE, any request with a To tag or that a transaction of ours knows
  refresh,       // REGISTER for a binding that lives: its phone is in somebody's ear
  begins_other,  // MESSAGE, SUBSCRIBE, OPTIONS and the rest without a To tag
  registration_begun,  // REGISTER of who is not registered, with credentials: a challenge was spent on it
  registration,        // REGISTER of who is not registered
  dialog,              // INVITE without a To tag
  count_
};
inline constexpr std::size_t kLoads = static_cast<std::size_t>(Load::count_);

enum class Admitted : std::uint8_t {
  accept,
  refuse,  // 503 with Retry-After: retry_after_s()
  ignore,  // silence, counted; no further work on it
};

class Admission {
 public:
  static constexpr Duration kStanding = 100ms;
  static constexpr Duration kHiccup = 60ms;        // a wait so long counts sooner
  static constexpr Duration kHiccupDrains = 20ms;  // but not before a pause of the whole process has had time to drain
  static constexpr std::uint32_t kRetryAfterMax = 300;

  explicit Admission(std::uint64_t seed) noexcept : random_(seed) {}
  // `challenges`: a registration takes two requests.
  void use(const OverloadPolicy& policy, bool challenges) noexcept {
    policy_ = policy;
    target_ = policy.target;
    challenges_ = challenges;
  }

  // For every message, what is under way too: it tells how long messages wait.
  Admitted admit(Load load, Duration waited, Instant now) noexcept {
    if (!policy_.enabled) [[unlikely]]
      return Admitted::accept;
    if (now >= measure_ends_) [[unlikely]]
      measure(now);
    if (waited > longest_) longest_ = waited;
    if (waited > target_ / 2 || sheds_) [[unlikely]] {
      follow(waited, now);
    } else {
      above_ = false;
    }
    if (!sheds_) [[likely]] {
      ++accepted_[static_cast<std::size_t>(load)];
      return Admitted::accept;
    }
    return shed_or_accept(load, waited, now);
  }
  // The kernel's queue was full and datagrams were lost since the last call; once a turn.
  void overflowed() noexcept { overflowed_ = true; }

  // The value of Retry-After for what was refused. Who is told is given an appointment: the hour moves on by
  // one place for each, so that they come back at the rate the shard admits such work, whether a hundred or a
  // hundred thousand were turned away. At most kRetryAfterMax seconds; who does not fit comes at random in
  // the second half of that.
  std::uint32_t retry_after_s(Load load, Instant now) noexcept;

  bool sheds() const noexcept { return sheds_; }
  // New dialogs that the kernel lets into the socket (io/driver.h, sieve()), of a million; changes every
  // kMeasure. A refusal costs about an eighth of a call, so at three times the capacity refusing all the
  // excess by 503 would take a quarter of it. Where most new dialogs are refused over seconds, part of them
  // is dropped before it costs anything; of those that come through one in five is still told.
  std::uint32_t passes_per_million() const noexcept { return passes_; }

 private:
  static constexpr Duration kMeasure = 200ms;  // of rates and the sieve
  struct Book {
    Instant next{};
    double rate = 0;     // a second: the best of late
    Instant reserved{};  // when the next one is admitted whatever the wait
  };

  void follow(Duration wait, Instant now) noexcept;
  Admitted shed_or_accept(Load load, Duration wait, Instant now) noexcept;
  bool is_reserved(Load load, Instant now) noexcept;
  void measure(Instant now) noexcept;
  void fit_target() noexcept;
  Book& book_of(Load load) noexcept;
  double measured(Load load, double took) const noexcept;
  void turn_sieve(double accepted, double refused) noexcept;

  OverloadPolicy policy_;
  Random random_;
  bool sheds_ = false, above_ = false, below_ = false, overflowed_ = false, challenges_ = false;
  Instant above_since_{}, below_since_{}, measure_began_{}, measure_ends_{};
  Duration target_ = OverloadPolicy{}.target;  // in use
  Duration longest_{};                         // wait in this measure
  std::array<double, kLoads> carry_{};         // of the share that is to be shed: spreads it evenly
  std::array<std::uint64_t, kLoads> accepted_{}, refused_{};  // in this measure
  std::array<Book, kLoads> books_{};
  double dialogs_offered_ = 0, dialogs_admitted_ = 0;  // a measure, averaged over seconds
  std::uint32_t passes_ = 1'000'000;
};

}  // namespace ringweir::shard
