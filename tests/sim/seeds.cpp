#include "sim/seeds.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdlib>

namespace ringweir::sim {
namespace {

constexpr std::uint64_t kSelfTestSeeds = 40;

struct Options {
  std::uint64_t first = 1, last = 0;
  bool verbose = false, self_test = false;
  std::size_t broken = 0;
};

[[noreturn]] void usage(const SeedProgram& program, const char* name) {
  fmt::print(stderr, "usage: {} [--seeds A..B] [--verbose] [--break KIND] [--self-test]", name);
  for (const auto& [option, value] : program.numbers) fmt::print(stderr, " [{} N]", option);
  fmt::print(stderr, "\n");
  std::exit(2);
}

Options read(const SeedProgram& program, int argc, char** argv) {
  Options options;
  options.last = program.last_seed;
  const auto number = [&](std::string_view text) {
    std::uint64_t n = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), n).ec != std::errc{}) usage(program, argv[0]);
    return n;
  };
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const auto value = [&]() -> std::string_view { return i + 1 < argc ? argv[++i] : (usage(program, argv[0]), ""); };
    if (argument == "--verbose") {
      options.verbose = true;
    } else if (argument == "--self-test") {
      options.self_test = true;
    } else if (argument == "--break") {
      const std::string_view name = value();
      while (options.broken < program.breaks.size() && program.breaks[options.broken].name != name) ++options.broken;
      if (options.broken == program.breaks.size()) usage(program, argv[0]);
    } else if (argument == "--seeds") {
      const std::string_view range = value();
      const std::size_t dots = range.find("..");
      options.first = number(range.substr(0, dots));
      options.last = dots == range.npos ? options.first : number(range.substr(dots + 2));
    } else if (const auto found = program.numbers.find(argument); found != program.numbers.end()) {
      *found->second = static_cast<std::uint32_t>(number(value()));
    } else {
      usage(program, argv[0]);
    }
  }
  return options;
}

// Every seed twice: the same seed is the same run, octet for octet.
Ran run_seed(const SeedProgram& program, std::uint64_t seed, std::size_t broken, bool aloud) {
  Ran once = program.run(seed, program.breaks[broken].name == "drift" ? 0 : broken, aloud);
  if (once.violation) return once;
  const Ran again = program.run(seed, broken, false);
  if (again.violation) return again;
  if (once.hash != again.hash) {
    once.violation = Violation{"drift", fmt::format("trace hash {:016x}, then {:016x}", once.hash, again.hash)};
  }
  return once;
}

int self_test(const SeedProgram& program, bool verbose) {
  int missed = 0;
  for (std::size_t broken = 1; broken < program.breaks.size(); ++broken) {
    const Planted& planted = program.breaks[broken];
    bool found = false;
    for (std::uint64_t seed = 1; seed <= kSelfTestSeeds && !found; ++seed) {
      const auto violation = run_seed(program, seed, broken, false).violation;
      if (violation && violation->kind != planted.found_as) {
        fmt::print("--break {}: seed {} found out as {}: {}\n", planted.name, seed, violation->kind, violation->text);
        break;
      }
      found = violation.has_value();
      if (found && verbose) fmt::print("--break {}: seed {}: {}\n", planted.name, seed, violation->text);
    }
    fmt::print("{:<12} {}\n", planted.name, found ? "found out" : "NOT FOUND OUT");
    missed += !found;
  }
  return missed == 0 ? 0 : 1;
}

}  // namespace

int run_seeds(const SeedProgram& program, int argc, char** argv) {
  const Options options = read(program, argc, argv);
  if (options.self_test) return self_test(program, options.verbose);
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t seed = options.first; seed <= options.last; ++seed) {
    const Ran ran = run_seed(program, seed, options.broken, options.verbose && options.first == options.last);
    if (ran.violation) {
      fmt::print("seed {}: {}: {}\n  {}\nreplay: {} --seeds {}..{} --verbose", seed, ran.violation->kind, ran.violation->text,
                 program.knobs(seed), argv[0], seed, seed);
      for (const auto& [option, value] : program.numbers) {
        if (*value != 0) fmt::print(" {} {}", option, *value);
      }
      if (options.broken != 0) fmt::print(" --break {}", program.breaks[options.broken].name);
      fmt::print("\n");
      return 1;
    }
    if (options.verbose) fmt::print("seed {} {:016x} {}\n  {}\n", seed, ran.hash, ran.line, program.knobs(seed));
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  fmt::print("{} seeds, each twice, every check held: {}; {:.1f} s\n", options.last - options.first + 1, program.summary(),
             took.count());
  return 0;
}

}  // namespace ringweir::sim
