#include "ringweir/transaction/invite_client.h"

namespace ringweir::transaction::invite_client {
namespace {

constexpr Step kTimedOut{State::terminated, Action::tell_timeout | Action::destroy};
constexpr Step kUnsent{State::terminated, Action::tell_transport_error | Action::destroy};
constexpr Step kEnded{State::terminated, Action::destroy};

Step calling(Event event) noexcept {
  switch (event) {
    case Event::trying: return {State::proceeding, Action::pass_provisional};
    case Event::provisional: return {State::proceeding, Action::pass_provisional};
    case Event::success: return {State::accepted, Action::pass_final};
    case Event::failure: return {State::completed, Action::send_ack | Action::pass_final};
    case Event::timer_a: return {State::calling, Action::send_request};
    case Event::timer_b: return kTimedOut;
    case Event::transport_error: return kUnsent;
    default: return {State::calling, Action::none};
  }
}

// Nothing is sent in this state, so no transport error belongs to it: a port that was heard from and is
// unreachable now is Timer C's, or the user's who sees the CANCEL fail.
Step proceeding(Event event) noexcept {
  switch (event) {
    case Event::trying: return {State::proceeding, Action::pass_provisional};
    case Event::provisional: return {State::proceeding, Action::pass_provisional};
    case Event::success: return {State::accepted, Action::pass_final};
    case Event::failure: return {State::completed, Action::send_ack | Action::pass_final};
    case Event::timer_c: return {State::proceeding, Action::tell_timer_c};  // RFC 3261 16.8
    case Event::timer_cancel: return kTimedOut;                             // RFC 3261 9.1
    default: return {State::proceeding, Action::none};
  }
}

Step completed(Event event) noexcept {
  switch (event) {
    case Event::failure: return {State::completed, Action::send_ack};
    case Event::timer_d: return kEnded;
    case Event::transport_error: return kUnsent;
    default: return {State::completed, Action::none};
  }
}

// RFC 6026 7.2: no ACK from here, the user's goes end to end.
Step accepted(Event event) noexcept {
  switch (event) {
    case Event::success: return {State::accepted, Action::pass_more_2xx};
    case Event::timer_m: return kEnded;
    default: return {State::accepted, Action::none};
  }
}

}  // namespace

Step step(State state, Event event) noexcept {
  switch (state) {
    case State::calling: return calling(event);
    case State::proceeding: return proceeding(event);
    case State::completed: return completed(event);
    case State::accepted: return accepted(event);
    case State::terminated: break;
  }
  return {State::terminated, Action::none};
}

Schedule start(const Schedule& given, Tick now) noexcept {
  Schedule s = given;
  start_resending(s, kTimerA, now);
  s.end = now + ticks(kTimerB);
  return s;
}

static Schedule entered(Schedule s, State state, Tick now) noexcept {
  s.resend = s.end = kNever;
  switch (state) {
    case State::calling: return start(s, now);
    case State::proceeding: s.end = now + s.timer_c_ms; break;
    case State::completed: s.end = now + ticks(timer_d(s.reliable)); break;
    case State::accepted: s.end = now + ticks(kTimerM); break;
    case State::terminated: break;
  }
  return s;
}

Schedule after(const Schedule& schedule, State from, Event event, State to, Tick now) noexcept {
  if (from != to) return entered(schedule, to, now);
  Schedule s = schedule;
  if (event == Event::timer_a && to == State::calling) {
    resend_later(s, kTimerB, now);  // doubles without bound, RFC 3261 17.1.1.2; B ends it
  } else if (to == State::proceeding && !s.cancelled) {
    if (event == Event::provisional) s.end = now + s.timer_c_ms;  // RFC 3261 16.7 step 2: not for 100
    if (event == Event::timer_c) s.end = kNever;                  // the user cancels, or gives it up
    if (event == Event::cancelled) {
      s.cancelled = true;
      s.end = now + ticks(kAfterCancel);
    }
  }
  return s;
}

std::optional<Event> due(State state, const Schedule& schedule, Tick now) noexcept {
  if (schedule.end <= now) {
    switch (state) {
      case State::calling: return Event::timer_b;
      case State::proceeding: return schedule.cancelled ? Event::timer_cancel : Event::timer_c;
      case State::completed: return Event::timer_d;
      case State::accepted: return Event::timer_m;
      case State::terminated: return std::nullopt;
    }
  }
  if (schedule.resend <= now && state == State::calling) return Event::timer_a;
  return std::nullopt;
}

}  // namespace ringweir::transaction::invite_client
