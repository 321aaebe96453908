#include "ringweir/transaction/non_invite_server.h"

namespace ringweir::transaction::non_invite_server {
namespace {

Step trying(Event event) noexcept {
  switch (event) {
    case Event::user_provisional: return {State::proceeding, Action::send_response};
    case Event::user_final: return {State::completed, Action::send_response};
    default: return {State::trying, Action::none};
  }
}

// RFC 6026 8.8 replaces 17.2.4 for both servers and so figure 8's arrows to Terminated: a transport error is
// told, the state stays.
Step proceeding(Event event) noexcept {
  switch (event) {
    case Event::request: return {State::proceeding, Action::resend_response};
    case Event::user_provisional: return {State::proceeding, Action::send_response};
    case Event::user_final: return {State::completed, Action::send_response};
    case Event::transport_error: return {State::proceeding, Action::tell_transport_error};
    default: return {State::proceeding, Action::none};
  }
}

Step completed(Event event) noexcept {
  switch (event) {
    case Event::request: return {State::completed, Action::resend_response};
    case Event::timer_j: return {State::terminated, Action::destroy};
    case Event::transport_error: return {State::completed, Action::tell_transport_error};
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

Schedule start(const Schedule& given, Tick) noexcept {
  Schedule s = given;
  s.resend = s.end = kNever;
  return s;
}

Schedule after(const Schedule& schedule, State from, Event, State to, Tick now) noexcept {
  Schedule s = schedule;
  if (from != to) s.end = to == State::completed ? now + ticks(timer_j(s.reliable)) : kNever;
  return s;
}

std::optional<Event> due(State state, const Schedule& schedule, Tick now) noexcept {
  if (schedule.end <= now && state == State::completed) return Event::timer_j;
  return std::nullopt;
}

}  // namespace ringweir::transaction::non_invite_server
