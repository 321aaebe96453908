#include "ringweir/transaction/transaction.h"

namespace ringweir::transaction {
namespace {

// PERF: a later deadline does not move the node: it fires where it is and is armed again. A call answered
// within 500 ms arms each node once before its end instead of three times, and unlinks nothing among
// neighbours that are not in cache.
void arm(Transaction& t, TimerWheel& wheel) noexcept {
  const Tick due = t.schedule.next_due();
  if (due != kNever && (!t.armed() || due < t.due)) wheel.arm(t, due);
}

// step, after and due are those of the machine that State and Event belong to.
template <class State, class Event>
Action apply(Transaction& t, State from, Event event, Tick now, TimerWheel& wheel) noexcept {
  const auto [next, action] = step(from, event);
  t.schedule = after(t.schedule, from, event, next, now);
  t.state = static_cast<std::uint8_t>(next);
  if (next == State::terminated) {
    wheel.cancel(t);
  } else {
    arm(t, wheel);
  }
  return action == Action::resend_response && !t.text ? Action::none : action;
}

template <class State>
Action fired(Transaction& t, Tick now, TimerWheel& wheel) noexcept {
  const State state = static_cast<State>(t.state);
  if (const auto event = due(state, t.schedule, now)) return apply(t, state, *event, now, wheel);
  arm(t, wheel);
  return Action::none;
}

template <class Step>
Action begun(Transaction& t, Step first, const Schedule& schedule, TimerWheel& wheel) noexcept {
  t.state = static_cast<std::uint8_t>(first.next);
  t.schedule = schedule;
  arm(t, wheel);
  return first.action;
}

template <class State>
State state_of(const Transaction& t) noexcept {
  return static_cast<State>(t.state);
}

std::uint8_t last_state(Machine machine) noexcept {
  switch (machine) {
    case Machine::invite_client: return static_cast<std::uint8_t>(invite_client::State::terminated);
    case Machine::non_invite_client: return static_cast<std::uint8_t>(non_invite_client::State::terminated);
    case Machine::invite_server: return static_cast<std::uint8_t>(invite_server::State::terminated);
    case Machine::non_invite_server: break;
  }
  return static_cast<std::uint8_t>(non_invite_server::State::terminated);
}

}  // namespace

bool Transaction::terminated() const noexcept {
  return state == last_state(machine);
}

void terminate(Transaction& transaction, TimerWheel& wheel) noexcept {
  wheel.cancel(transaction);
  transaction.state = last_state(transaction.machine);
  transaction.schedule.resend = transaction.schedule.end = kNever;
}

Action ServerTransaction::begin(invite_server::Trying trying, const Schedule& given, Tick now,
                                TimerWheel& wheel) noexcept {
  check(is_server(machine), "a server's machine");
  if (is_invite(machine)) {
    return begun(*this, invite_server::start(trying), invite_server::start(given, trying, now), wheel);
  }
  return begun(*this, non_invite_server::kStart, non_invite_server::start(given, now), wheel);
}

Action ServerTransaction::request_again(Tick now, TimerWheel& wheel) noexcept {
  using namespace invite_server;
  if (is_invite(machine)) return apply(*this, state_of<State>(*this), Event::invite, now, wheel);
  return apply(*this, state_of<non_invite_server::State>(*this), non_invite_server::Event::request, now,
               wheel);
}

Action ServerTransaction::ack(Tick now, TimerWheel& wheel) noexcept {
  if (!is_invite(machine)) return Action::none;
  return apply(*this, state_of<invite_server::State>(*this), invite_server::Event::ack, now, wheel);
}

Action ServerTransaction::respond(std::uint16_t status, Tick now, TimerWheel& wheel) noexcept {
  if (is_invite(machine)) {
    return apply(*this, state_of<invite_server::State>(*this), invite_server::event_of(status), now, wheel);
  }
  return apply(*this, state_of<non_invite_server::State>(*this), non_invite_server::event_of(status), now,
               wheel);
}

Action ServerTransaction::transport_error(Tick now, TimerWheel& wheel) noexcept {
  if (is_invite(machine)) {
    return apply(*this, state_of<invite_server::State>(*this), invite_server::Event::transport_error, now,
                 wheel);
  }
  return apply(*this, state_of<non_invite_server::State>(*this), non_invite_server::Event::transport_error,
               now, wheel);
}

Action ServerTransaction::fire(Tick now, TimerWheel& wheel) noexcept {
  return is_invite(machine) ? fired<invite_server::State>(*this, now, wheel)
                            : fired<non_invite_server::State>(*this, now, wheel);
}

Action ClientTransaction::begin(const Schedule& given, Tick now, TimerWheel& wheel) noexcept {
  check(!is_server(machine), "a client's machine");
  began = now;
  if (is_invite(machine)) {
    return begun(*this, invite_client::kStart, invite_client::start(given, now), wheel);
  }
  return begun(*this, non_invite_client::kStart, non_invite_client::start(given, now), wheel);
}

Action ClientTransaction::response(std::uint16_t status, Tick now, TimerWheel& wheel) noexcept {
  if (is_invite(machine)) {
    return apply(*this, state_of<invite_client::State>(*this), invite_client::event_of(status), now, wheel);
  }
  return apply(*this, state_of<non_invite_client::State>(*this), non_invite_client::event_of(status), now,
               wheel);
}

Action ClientTransaction::cancelled(Tick now, TimerWheel& wheel) noexcept {
  if (!is_invite(machine)) return Action::none;
  return apply(*this, state_of<invite_client::State>(*this), invite_client::Event::cancelled, now, wheel);
}

Action ClientTransaction::transport_error(Tick now, TimerWheel& wheel) noexcept {
  if (is_invite(machine)) {
    return apply(*this, state_of<invite_client::State>(*this), invite_client::Event::transport_error, now,
                 wheel);
  }
  return apply(*this, state_of<non_invite_client::State>(*this), non_invite_client::Event::transport_error,
               now, wheel);
}

Action ClientTransaction::fire(Tick now, TimerWheel& wheel) noexcept {
  return is_invite(machine) ? fired<invite_client::State>(*this, now, wheel)
                            : fired<non_invite_client::State>(*this, now, wheel);
}

}  // namespace ringweir::transaction
