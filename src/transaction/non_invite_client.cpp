#include "ringweir/transaction/non_invite_client.h"

namespace ringweir::transaction::non_invite_client {
namespace {

constexpr Step kTimedOut{State::terminated, Action::tell_timeout | Action::destroy};
constexpr Step kUnsent{State::terminated, Action::tell_transport_error | Action::destroy};
constexpr Step kEnded{State::terminated, Action::destroy};

Step trying(Event event) noexcept {
  switch (event) {
    case Event::provisional: return {State::proceeding, Action::pass_provisional};
    case Event::final: return {State::completed, Action::pass_final};
    case Event::timer_e: return {State::trying, Action::send_request};
    case Event::timer_f: return kTimedOut;
    case Event::transport_error: return kUnsent;
    default: return {State::trying, Action::none};
  }
}

Step proceeding(Event event) noexcept {
  switch (event) {
    case Event::provisional: return {State::proceeding, Action::pass_provisional};
    case Event::final: return {State::completed, Action::pass_final};
    case Event::timer_e: return {State::proceeding, Action::send_request};
    case Event::timer_f: return kTimedOut;
    case Event::transport_error: return kUnsent;
    default: return {State::proceeding, Action::none};
  }
}

Step completed(Event event) noexcept {
  switch (event) {
    case Event::timer_k: return kEnded;
    default: return {State::completed, Action::none};
  }
}

}  // namespace

Step step(State state, Event event) noexcept {
  switch (state) {
    case State::trying: return trying(event);
    case State::proceeding: return proceeding(event);
    case State::completed: return completed(event);
    case State::terminated: break;
  }
  return {State::terminated, Action::none};
}

Schedule start(const Schedule& given, Tick now) noexcept {
  Schedule s = given;
  start_resending(s, kTimerE, now);
  s.end = now + ticks(kTimerF);
  return s;
}

// E and F go on through Proceeding; there E is T2 from its next firing on (RFC 3261 17.1.2.2).
Schedule after(const Schedule& schedule, State from, Event event, State to, Tick now) noexcept {
  Schedule s = schedule;
  if (event == Event::timer_e && from == to) {
    if (to == State::proceeding) s.interval_ms = static_cast<std::uint16_t>(ticks(kT2));
    if (to != State::completed && to != State::terminated) resend_later(s, kT2, now);
  } else if (from != to && to == State::completed) {
    s.resend = kNever;
    s.end = now + ticks(timer_k(s.reliable));
  } else if (to == State::terminated) {
    s.resend = s.end = kNever;
  }
  return s;
}

std::optional<Event> due(State state, const Schedule& schedule, Tick now) noexcept {
  if (state == State::terminated) return std::nullopt;
  if (schedule.end <= now) return state == State::completed ? Event::timer_k : Event::timer_f;
  if (schedule.resend <= now && state != State::completed) return Event::timer_e;
  return std::nullopt;
}

}  // namespace ringweir::transaction::non_invite_client
