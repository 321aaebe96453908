// The server transaction of every other request: RFC 3261 17.2.2 and figure 8, as changed by RFC 6026 8.8.
// Pure. Trying and Proceeding end by the user's answer only: the user owes one (for a proxy Timer F of its
// client transactions sees to it; RFC 4320 says what not to answer then).
#pragma once
#include <cstdint>
#include <optional>

#include "ringweir/transaction/action.h"
#include "ringweir/transaction/timers.h"

namespace ringweir::transaction::non_invite_server {

enum class State : std::uint8_t { trying, proceeding, completed, terminated };
enum class Event : std::uint8_t {
  request,           // again
  user_provisional,  // the user answers 1xx,
  user_final,        // 200 to 699
  timer_j,
  transport_error,  // a response could not be sent
};
struct Step {
  State next;
  Action action;
};

constexpr Event event_of(std::uint16_t status) noexcept {
  return status < 200 ? Event::user_provisional : Event::user_final;
}

inline constexpr Step kStart{State::trying, Action::pass_request};
Step step(State state, Event event) noexcept;

Schedule start(const Schedule& given, Tick now) noexcept;
Schedule after(const Schedule& schedule, State from, Event event, State to, Tick now) noexcept;
std::optional<Event> due(State state, const Schedule& schedule, Tick now) noexcept;

}  // namespace ringweir::transaction::non_invite_server
