// The INVITE server transaction: RFC 3261 17.2.1 and figure 7, as changed by RFC 6026 7.1 and 8.8. Pure.
#pragma once
#include <cstdint>
#include <optional>

#include "ringweir/transaction/action.h"
#include "ringweir/transaction/timers.h"

namespace ringweir::transaction::invite_server {

enum class State : std::uint8_t { proceeding, completed, confirmed, accepted, terminated };
enum class Event : std::uint8_t {
  invite,            // the request again
  ack,               // matched by 17.2.3
  user_provisional,  // the user answers 1xx,
  user_success,      // 2xx,
  user_failure,      // 300 to 699
  timer_trying,      // 200 ms without an answer of the user
  timer_g,
  timer_h,
  timer_i,
  timer_l,
  transport_error,  // a response could not be sent
};
struct Step {
  State next;
  Action action;
};

constexpr Event event_of(std::uint16_t status) noexcept {
  return status < 200 ? Event::user_provisional : status < 300 ? Event::user_success : Event::user_failure;
}

// A proxy sends 100 at once (RFC 3261 16.2); others when their user has not answered within 200 ms.
enum class Trying : std::uint8_t { at_once, after_200_ms };
constexpr Step start(Trying trying) noexcept {
  return {State::proceeding,
          trying == Trying::at_once ? Action::pass_request | Action::send_trying : Action::pass_request};
}
Step step(State state, Event event) noexcept;

Schedule start(const Schedule& given, Trying trying, Tick now) noexcept;
Schedule after(const Schedule& schedule, State from, Event event, State to, Tick now) noexcept;
std::optional<Event> due(State state, const Schedule& schedule, Tick now) noexcept;

}  // namespace ringweir::transaction::invite_server
