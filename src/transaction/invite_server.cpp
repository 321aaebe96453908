#include "ringweir/transaction/invite_server.h"

namespace ringweir::transaction::invite_server {
namespace {

constexpr Step kEnded{State::terminated, Action::destroy};

// RFC 6026 8.8, in every state: a response that could not be sent is told, and the state stays, because the
// request may come again and must not be taken for a new one.
Step proceeding(Event event) noexcept {
  switch (event) {
    case Event::invite: return {State::proceeding, Action::resend_response};
    case Event::user_provisional: return {State::proceeding, Action::send_response};
    case Event::user_success: return {State::accepted, Action::send_response};
    case Event::user_failure: return {State::completed, Action::send_response};
    case Event::timer_trying: return {State::proceeding, Action::send_trying};
    case Event::transport_error: return {State::proceeding, Action::tell_transport_error};
    default: return {State::proceeding, Action::none};
  }
}

Step completed(Event event) noexcept {
  switch (event) {
    case Event::invite: return {State::completed, Action::resend_response};
    case Event::ack: return {State::confirmed, Action::none};
    case Event::timer_g: return {State::completed, Action::resend_response};
    case Event::timer_h: return {State::terminated, Action::tell_timeout | Action::destroy};
    case Event::transport_error: return {State::completed, Action::tell_transport_error};
    default: return {State::completed, Action::none};
  }
}

Step confirmed(Event event) noexcept {
  switch (event) {
    case Event::timer_i: return kEnded;
    default: return {State::confirmed, Action::none};
  }
}

// RFC 6026 7.1: a 2xx is the user's to repeat, every one of any fork is sent; the INVITE again is absorbed.
Step accepted(Event event) noexcept {
  switch (event) {
    case Event::ack: return {State::accepted, Action::pass_ack};
    case Event::user_success: return {State::accepted, Action::send_response};
    case Event::timer_l: return kEnded;
    case Event::transport_error: return {State::accepted, Action::tell_transport_error};
    default: return {State::accepted, Action::none};
  }
}

}  // namespace

Step step(State state, Event event) noexcept {
  switch (state) {
    case State::proceeding: return proceeding(event);
    case State::completed: return completed(event);
    case State::confirmed: return confirmed(event);
    case State::accepted: return accepted(event);
    case State::terminated: break;
  }
  return {State::terminated, Action::none};
}

Schedule start(const Schedule& given, Trying trying, Tick now) noexcept {
  Schedule s = given;
  s.resend = trying == Trying::at_once ? kNever : now + ticks(k100Trying);
  s.end = kNever;
  return s;
}

static Schedule entered(Schedule s, State state, Tick now) noexcept {
  s.resend = s.end = kNever;
  switch (state) {
    case State::completed:
      start_resending(s, kTimerG, now);
      s.end = now + ticks(kTimerH);
      break;
    case State::confirmed: s.end = now + ticks(timer_i(s.reliable)); break;
    case State::accepted: s.end = now + ticks(kTimerL); break;
    case State::proceeding: break;
    case State::terminated: break;
  }
  return s;
}

Schedule after(const Schedule& schedule, State from, Event event, State to, Tick now) noexcept {
  if (from != to) return entered(schedule, to, now);
  Schedule s = schedule;
  if (to == State::proceeding && (event == Event::user_provisional || event == Event::timer_trying)) {
    s.resend = kNever;  // the 100 is not needed any more
  } else if (to == State::completed && event == Event::timer_g) {
    resend_later(s, kT2, now);
  }
  return s;
}

std::optional<Event> due(State state, const Schedule& schedule, Tick now) noexcept {
  if (schedule.end <= now) {
    switch (state) {
      case State::completed: return Event::timer_h;
      case State::confirmed: return Event::timer_i;
      case State::accepted: return Event::timer_l;
      case State::proceeding: break;
      case State::terminated: break;
    }
  }
  if (schedule.resend <= now && state == State::proceeding) return Event::timer_trying;
  if (schedule.resend <= now && state == State::completed) return Event::timer_g;
  return std::nullopt;
}

}  // namespace ringweir::transaction::invite_server
