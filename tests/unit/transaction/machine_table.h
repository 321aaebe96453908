// A machine's arrows as a list, and the check that the machine has these and no others: what is not listed is
// absorbed.
#pragma once
#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

#include "ringweir/transaction/action.h"

namespace ringweir::transaction {

template <class State, class Event>
struct Arrow {
  State from;
  Event event;
  State to;
  Action action;
};

template <class State, class Event>
void expect_arrows(const std::vector<Arrow<State, Event>>& arrows, State last_state, Event last_event) {
  std::set<std::pair<State, Event>> listed;
  for (const auto& arrow : arrows) {
    EXPECT_TRUE(listed.insert({arrow.from, arrow.event}).second) << "listed twice";
  }
  for (int s = 0; s <= static_cast<int>(last_state); ++s) {
    for (int e = 0; e <= static_cast<int>(last_event); ++e) {
      const State from = static_cast<State>(s);
      const Event event = static_cast<Event>(e);
      Arrow<State, Event> expected{from, event, from, Action::none};
      for (const auto& arrow : arrows) {
        if (arrow.from == from && arrow.event == event) expected = arrow;
      }
      const auto [next, action] = step(from, event);
      EXPECT_EQ(next, expected.to) << "state " << s << " event " << e;
      EXPECT_EQ(static_cast<int>(action), static_cast<int>(expected.action))
          << "state " << s << " event " << e;
    }
  }
}

}  // namespace ringweir::transaction
