// Did a timer or a hash get slower?
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "ringweir/base/hash.h"
#include "ringweir/base/random.h"
#include "ringweir/base/timer_wheel.h"

namespace ringweir {
namespace {

constexpr Key128 kKey{0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};

void siphash(benchmark::State& state) {
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(siphash128(kKey, text));
}
BENCHMARK(siphash)->Arg(16)->Arg(64)->Arg(256);

void keyed_hash(benchmark::State& state) {
  const KeyedHash hash(kKey);
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(hash(text));
}
BENCHMARK(keyed_hash)->Arg(16)->Arg(32)->Arg(64)->Arg(255);

// Moves one of many armed timers: what a transaction does with its retransmission timer.
void timer_rearm(benchmark::State& state) {
  std::vector<TimerNode> nodes(static_cast<std::size_t>(state.range(0)));
  TimerWheel wheel;
  Random random(1);
  for (auto& node : nodes) wheel.arm(node, 1 + random.below(36'000));
  for (auto _ : state)
    wheel.arm(nodes[random.below(static_cast<std::uint32_t>(nodes.size()))], 1 + random.below(36'000));
}
BENCHMARK(timer_rearm)->Arg(1'000)->Arg(1'000'000);

void timer_arm_and_cancel(benchmark::State& state) {
  TimerWheel wheel;
  TimerNode node;
  for (auto _ : state) {
    wheel.arm(node, 500);
    wheel.cancel(node);
  }
}
BENCHMARK(timer_arm_and_cancel);

// A timer's whole life, cascades included: armed up to an hour of 100 ms ticks ahead, fired, armed again.
void timer_fire(benchmark::State& state) {
  std::vector<TimerNode> nodes(100'000);
  TimerWheel wheel;
  Random random(1);
  for (auto& node : nodes) wheel.arm(node, 1 + random.below(36'000));
  std::uint64_t fired = 0;
  std::uint64_t tick = 0;
  for (auto _ : state) {
    wheel.advance(++tick, 1'000'000, [&](TimerNode& node) {
      ++fired;
      wheel.arm(node, tick + 1 + random.below(36'000));
    });
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(fired));
}
BENCHMARK(timer_fire);

void timer_idle_tick(benchmark::State& state) {
  TimerWheel wheel;
  TimerNode node;
  wheel.arm(node, std::uint64_t{1} << 35);
  std::uint64_t tick = 0;
  for (auto _ : state) wheel.advance(++tick, 100, [](TimerNode&) {});
}
BENCHMARK(timer_idle_tick);

}  // namespace
}  // namespace ringweir
