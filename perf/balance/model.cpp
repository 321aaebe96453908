#include "model.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <queue>

#include "ringweir/balance/choose.h"
#include "ringweir/balance/in_flight.h"

namespace ringweir::balance_model {
namespace {

using balance::TargetState;

constexpr std::uint32_t kUsers = 5'000;

// What happens to callers, drawn in the order of arrival: every algorithm gets the same calls.
class Traffic {
 public:
  Traffic(std::uint64_t seed, double rate) : random_(seed), rate_(rate) {
    double sum = 0;
    for (std::uint32_t i = 0; i < kUsers; ++i)
      busy_.push_back(sum += 1.0 / (i + 50));  // some call more than others
    for (double& b : busy_) b /= sum;
  }
  struct Call {
    double invite, bye, length;
    balance::Keys keys;
  };
  double gap() { return exponential(1 / rate_); }
  Call call() {
    Call c{half_fixed(kInvite), half_fixed(kBye), length(), {}};
    const std::uint64_t to = user();
    c.keys = {random_.next(), user(), to, to};
    return c;
  }

 private:
  double unit() { return (static_cast<double>(random_.next() >> 11) + 0.5) * 0x1p-53; }
  double exponential(double mean) { return -mean * std::log(unit()); }
  double half_fixed(double mean) { return mean / 2 + exponential(mean / 2); }
  double length() {
    const double u = unit();
    return exponential(u < 0.5 ? 2 : u < 0.9 ? 20 : 120);  // 21 s in the mean
  }
  std::uint64_t user() {
    const auto i = std::ranges::lower_bound(busy_, unit()) - busy_.begin();
    return balance::rehash(static_cast<std::uint64_t>(i), 77);
  }
  Random random_;
  double rate_;
  std::vector<double> busy_;
};

enum class What : std::uint8_t { arrival, invite_answered, hang_up, bye_answered };
struct Event {
  double at;
  std::uint64_t sequence;
  What what;
  std::uint32_t call;
  bool operator>(const Event& other) const {
    return at != other.at ? at > other.at : sequence > other.sequence;
  }
};

struct OpenCall {
  std::uint16_t target = 0;
  double sent = 0, bye = 0, length = 0;
  balance::TransactionInFlight transaction;
  balance::CallOpen open;
};

class Model {
 public:
  explicit Model(const Run& run)
      : run_(run),
        traffic_(run.seed, run.load * capacity(run.scenario)),
        random_(run.seed + 1),
        end_(run.warm_up + run.measured),
        free_at_(run.scenario.targets),
        sent_to_(run.scenario.targets) {
    balance::Upstream::Settings settings{.name = "farm", .algorithm = run.algorithm};
    for (std::uint32_t i = 0; i < run.scenario.targets; ++i) {
      states_.push_back(std::make_unique<TargetState>());
      settings.targets.push_back({{IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(i + 1)), 5060},
                                  "",
                                  run.scenario.weights_known && !is_slow(i) ? 2u : 1u,
                                  0,
                                  states_.back().get()});
    }
    upstream_ = std::make_unique<balance::Upstream>(std::move(settings));
  }

  Result play() {
    schedule(traffic_.gap(), What::arrival, 0);
    while (!events_.empty()) {
      const Event event = events_.top();
      events_.pop();
      now_ = event.at;
      switch (event.what) {
        case What::arrival: arrival(); break;
        case What::invite_answered: invite_answered(event.call); break;
        case What::hang_up: hang_up(event.call); break;
        case What::bye_answered: bye_answered(event.call); break;
      }
    }
    return result();
  }

 private:
  bool is_slow(std::uint32_t target) const { return target < run_.scenario.slow; }
  Instant instant() const {
    return Instant(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1000 + now_)));
  }
  void schedule(double at, What what, std::uint32_t call) { events_.push({at, next_++, what, call}); }
  // The network delay is the same for all, so that queues fill in the order of sending. When the work is
  // done:
  double work(std::uint16_t target, double seconds) {
    double& free_at = free_at_[target];
    free_at = std::max(free_at, now_ + kNetwork) + seconds * (is_slow(target) ? 2 : 1);
    return free_at;
  }
  std::uint32_t take_call() {
    if (free_calls_.empty()) {
      calls_.emplace_back();
      return static_cast<std::uint32_t>(calls_.size() - 1);
    }
    const std::uint32_t call = free_calls_.back();
    free_calls_.pop_back();
    return call;
  }

  void arrival() {
    const Traffic::Call drawn = traffic_.call();
    const auto choice = balance::choose(*upstream_, drawn.keys, {}, instant(), random_);
    const std::uint32_t index = take_call();
    OpenCall& call = calls_[index];
    call.target = choice->target;
    call.sent = now_;
    call.bye = drawn.bye;
    call.length = drawn.length;
    call.transaction = balance::TransactionInFlight(*states_[call.target]);
    call.open = balance::CallOpen(*states_[call.target]);
    if (now_ >= run_.warm_up) {
      ++offered_;
      ++sent_to_[call.target];
    }
    schedule(work(call.target, drawn.invite) + kNetwork, What::invite_answered, index);
    if (const double next = now_ + traffic_.gap(); next < end_) schedule(next, What::arrival, 0);
  }
  void answered(OpenCall& call) {
    const std::chrono::duration<double> took(now_ - call.sent);
    call.transaction.answered(std::chrono::duration_cast<Duration>(took), instant());
  }
  void invite_answered(std::uint32_t index) {
    OpenCall& call = calls_[index];
    answered(call);
    if (call.sent >= run_.warm_up) times_.push_back(now_ - call.sent);
    work(call.target, kAck);
    schedule(now_ + call.length, What::hang_up, index);
  }
  void hang_up(std::uint32_t index) {
    OpenCall& call = calls_[index];
    call.sent = now_;
    call.transaction = balance::TransactionInFlight(*states_[call.target]);
    schedule(work(call.target, call.bye) + kNetwork, What::bye_answered, index);
  }
  void bye_answered(std::uint32_t index) {
    answered(calls_[index]);
    calls_[index].open.end();
    free_calls_.push_back(index);
  }

  Result result() {
    Result r;
    std::ranges::sort(times_);
    const auto at = [&](double part) {
      if (times_.empty()) return 0.0;
      return times_[std::min(times_.size() - 1,
                             static_cast<std::size_t>(part * static_cast<double>(times_.size())))];
    };
    const auto in_time = std::ranges::upper_bound(times_, kTimeout) - times_.begin();
    r.offered = static_cast<double>(offered_) / run_.measured;
    r.answered = static_cast<double>(in_time) / run_.measured;
    r.mean = std::accumulate(times_.begin(), times_.end(), 0.0) /
             static_cast<double>(std::max<std::size_t>(times_.size(), 1));
    r.p50 = at(0.50);
    r.p95 = at(0.95);
    r.p99 = at(0.99);
    r.most_share = static_cast<double>(std::ranges::max(sent_to_)) /
                   static_cast<double>(std::max<std::uint64_t>(offered_, 1));
    r.counters_zero = std::ranges::all_of(states_, [](const auto& state) {
      return state->calls() == 0 && state->outstanding() == 0 && state->tallies().unpaired == 0;
    });
    return r;
  }

  Run run_;
  Traffic traffic_;
  Random random_;
  double now_ = 0, end_;
  std::uint64_t next_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<std::unique_ptr<TargetState>> states_;
  std::unique_ptr<balance::Upstream> upstream_;
  std::vector<double> free_at_;
  std::vector<std::uint64_t> sent_to_;
  std::vector<OpenCall> calls_;
  std::vector<std::uint32_t> free_calls_;
  std::vector<double> times_;
  std::uint64_t offered_ = 0;
};

}  // namespace

double capacity(const Scenario& scenario) {
  return (scenario.targets - 0.5 * scenario.slow) / (kInvite + kAck + kBye);
}

Result simulate(const Run& run) {
  return Model(run).play();
}

}  // namespace ringweir::balance_model
