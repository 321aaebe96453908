// A shard as a queue with a server, callers and phones around it: enough of SIP to ask what admission does to
// them. Turns of at most 256 messages, a kernel queue that is full at some length, retransmissions by RFC
// 3261's timers, calls of six messages, registrations of two. Costs are shares of a call's; all randomness
// comes from one seed.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <queue>
#include <vector>

#include "ringweir/base/random.h"
#include "ringweir/shard/admission.h"

namespace ringweir::shard::model {

enum class What : std::uint8_t {
  invite,
  ringing,
  answer,
  ack,
  bye,
  bye_answer,
  ack_of_refusal,
  register_,
  register_with
};

struct Options {
  std::uint64_t seed = 1;
  Duration call_cost = 200us;          // of all six messages
  double refusal_share = 0.09;         // of a call: parsed, 503 sent
  double silence_share = 0.03;         // of a call: received, an ACK too
  Duration registration_cost = 100us;  // both messages
  double registration_refusal_share = 0.4, registration_silence_share = 0.12;
  std::size_t queue_max = 4'000;  // messages in the kernel
  OverloadPolicy policy{};
};

// Who asks: a call or a phone, by its number.
struct Message {
  What what;
  std::uint32_t of;
  std::uint32_t tries = 0;
};

class World {
 public:
  explicit World(const Options& options)
      : options_(options), random_(options.seed), admission_(options.seed + 1) {
    admission_.use(options.policy, true);
  }

  double capacity_calls() const { return 1e9 / static_cast<double>(options_.call_cost.count()); }
  double capacity_registrations() const {
    return 1e9 / static_cast<double>(options_.registration_cost.count());
  }

  // `rate` calls a second from `from` to `to`, Poisson.
  void offer_calls(double rate, Duration from, Duration to) {
    for (double t = static_cast<double>(from.count()); t < static_cast<double>(to.count());) {
      const double u = (static_cast<double>(random_.below(1u << 30)) + 1) / static_cast<double>(1u << 30);
      t += -std::log(u) * 1e9 / rate;
      const auto call = static_cast<std::uint32_t>(calls_.size());
      calls_.push_back({});
      at(Duration{static_cast<std::int64_t>(t)}, Act::send, {What::invite, call});
    }
  }
  // So many phones that register within `within` from `from`.
  void offer_phones(std::uint32_t count, Duration from, Duration within) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto phone = static_cast<std::uint32_t>(phones_.size());
      phones_.push_back({});
      at(from + Duration{static_cast<std::int64_t>(random_.below(1'000'000)) * within.count() / 1'000'000},
         Act::begin_registration, {What::register_, phone});
    }
  }
  void stall(Duration from, Duration length) { at(from, Act::stall, {}, 0, length); }

  void run(Duration until) {
    while (!events_.empty() && events_.top().at <= until) {
      const Event event = events_.top();
      events_.pop();
      now_ = event.at;
      carry_out(event);
      if (!queue_.empty() && free_at_ <= now_) turn();
    }
  }

  // What came of it.
  struct Second {
    std::uint64_t calls_done = 0, refused = 0, ignored = 0, overflowed = 0, registered = 0, sieved = 0;
    Duration wait_max{};
  };
  const Second& second(std::size_t n) {
    return seconds_.size() > n ? seconds_[n] : (seconds_.resize(n + 1), seconds_[n]);
  }
  double mean(std::uint64_t Second::*what, std::size_t from, std::size_t to) {
    std::uint64_t sum = 0;
    for (std::size_t n = from; n < to; ++n) sum += second(n).*what;
    return static_cast<double>(sum) / static_cast<double>(to - from);
  }
  Duration wait_max(std::size_t from, std::size_t to) {
    Duration most{};
    for (std::size_t n = from; n < to; ++n) most = std::max(most, second(n).wait_max);
    return most;
  }
  std::uint64_t registered() const { return registered_; }
  std::uint64_t registration_attempts() const { return registration_attempts_; }
  std::uint64_t lost_under_way = 0;  // shed though it was under way
  Duration last_registered{};
  Admission& admission() { return admission_; }

 private:
  enum class Act : std::uint8_t {
    send,
    arrive,
    again,
    begin_registration,
    retry_registration,
    register_with,
    stall,
    wake
  };
  struct Event {
    Duration at;
    std::uint64_t order;
    Message message{};
    std::uint32_t round = 0;
    Act act = Act::wake;
    Duration length{};
    bool operator<(const Event& other) const { return at != other.at ? at > other.at : order > other.order; }
  };
  struct Call {
    bool heard = false;  // the caller has an answer to its INVITE
    bool accepted = false;
    std::uint16_t done = 0;  // by What: processed, so that retransmissions end
  };
  struct Phone {
    bool registered = false;
    std::uint32_t round = 0;  // attempts so far: timers of earlier ones are void
    bool heard = false;
  };
  struct Waiting {
    Message message;
    Duration arrived;
  };

  void at(Duration when, Act act, const Message& message = {}, std::uint32_t round = 0,
          Duration length = {}) {
    events_.push({when, order_++, message, round, act, length});
  }
  void carry_out(const Event& event) {
    const std::uint32_t of = event.message.of;
    switch (event.act) {
      case Act::send: return send(event.message);
      case Act::arrive: return arrive(event.message);
      case Act::again: return send_again(event.message, event.round);
      case Act::begin_registration: return begin_registration(of);
      case Act::retry_registration:
        if (!phones_[of].registered && phones_[of].round == event.round) begin_registration(of);
        return;
      case Act::register_with:
        phones_[of].heard = false;
        ++phones_[of].round;
        return send({What::register_with, of});
      case Act::stall: free_at_ = std::max(free_at_, now_) + event.length; return;
      case Act::wake: wake_planned_ = false; return;
    }
  }
  Duration network() { return 500us + Duration{random_.below(1'000'000)}; }
  Second& bucket() {
    const auto n = static_cast<std::size_t>(to_s(now_));
    if (seconds_.size() <= n) seconds_.resize(n + 1);
    return seconds_[n];
  }

  // From a peer towards the shard, with its retransmissions.
  void send(Message message) {
    at(now_ + network(), Act::arrive, message);
    const bool repeats =
        message.what != What::ack && message.what != What::ack_of_refusal && message.what != What::ringing;
    if (!repeats || message.tries >= 6) {
      if (is_register(message.what) && message.tries >= 6) give_up_for_now(message.of);
      return;
    }
    const bool is_invite = message.what == What::invite;
    const Duration doubled = 500ms * (1 << message.tries);
    const Duration wait = is_invite ? doubled : std::min<Duration>(doubled, 4s);
    Message again = message;
    ++again.tries;
    const std::uint32_t round = is_register(message.what) ? phones_[message.of].round : 0;
    at(now_ + wait, Act::again, again, round);
  }
  void send_again(const Message& again, std::uint32_t round) {
    if (is_register(again.what)) {
      const Phone& phone = phones_[again.of];
      if (phone.heard || phone.round != round) return;
    } else if (again.what == What::invite ? calls_[again.of].heard : is_done(again)) {
      return;
    }
    send(again);
  }
  static bool is_register(What what) { return what == What::register_ || what == What::register_with; }
  bool is_done(const Message& m) const { return calls_[m.of].done >> static_cast<unsigned>(m.what) & 1; }

  void begin_registration(std::uint32_t phone) {
    ++registration_attempts_;
    phones_[phone].heard = false;
    ++phones_[phone].round;
    send({What::register_, phone});
  }
  void give_up_for_now(std::uint32_t phone) {
    at(now_ + 30s, Act::retry_registration, {What::register_, phone}, phones_[phone].round);
  }

  void arrive(const Message& message) {
    if (message.what == What::invite && random_.below(1'000'000) >= admission_.passes_per_million()) {
      ++bucket().sieved;
      return;
    }
    if (queue_.size() >= options_.queue_max) {
      ++bucket().overflowed;
      overflowed_ = true;
      return;
    }
    queue_.push_back({message, now_});
    if (free_at_ > now_ && !wake_planned_) plan_wake();
  }
  void plan_wake() {
    wake_planned_ = true;
    at(free_at_, Act::wake);
  }

  void turn() {
    if (overflowed_) admission_.overflowed();
    overflowed_ = false;
    const Duration began = now_;
    Duration at_work = now_;
    for (std::size_t n = std::min<std::size_t>(queue_.size(), 256); n > 0; --n) {
      const Waiting waiting = queue_.front();
      queue_.pop_front();
      bucket().wait_max = std::max(bucket().wait_max, at_work - waiting.arrived);
      at_work += serve(waiting.message, began - waiting.arrived, began);
    }
    free_at_ = at_work;
    if (!queue_.empty() && !wake_planned_) plan_wake();
  }

  Load load_of(const Message& message) const {
    switch (message.what) {
      case What::invite: return calls_[message.of].accepted ? Load::under_way : Load::dialog;
      case What::register_: return Load::registration;
      case What::register_with: return Load::registration_begun;
      default: return Load::under_way;
    }
  }

  // Decides, plans what follows at the turn's end, says what it cost.
  Duration serve(const Message& message, Duration waited, Duration began) {
    const Load load = load_of(message);
    const Admitted admitted = admission_.admit(load, waited, Instant{began});
    const Duration of_call = options_.call_cost, of_registration = options_.registration_cost;
    if (admitted != Admitted::accept) {
      if (load == Load::under_way) ++lost_under_way;
      if (admitted == Admitted::ignore) {
        ++bucket().ignored;
        return is_register(message.what) ? share(of_registration, options_.registration_silence_share)
                                         : share(of_call, options_.silence_share);
      }
      ++bucket().refused;
      const std::uint32_t retry_after = admission_.retry_after_s(load, Instant{began});
      const auto of = message.of;
      if (load == Load::dialog) {
        calls_[of].heard = true;
        send({What::ack_of_refusal, of});
        return share(of_call, options_.refusal_share);
      }
      phones_[of].heard = true;
      at(now_ + network() + std::chrono::seconds{retry_after}, Act::begin_registration,
         {What::register_, of});
      return share(of_registration, options_.registration_refusal_share);
    }
    return is_register(message.what) ? serve_registration(message) : serve_call(message);
  }

  Duration serve_registration(const Message& message) {
    Phone& phone = phones_[message.of];
    phone.heard = true;
    if (message.what == What::register_) {
      at(now_ + network(), Act::register_with, message);
    } else if (!phone.registered) {
      phone.registered = true;
      ++registered_;
      ++bucket().registered;
      last_registered = now_;
    }
    return options_.registration_cost / 2;
  }

  Duration serve_call(const Message& message) {
    static constexpr double kShares[] = {0.26, 0.13, 0.17, 0.11, 0.18, 0.15, 0.03};
    const auto of = message.of;
    Call& call = calls_[of];
    if (is_done(message) && message.what != What::ack_of_refusal) return share(options_.call_cost, 0.05);
    call.done = static_cast<std::uint16_t>(call.done | 1u << static_cast<unsigned>(message.what));
    switch (message.what) {
      case What::invite:
        call.heard = call.accepted = true;
        at(now_ + network(), Act::send, {What::ringing, of});
        at(now_ + network() + 200ms, Act::send, {What::answer, of});
        break;
      case What::answer:
        at(now_ + network(), Act::send, {What::ack, of});
        at(now_ + network() + 1s + Duration{random_.below(1'000'000'000)}, Act::send, {What::bye, of});
        break;
      case What::bye: at(now_ + network(), Act::send, {What::bye_answer, of}); break;
      case What::bye_answer: ++bucket().calls_done; break;
      default: break;
    }
    return share(options_.call_cost, kShares[static_cast<std::size_t>(message.what)]);
  }
  static Duration share(Duration of, double part) {
    return Duration{static_cast<std::int64_t>(static_cast<double>(of.count()) * part)};
  }

  Options options_;
  Random random_;
  Admission admission_;
  std::priority_queue<Event> events_;
  std::uint64_t order_ = 0;
  Duration now_{}, free_at_{};
  bool wake_planned_ = false, overflowed_ = false;
  std::deque<Waiting> queue_;
  std::vector<Call> calls_;
  std::vector<Phone> phones_;
  std::vector<Second> seconds_;
  std::uint64_t registered_ = 0, registration_attempts_ = 0;
};

}  // namespace ringweir::shard::model
