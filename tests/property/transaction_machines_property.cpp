// Transactions in a wheel against naive ones: each RFC timer a deadline of its own in a map, the rules
// written out as the RFC's sentences, any sequence of messages, answers, errors, late turns and silence.
// Beside it what must hold whatever the rules are.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "ringweir/transaction/transaction.h"

namespace ringweir::transaction {
namespace {

using A = Action;

struct Naive {
  bool reliable = false;
  bool gone = false;
  std::string state;
  std::map<std::string, Tick> timers;  // name -> due
  Tick pause = 0;                      // of A, E or G
  Tick timer_c = 181'000;

  void enter(std::string name, std::map<std::string, Tick> running) {
    state = std::move(name);
    timers = std::move(running);
  }
  A end(A action) {
    gone = true;
    enter("terminated", {});
    return action | A::destroy;
  }
  virtual ~Naive() = default;
  virtual A fired(const std::string& timer, Tick now) = 0;
  void again(const char* timer, Tick first, Tick now) {
    pause = first;
    if (!reliable) timers[timer] = now + first;
  }
  void later(const char* timer, Tick most, Tick now) {
    pause = std::min(pause * 2, most);
    timers[timer] = now + pause;
  }
  Tick earliest() const {
    Tick first = kNever;
    for (const auto& [name, due] : timers) first = std::min(first, due);
    return first;
  }
  A turn(Tick now) {  // what ends a state goes before what sends again
    for (const bool sends_again : {false, true}) {
      for (const auto& [name, due] : timers) {
        const bool repeats = name == "A" || name == "E" || name == "G" || name == "100";
        if (repeats != sends_again || due > now) continue;
        const std::string timer = name;
        timers.erase(timer);
        return fired(timer, now);
      }
    }
    return A::none;
  }
};

struct NaiveInviteClient : Naive {
  A begin(Tick now) {
    enter("calling", {{"B", now + 32'000}});
    again("A", 500, now);
    return A::send_request;
  }
  A response(int status, Tick now) {
    const bool open = state == "calling" || state == "proceeding";
    if (open && status < 200) {
      const bool cancelled = timers.contains("cancel");
      if (state == "calling") {
        enter("proceeding", {{"C", now + timer_c}});
      } else if (status > 100 && !cancelled) {
        timers["C"] = now + timer_c;
      }
      return A::pass_provisional;
    }
    if (open && status < 300) return enter("accepted", {{"M", now + 32'000}}), A::pass_final;
    if (open) return enter("completed", {{"D", now + (reliable ? 0 : 32'000)}}), A::send_ack | A::pass_final;
    if (state == "accepted" && status >= 200 && status < 300) return A::pass_more_2xx;
    if (state == "completed" && status >= 300) return A::send_ack;
    return A::none;
  }
  A cancelled(Tick now) {
    if (state == "proceeding" && !timers.contains("cancel")) timers = {{"cancel", now + 32'000}};
    return A::none;
  }
  A transport_error() {
    return state == "calling" || state == "completed" ? end(A::tell_transport_error) : A::none;
  }
  A fired(const std::string& timer, Tick now) override {
    if (timer == "A") return later("A", 1'000'000, now), A::send_request;
    if (timer == "B" || timer == "cancel") return end(A::tell_timeout);
    if (timer == "C") return A::tell_timer_c;
    return end(A::none);
  }
};

struct NaiveNonInviteClient : Naive {
  A begin(Tick now) {
    enter("trying", {{"F", now + 32'000}});
    again("E", 500, now);
    return A::send_request;
  }
  A response(int status, Tick now) {
    if (state != "trying" && state != "proceeding") return A::none;
    if (status < 200) return state = "proceeding", A::pass_provisional;
    return enter("completed", {{"K", now + (reliable ? 0 : 5'000)}}), A::pass_final;
  }
  A transport_error() {
    return state == "trying" || state == "proceeding" ? end(A::tell_transport_error) : A::none;
  }
  A fired(const std::string& timer, Tick now) override {
    if (timer == "F") return end(A::tell_timeout);
    if (timer == "K") return end(A::none);
    if (state == "proceeding") pause = 4'000;
    return later("E", 4'000, now), A::send_request;
  }
};

struct NaiveInviteServer : Naive {
  bool kept = false;
  A begin(bool trying_at_once, Tick now) {
    enter("proceeding", {});
    if (!trying_at_once) timers["100"] = now + 200;
    kept = trying_at_once;
    return trying_at_once ? A::pass_request | A::send_trying : A::pass_request;
  }
  A resend() const { return kept ? A::resend_response : A::none; }
  A request() { return state == "proceeding" || state == "completed" ? resend() : A::none; }
  A ack(Tick now) {
    if (state == "accepted") return A::pass_ack;
    if (state == "completed") enter("confirmed", {{"I", now + (reliable ? 0 : 5'000)}});
    return A::none;
  }
  A respond(int status, Tick now) {
    const bool success = status >= 200 && status < 300;
    if (state == "accepted" && success) return A::send_response;
    if (state != "proceeding") return A::none;
    kept = true;
    timers.clear();
    if (success) enter("accepted", {{"L", now + 32'000}});
    if (status >= 300) {
      enter("completed", {{"H", now + 32'000}});
      again("G", 500, now);
    }
    return A::send_response;
  }
  A transport_error() const {
    return state == "terminated" || state == "confirmed" ? A::none : A::tell_transport_error;
  }
  A fired(const std::string& timer, Tick now) override {
    if (timer == "100") return kept = true, A::send_trying;
    if (timer == "G") return later("G", 4'000, now), resend();
    return end(timer == "H" ? A::tell_timeout : A::none);
  }
};

struct NaiveNonInviteServer : Naive {
  A begin(Tick) { return enter("trying", {}), A::pass_request; }
  A request() const { return state == "proceeding" || state == "completed" ? A::resend_response : A::none; }
  A respond(int status, Tick now) {
    if (state != "trying" && state != "proceeding") return A::none;
    if (status < 200) return state = "proceeding", A::send_response;
    return enter("completed", {{"J", now + (reliable ? 0 : 32'000)}}), A::send_response;
  }
  A transport_error() const {
    return state == "proceeding" || state == "completed" ? A::tell_transport_error : A::none;
  }
  A fired(const std::string&, Tick) override { return end(A::none); }
};

int any_status() {
  return *rc::gen::weightedElement<int>(
      {{4, 100}, {4, 180}, {4, 183}, {1, 200}, {1, 202}, {1, 302}, {1, 486}, {1, 603}});
}

// What holds for every machine, whatever its rules.
class Watch {
 public:
  Watch(const Transaction& transaction, const Naive& naive, const TimerWheel& wheel)
      : transaction_(transaction), naive_(naive), wheel_(wheel) {}
  void saw(Action action, Action expected) {
    RC_ASSERT(action == expected);
    RC_ASSERT(!destroyed_ || action == Action::none);  // nothing after the end
    finals_ += has(action, Action::pass_final);
    ends_ += has(action, Action::tell_timeout) ||
             (has(action, Action::tell_transport_error) && has(action, Action::destroy));
    RC_ASSERT(finals_ <= 1);
    RC_ASSERT(has(action, Action::destroy) == (transaction_.terminated() && !destroyed_));
    destroyed_ = destroyed_ || has(action, Action::destroy);
    RC_ASSERT(destroyed_ == transaction_.terminated());
    if (destroyed_) RC_ASSERT(!transaction_.armed());
    RC_ASSERT(wheel_.size() == (transaction_.armed() ? 1u : 0u));
    const Tick next = naive_.earliest();
    RC_ASSERT(transaction_.schedule.next_due() == next);
    if (next != kNever) RC_ASSERT(transaction_.armed() && transaction_.due <= next);  // nothing is missed
  }
  bool destroyed() const { return destroyed_; }
  bool told() const { return finals_ + ends_ > 0; }  // a final response, or that there will be none

 private:
  const Transaction& transaction_;
  const Naive& naive_;
  const TimerWheel& wheel_;
  int finals_ = 0, ends_ = 0;
  bool destroyed_ = false;
};

template <class T>
void turn(T& transaction, Naive& naive, TimerWheel& wheel, Tick now, Watch& watch) {
  Action action = Action::none;
  wheel.advance(now, 10, [&](TimerNode&) { action = transaction.fire(now, wheel); });
  watch.saw(action, naive.turn(now));
}

// How far the clock goes: nothing, a little, to the very millisecond of the next deadline or beside it, far
// too late.
Tick later_than(Tick now, const Naive& naive) {
  Tick next = naive.earliest();
  if (next == kNever || next < now) next = now;
  switch (*rc::gen::element(0, 1, 2, 3, 4, 5)) {
    case 0: return now;
    case 1: return now + *rc::gen::inRange<Tick>(0, 300);
    case 2: return now + *rc::gen::inRange<Tick>(0, 5'000);
    case 3: return now + *rc::gen::inRange<Tick>(0, 200'000);
    case 4: return std::max(now, next - (next > 0 ? 1 : 0));
    default: return next;
  }
}

template <class NaiveClient>
void client_property(Machine machine) {
  Tick now = *rc::gen::inRange<Tick>(0, 1'000'000);
  TimerWheel wheel(now);
  ClientTransaction t(machine);
  NaiveClient naive;
  naive.reliable = *rc::gen::arbitrary<bool>();
  naive.timer_c = *rc::gen::element<Tick>(181'000, 200'000, 5'000);
  Watch watch(t, naive, wheel);
  const Schedule given{.timer_c_ms = static_cast<std::uint32_t>(naive.timer_c), .reliable = naive.reliable};
  watch.saw(t.begin(given, now, wheel), naive.begin(now));
  const auto steps = *rc::gen::element(1, 2, 3, 5, 8, 13, 40);
  for (int i = 0; i < steps; ++i) {
    switch (*rc::gen::weightedElement<int>({{8, 0}, {8, 1}, {1, 2}, {1, 3}})) {
      case 0:
        now = later_than(now, naive);
        turn(t, naive, wheel, now, watch);
        break;
      case 1: {
        const int status = any_status();
        watch.saw(t.response(static_cast<std::uint16_t>(status), now, wheel), naive.response(status, now));
        break;
      }
      case 2: watch.saw(t.transport_error(now, wheel), naive.transport_error()); break;
      default:
        if constexpr (requires { naive.cancelled(now); })
          watch.saw(t.cancelled(now, wheel), naive.cancelled(now));
    }
  }
  // Left alone it ends by its timers, with a CANCEL where it rings for ever.
  for (int i = 0; i < 300 && !watch.destroyed(); ++i) {
    now += 1'000;
    turn(t, naive, wheel, now, watch);
    if constexpr (requires { naive.cancelled(now); }) {
      if (i == 250) watch.saw(t.cancelled(now, wheel), naive.cancelled(now));
    }
  }
  RC_ASSERT(watch.destroyed());
  RC_ASSERT(watch.told());
  RC_ASSERT(wheel.size() == 0u);
}

template <class NaiveServer>
void server_property(Machine machine) {
  Tick now = *rc::gen::inRange<Tick>(0, 1'000'000);
  TimerWheel wheel(now);
  ServerTransaction t(machine);
  NaiveServer naive;
  naive.reliable = *rc::gen::arbitrary<bool>();
  Watch watch(t, naive, wheel);
  const bool at_once = *rc::gen::arbitrary<bool>();
  const auto saw = [&](Action action, Action expected) {
    if (has(action, A::send_response) || has(action, A::send_trying)) t.text = Text{1, 1};
    watch.saw(action, expected);
  };
  const auto trying = at_once ? invite_server::Trying::at_once : invite_server::Trying::after_200_ms;
  const Schedule given{.reliable = naive.reliable};
  if constexpr (requires { naive.begin(at_once, now); }) {
    saw(t.begin(trying, given, now, wheel), naive.begin(at_once, now));
  } else {
    saw(t.begin(trying, given, now, wheel), naive.begin(now));
  }
  const auto answer = [&](int status) {
    saw(t.respond(static_cast<std::uint16_t>(status), now, wheel), naive.respond(status, now));
  };
  const auto pass_time = [&](Tick to) {
    now = to;
    Action action = Action::none;
    wheel.advance(now, 10, [&](TimerNode&) { action = t.fire(now, wheel); });
    saw(action, naive.turn(now));
  };
  const auto steps = *rc::gen::element(1, 2, 3, 5, 8, 13, 40);
  for (int i = 0; i < steps; ++i) {
    switch (*rc::gen::weightedElement<int>({{8, 0}, {4, 1}, {4, 2}, {1, 3}, {3, 4}})) {
      case 0: pass_time(later_than(now, naive)); break;
      case 1: answer(any_status()); break;
      case 2: saw(t.request_again(now, wheel), naive.request()); break;
      case 3: saw(t.transport_error(now, wheel), naive.transport_error()); break;
      default:
        if constexpr (requires { naive.ack(now); }) saw(t.ack(now, wheel), naive.ack(now));
    }
  }
  answer(500);  // the user owes one; then it ends by its timers
  for (int i = 0; i < 80 && !watch.destroyed(); ++i) pass_time(now + 1'000);
  RC_ASSERT(watch.destroyed());
  RC_ASSERT(wheel.size() == 0u);
}

RC_GTEST_PROP(TransactionProperty, AnInviteClientDoesWhatANaiveOneDoes, ()) {
  client_property<NaiveInviteClient>(Machine::invite_client);
}
RC_GTEST_PROP(TransactionProperty, AnotherClientDoesWhatANaiveOneDoes, ()) {
  client_property<NaiveNonInviteClient>(Machine::non_invite_client);
}
RC_GTEST_PROP(TransactionProperty, AnInviteServerDoesWhatANaiveOneDoes, ()) {
  server_property<NaiveInviteServer>(Machine::invite_server);
}
RC_GTEST_PROP(TransactionProperty, AnotherServerDoesWhatANaiveOneDoes, ()) {
  server_property<NaiveNonInviteServer>(Machine::non_invite_server);
}

}  // namespace
}  // namespace ringweir::transaction
