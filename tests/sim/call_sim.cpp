// Calls under a seeded world: call_sim --seeds 1..500 [--verbose] [--break KIND] [--self-test]
#include <fmt/format.h>

#include "sim/call_world.h"
#include "sim/seeds.h"

namespace ringweir::sim {
namespace {

// What a break must be found out as.
std::string_view kind_found(CallBreak broken) {
  switch (broken) {
    case CallBreak::cancel_mute: return "cancel";
    case CallBreak::cancel_deaf: return "ringing";
    case CallBreak::leak_buffer:
    case CallBreak::leak_parcel:
    case CallBreak::leak_text: return "leak";
    default: return to_string(broken);
  }
}

int main(int argc, char** argv) {
  CallTally sum;
  SeedProgram program;
  program.last_seed = 500;
  for (int i = 0; i < static_cast<int>(CallBreak::count_); ++i) {
    program.breaks.push_back({to_string(static_cast<CallBreak>(i)), kind_found(static_cast<CallBreak>(i))});
  }
  program.knobs = [](std::uint64_t seed) { return CallKnobs::from(seed).text(); };
  program.run = [&sum](std::uint64_t seed, std::size_t broken, bool aloud) {
    CallWorld world(seed, CallKnobs::from(seed), static_cast<CallBreak>(broken), aloud);
    Ran ran{world.run(), 0, {}};
    sum.add(world.tally());
    ran.hash = world.tally().hash;
    ran.line = world.tally().text();
    return ran;
  };
  program.summary = [&sum] { return sum.text(); };
  return run_seeds(program, argc, argv);
}

}  // namespace
}  // namespace ringweir::sim

int main(int argc, char** argv) { return ringweir::sim::main(argc, argv); }
