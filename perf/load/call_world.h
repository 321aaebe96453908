// What the two ends of the calls share.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>

#include "call.h"
#include "call_message.h"
#include "outcome.h"
#include "phones.h"
#include "wheel.h"

namespace ringweir::load {

struct CallWorld {
  const Options& options;
  Phones phones;
  CallTable table;
  Wheel wheel;
  CallMessages messages;
  Outcome outcome;
  std::array<std::uint32_t, 5> steps{};  // calls in each CallStep
  std::int64_t now = 0;
  std::uint64_t finished = 0;
  std::uint32_t sampled = 0;
  bool counting = false;

  CallWorld(const Options& asked, Peers& peers)
      : options(asked), phones(asked), messages(asked, phones, peers) {}

  CallCounts& counts() noexcept { return *outcome.calls; }
  std::uint32_t in(CallStep step) const noexcept { return steps[static_cast<std::size_t>(step)]; }
  void enter(Call& call, CallStep step) noexcept {
    --steps[static_cast<std::size_t>(call.step)];
    ++steps[static_cast<std::size_t>(step)];
    call.step = step;
  }
  void finish(Call& call) {
    enter(call, CallStep::free);
    table.close(call);
    ++finished;
  }
  // At the wheel's horizon at the latest; it is then looked at again.
  void wake(Call& call, std::int64_t at_ns) {
    at_ns = std::min(at_ns, now + Wheel::kHorizonNs);
    if (at_ns >= call.wake_ns) return;
    call.wake_ns = at_ns;
    wheel.push(call.token, at_ns);
  }
  // One message of so many is checked in full.
  bool to_verify() noexcept { return ++sampled % options.verify_every == 0; }
};

}  // namespace ringweir::load
