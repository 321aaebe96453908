// The INVITE client transaction: RFC 3261 17.1.1 and figure 5, as changed by RFC 6026 7.2. Pure.
#pragma once
#include <cstdint>
#include <optional>

#include "ringweir/transaction/action.h"
#include "ringweir/transaction/timers.h"

namespace ringweir::transaction::invite_client {

enum class State : std::uint8_t { calling, proceeding, completed, accepted, terminated };
enum class Event : std::uint8_t {
  trying,       // 100
  provisional,  // 101 to 199: also restarts Timer C (RFC 3261 16.7 step 2)
  success,      // 2xx
  failure,      // 300 to 699
  cancelled,    // the user sent a CANCEL for it
  timer_a,
  timer_b,
  timer_c,
  timer_d,
  timer_m,
  timer_cancel,     // 64*T1 after the CANCEL without a final response (RFC 3261 9.1)
  transport_error,  // sending failed, or the port was unreachable
};
struct Step {
  State next;
  Action action;
};

constexpr Event event_of(std::uint16_t status) noexcept {
  return status == 100  ? Event::trying
         : status < 200 ? Event::provisional
         : status < 300 ? Event::success
                        : Event::failure;
}

inline constexpr Step kStart{State::calling, Action::send_request};
Step step(State state, Event event) noexcept;

// The timers: at the start (`given` carries reliable and timer_c_ms), and after step(from, event) led to
// `to`.
Schedule start(const Schedule& given, Tick now) noexcept;
Schedule after(const Schedule& schedule, State from, Event event, State to, Tick now) noexcept;
// The timer that is due; the one that ends the state goes first. Nothing when it was armed for what no longer
// runs.
std::optional<Event> due(State state, const Schedule& schedule, Tick now) noexcept;

}  // namespace ringweir::transaction::invite_client
