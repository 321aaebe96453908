// Did choosing a target get slower? Ten targets, each algorithm; the bound is 200 ns.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "ringweir/balance/choose.h"

namespace ringweir::balance {
namespace {

constexpr Instant kNow{std::chrono::hours(24)};

struct Farm {
  std::vector<std::unique_ptr<TargetState>> states;
  std::unique_ptr<Upstream> upstream;

  Farm(Algorithm algorithm, std::size_t targets, Duration slow_start) {
    Upstream::Settings settings{
        .name = "pbx", .algorithm = algorithm, .targets = {}, .slow_start = slow_start};
    for (std::size_t i = 0; i < targets; ++i) {
      states.push_back(std::make_unique<TargetState>());
      Endpoint endpoint{IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(i + 1)), 5060};
      settings.targets.push_back(
          {endpoint, "", static_cast<std::uint32_t>(1 + i % 3), 0, states.back().get()});
    }
    upstream = std::make_unique<Upstream>(std::move(settings));
  }
};

void run(benchmark::State& state, Farm& farm) {
  Random random(1);
  const Tried tried;
  for (auto _ : state) {
    const std::uint64_t key = random.next();
    benchmark::DoNotOptimize(choose(*farm.upstream, {key, key, key, key}, tried, kNow, random));
  }
}

void choose_one(benchmark::State& state) {
  Farm farm(static_cast<Algorithm>(state.range(0)), static_cast<std::size_t>(state.range(1)), 0s);
  for (auto& target : farm.states) {
    target->transaction_began();
    target->transaction_ended(std::chrono::milliseconds(5), kNow);
  }
  state.SetLabel(std::string(to_string(static_cast<Algorithm>(state.range(0)))));
  run(state, farm);
}
BENCHMARK(choose_one)->ArgsProduct({{0, 1, 2, 3, 4, 5}, {10, 100}});

void choose_with_half_of_the_targets_down(benchmark::State& state) {
  Farm farm(static_cast<Algorithm>(state.range(0)), 10, 0s);
  for (std::size_t i = 0; i < 5; ++i) farm.states[i]->drain();
  state.SetLabel(std::string(to_string(static_cast<Algorithm>(state.range(0)))));
  run(state, farm);
}
BENCHMARK(choose_with_half_of_the_targets_down)->DenseRange(0, 5);

// What a transaction adds to the choice: begin, first response, its status.
void transaction(benchmark::State& state) {
  TargetState target;
  const Passive passive{.codes = StatusSet::of(503)};
  Instant now = kNow;
  for (auto _ : state) {
    target.transaction_began();
    target.transaction_ended(std::chrono::microseconds(500), now += std::chrono::microseconds(10));
    target.answered(200, now, passive);
  }
}
BENCHMARK(transaction);

void build_a_table(benchmark::State& state) {
  std::vector<Maglev::Member> members;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(state.range(0)); ++i)
    members.push_back({rehash(1, static_cast<std::uint32_t>(i)), 1});
  for (auto _ : state) benchmark::DoNotOptimize(Maglev(members));
}
BENCHMARK(build_a_table)->Arg(10)->Arg(256)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace ringweir::balance
