// A choice and what a transaction tells its target ask for no memory.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "ringweir/balance/in_flight.h"
#include "unit/balance/farm.h"

namespace {
std::atomic<std::uint64_t> allocations{0};
}

// All of this program's C++ memory comes by here; nothing in the module speaks C. Not inlined: g++ would see
// half a pair.
[[gnu::noinline]] void* operator new(std::size_t n) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* at = std::malloc(n != 0 ? n : 1)) return at;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* at) noexcept {
  std::free(at);
}
[[gnu::noinline]] void operator delete(void* at, std::size_t) noexcept {
  std::free(at);
}

namespace ringweir::balance {
namespace {

TEST(Allocation, a_choice_and_a_transaction_ask_for_none) {
  for (int a = 0; a <= static_cast<int>(Algorithm::hash_uri); ++a) {
    testing::Farm farm(static_cast<Algorithm>(a), {{}, {3}, {}, {}, {1, 9}}, 60s,
                       {.codes = StatusSet::of(503)});
    farm.down(0);
    farm.state(1).drain();
    farm.state(1).undrain(farm.now);
    const std::uint64_t before = allocations.load();
    for (int i = 0; i < 10'000; ++i) {
      Tried tried;
      tried.add(static_cast<std::uint16_t>(i % 6));
      const auto choice = farm.choice(farm.random.next(), tried);
      if (!choice) continue;
      TargetState& target = farm.state(choice->target);
      CallOpen call(target);
      TransactionInFlight transaction(target);
      transaction.answered(1ms, farm.now += 1ms);
      target.answered(i % 7 == 0 ? 503 : 200, farm.now, farm.upstream->passive());
      if (i % 1000 == 0) target.unreachable(farm.now, farm.upstream->passive());
    }
    EXPECT_EQ(allocations.load(), before) << kAlgorithmNames[static_cast<std::size_t>(a)];
  }
  EXPECT_GT(allocations.load(), 0u);  // the counter counts
}

}  // namespace
}  // namespace ringweir::balance
