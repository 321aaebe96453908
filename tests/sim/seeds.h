// The program around a seeded world: runs seeds, each twice, says how to replay the one that fails, and shows by faults planted on
// purpose that every check can fail.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/violation.h"

namespace ringweir::sim {

struct Ran {
  std::optional<Violation> violation;
  std::uint64_t hash = 0;
  std::string line;  // what the run was like
};

struct Planted {
  std::string_view name;      // for --break
  std::string_view found_as;  // the kind of violation that it must be found out as
};

struct SeedProgram {
  std::uint64_t last_seed = 300;
  std::vector<Planted> breaks;  // the first is none; one named "drift" is planted in the second run only
  std::map<std::string_view, std::uint32_t*> numbers{};  // further options with a number
  std::function<std::string(std::uint64_t seed)> knobs;
  std::function<Ran(std::uint64_t seed, std::size_t broken, bool aloud)> run;
  std::function<std::string()> summary;  // of all the runs
};

int run_seeds(const SeedProgram& program, int argc, char** argv);

}  // namespace ringweir::sim
