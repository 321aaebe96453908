// The timer wheel against a list that is searched from end to end.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <vector>

#include "ringweir/base/timer_wheel.h"

namespace ringweir {
namespace {

constexpr std::size_t kNodes = 48;

// Distances that reach every level, the edges between levels and past the wheel's span.
std::uint64_t any_distance() {
  const auto bits = *rc::gen::inRange<unsigned>(0, 40);
  const std::uint64_t base = std::uint64_t{1} << bits;
  return base + static_cast<std::uint64_t>(*rc::gen::inRange<std::int64_t>(-2, 3)) * (bits > 2 ? 1 : 0);
}

struct Naive {
  std::map<std::size_t, std::uint64_t> due;  // node -> tick
  std::uint64_t earliest() const {
    std::uint64_t first = ~std::uint64_t{0};
    for (const auto& [node, tick] : due) first = std::min(first, tick);
    return first;
  }
};

void advance_both(TimerWheel& wheel, std::vector<TimerNode>& nodes, Naive& naive, std::uint64_t to,
                  std::uint32_t most) {
  std::uint32_t fired = 0;
  const bool finished = wheel.advance(to, most, [&](TimerNode& node) {
    const auto index = static_cast<std::size_t>(&node - nodes.data());
    const auto found = naive.due.find(index);
    RC_ASSERT(found != naive.due.end());  // fires once, and only when armed
    RC_ASSERT(found->second <= wheel.now());
    RC_ASSERT(wheel.now() <= to);
    RC_ASSERT(!node.armed());
    naive.due.erase(found);
    ++fired;
  });
  RC_ASSERT(fired <= most);
  if (finished) {
    RC_ASSERT(wheel.now() == to);
    RC_ASSERT(naive.earliest() > to);  // nothing was left behind
  } else {
    RC_ASSERT(fired == most);
    RC_ASSERT(naive.earliest() <= to);
  }
}

void one_step(TimerWheel& wheel, std::vector<TimerNode>& nodes, Naive& naive) {
  const auto index = *rc::gen::inRange<std::size_t>(0, kNodes);
  switch (*rc::gen::weightedElement<int>({{5, 0}, {1, 1}, {1, 2}, {3, 3}, {2, 4}})) {
    case 0: {
      const std::uint64_t due = wheel.now() + any_distance();
      wheel.arm(nodes[index], due);
      naive.due[index] = due;
      break;
    }
    case 1: {  // already past
      const std::uint64_t due = wheel.now() - std::min<std::uint64_t>(wheel.now(), any_distance());
      wheel.arm(nodes[index], due);
      naive.due[index] = due;
      break;
    }
    case 2:
      wheel.cancel(nodes[index]);
      naive.due.erase(index);
      break;
    case 3:
      advance_both(wheel, nodes, naive, wheel.now() + any_distance(), *rc::gen::element(1u, 3u, 1000u));
      break;
    default:  // as a sleeping shard does: to the next time that something may be due
      if (const std::uint64_t next = wheel.next_due(); next != ~std::uint64_t{0}) {
        advance_both(wheel, nodes, naive, next, 1000u);
      }
  }
  RC_ASSERT(wheel.size() == naive.due.size());
  const std::uint64_t bound = std::max(naive.earliest(), wheel.now());
  RC_ASSERT(wheel.next_due() <= bound);
  for (std::size_t i = 0; i < kNodes; ++i) RC_ASSERT(nodes[i].armed() == naive.due.contains(i));
}

RC_GTEST_PROP(TimerWheelProperty, FiresWhatANaiveListFires, ()) {
  TimerWheel wheel(
      *rc::gen::element<std::uint64_t>(0, 1, 63, 64, 4095, 123'456'789, (std::uint64_t{1} << 36) - 1));
  std::vector<TimerNode> nodes(kNodes);
  Naive naive;
  const auto steps = *rc::gen::inRange(1, 200);
  for (int i = 0; i < steps; ++i) one_step(wheel, nodes, naive);
  for (auto& node : nodes) wheel.cancel(node);
  RC_ASSERT(wheel.size() == 0u);
}

}  // namespace
}  // namespace ringweir
