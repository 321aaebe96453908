// The registrar under a seeded world: registrar_sim --seeds 1..300 [--verbose] [--phones N] [--break KIND] [--self-test]
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <string_view>

#include "sim/world.h"

namespace ringweir::sim {
namespace {

struct Options {
  std::uint64_t first = 1, last = 300;
  std::uint32_t phones_per_aor = 0;  // 0: as the seed says
  bool verbose = false, self_test = false;
  Break broken = Break::none;
};

[[noreturn]] void usage() {
  fmt::print(stderr, "usage: registrar_sim [--seeds A..B] [--phones N] [--verbose] [--break KIND] [--self-test]\n");
  std::exit(2);
}

std::uint64_t number(std::string_view text) {
  std::uint64_t n = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), n).ec != std::errc{}) usage();
  return n;
}

Break break_named(std::string_view name) {
  for (int i = 0; i < static_cast<int>(Break::count_); ++i) {
    if (name == to_string(static_cast<Break>(i))) return static_cast<Break>(i);
  }
  usage();
}

Options read(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const auto value = [&]() -> std::string_view { return i + 1 < argc ? argv[++i] : (usage(), ""); };
    if (argument == "--verbose") {
      options.verbose = true;
    } else if (argument == "--self-test") {
      options.self_test = true;
    } else if (argument == "--phones") {
      options.phones_per_aor = static_cast<std::uint32_t>(number(value()));
    } else if (argument == "--break") {
      options.broken = break_named(value());
    } else if (argument == "--seeds") {
      const std::string_view range = value();
      const std::size_t dots = range.find("..");
      options.first = number(range.substr(0, dots));
      options.last = dots == range.npos ? options.first : number(range.substr(dots + 2));
    } else {
      usage();
    }
  }
  return options;
}

Knobs knobs_of(std::uint64_t seed, const Options& options) {
  Knobs knobs = Knobs::from(seed);
  if (options.phones_per_aor != 0) knobs.phones_per_aor = options.phones_per_aor;
  return knobs;
}

// Every seed twice: the same seed is the same run, octet for octet.
std::optional<Violation> run_seed(std::uint64_t seed, const Options& options, Break broken, Tally& tally) {
  const Knobs knobs = knobs_of(seed, options);
  World world(seed, knobs, broken == Break::drift ? Break::none : broken,
              options.verbose && options.first == options.last);
  if (auto violation = world.run()) return violation;
  World again(seed, knobs, broken);
  if (auto violation = again.run()) return violation;
  tally = world.tally();
  if (world.tally().hash == again.tally().hash) return std::nullopt;
  return Violation{"drift", fmt::format("trace hash {:016x}, then {:016x}", world.tally().hash, again.tally().hash)};
}

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

int self_test(const Options& options) {
  int missed = 0;
  for (int i = 1; i < static_cast<int>(Break::count_); ++i) {
    const Break broken = static_cast<Break>(i);
    bool found = false;
    for (std::uint64_t seed = 1; seed <= 40 && !found; ++seed) {
      Tally tally;
      const auto violation = run_seed(seed, options, broken, tally);
      if (violation && violation->kind != kind_found(broken)) {
        fmt::print("--break {}: seed {} found out as {}: {}\n", to_string(broken), seed, violation->kind, violation->text);
        break;
      }
      found = violation.has_value();
      if (found && options.verbose) fmt::print("--break {}: seed {}: {}\n", to_string(broken), seed, violation->text);
    }
    fmt::print("{:<12} {}\n", to_string(broken), found ? "found out" : "NOT FOUND OUT");
    missed += !found;
  }
  return missed == 0 ? 0 : 1;
}

int main(int argc, char** argv) {
  const Options options = read(argc, argv);
  if (options.self_test) return self_test(options);
  Tally sum;
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t seed = options.first; seed <= options.last; ++seed) {
    Tally tally;
    if (const auto violation = run_seed(seed, options, options.broken, tally)) {
      fmt::print("seed {}: {}: {}\n  {}\nreplay: {} --seeds {}..{} --verbose", seed, violation->kind, violation->text,
                 knobs_of(seed, options).text(), argv[0], seed, seed);
      if (options.phones_per_aor != 0) fmt::print(" --phones {}", options.phones_per_aor);
      if (options.broken != Break::none) fmt::print(" --break {}", to_string(options.broken));
      fmt::print("\n");
      return 1;
    }
    if (options.verbose) {
      fmt::print("seed {} {:016x} datagrams {} answers {} lists {} updated {} shed {} again {} handed {} replayed {} lost {}\n  {}\n",
                 seed, tally.hash, tally.datagrams, tally.answers, tally.lists_exact, tally.registrations, tally.shed,
                 tally.retransmissions, tally.handed_over, tally.replays_refused, tally.dropped_at_socket,
                 knobs_of(seed, options).text());
    }
    sum.datagrams += tally.datagrams;
    sum.answers += tally.answers;
    sum.lists_exact += tally.lists_exact;
    sum.registrations += tally.registrations;
    sum.shed += tally.shed;
    sum.retransmissions += tally.retransmissions;
    sum.handed_over += tally.handed_over;
    sum.replays_refused += tally.replays_refused;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  fmt::print("{} seeds, each twice, every check held: {} datagrams, {} answers, {} exact lists, {} registrations, {} shed, "
             "{} retransmissions, {} handed over, {} replays refused; {:.1f} s\n",
             options.last - options.first + 1, sum.datagrams, sum.answers, sum.lists_exact, sum.registrations, sum.shed,
             sum.retransmissions, sum.handed_over, sum.replays_refused, took.count());
  return 0;
}

}  // namespace
}  // namespace ringweir::sim

int main(int argc, char** argv) { return ringweir::sim::main(argc, argv); }
