// The client transaction of every other request: RFC 3261 17.1.2 and figure 6. Pure.
#pragma once
#include <cstdint>
#include <optional>

#include "ringweir/transaction/action.h"
#include "ringweir/transaction/timers.h"

namespace ringweir::transaction::non_invite_client {

enum class State : std::uint8_t { trying, proceeding, completed, terminated };
enum class Event : std::uint8_t {
  provisional,  // 1xx
  final,        // 200 to 699
  timer_e,
  timer_f,
  timer_k,
  transport_error,
};
struct Step {
  State next;
  Action action;
};

constexpr Event event_of(std::uint16_t status) noexcept {
  return status < 200 ? Event::provisional : Event::final;
}

inline constexpr Step kStart{State::trying, Action::send_request};
Step step(State state, Event event) noexcept;

Schedule start(const Schedule& given, Tick now) noexcept;
Schedule after(const Schedule& schedule, State from, Event event, State to, Tick now) noexcept;
std::optional<Event> due(State state, const Schedule& schedule, Tick now) noexcept;

}  // namespace ringweir::transaction::non_invite_client
