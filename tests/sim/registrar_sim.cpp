// The registrar under a seeded world: registrar_sim --seeds 1..300 [--verbose] [--phones N] [--break KIND] [--self-test]
#include <fmt/format.h>

#include "sim/seeds.h"
#include "sim/world.h"

namespace ringweir::sim {
namespace {

// What a break must be found out as.
std::string_view kind_found(Break broken) {
  switch (broken) {
    case Break::unlist: return "lose";
    case Break::leak_buffer:
    case Break::leak_parcel:
    case Break::leak_binding: return "leak";
    default: return to_string(broken);
  }
}

int main(int argc, char** argv) {
  std::uint32_t phones_per_aor = 0;  // 0: as the seed says
  Tally sum;
  const auto knobs_of = [&](std::uint64_t seed) {
    Knobs knobs = Knobs::from(seed);
    if (phones_per_aor != 0) knobs.phones_per_aor = phones_per_aor;
    return knobs;
  };
  SeedProgram program;
  for (int i = 0; i < static_cast<int>(Break::count_); ++i) {
    program.breaks.push_back({to_string(static_cast<Break>(i)), kind_found(static_cast<Break>(i))});
  }
  program.numbers["--phones"] = &phones_per_aor;
  program.knobs = [&](std::uint64_t seed) { return knobs_of(seed).text(); };
  program.run = [&](std::uint64_t seed, std::size_t broken, bool aloud) {
    World world(seed, knobs_of(seed), static_cast<Break>(broken), aloud);
    Ran ran{world.run(), 0, {}};
    const Tally& tally = world.tally();
    sum.add(tally);
    ran.hash = tally.hash;
    ran.line = fmt::format("datagrams {} answers {} lists {} updated {} shed {} again {} handed {} replayed {} lost {}", tally.datagrams,
                           tally.answers, tally.lists_exact, tally.registrations, tally.shed, tally.retransmissions,
                           tally.handed_over, tally.replays_refused, tally.dropped_at_socket);
    return ran;
  };
  program.summary = [&] {
    return fmt::format("{} datagrams, {} answers, {} exact lists, {} registrations, {} shed, {} retransmissions, {} handed over, "
                       "{} replays refused",
                       sum.datagrams, sum.answers, sum.lists_exact, sum.registrations, sum.shed, sum.retransmissions,
                       sum.handed_over, sum.replays_refused);
  };
  return run_seeds(program, argc, argv);
}

}  // namespace
}  // namespace ringweir::sim

int main(int argc, char** argv) { return ringweir::sim::main(argc, argv); }
