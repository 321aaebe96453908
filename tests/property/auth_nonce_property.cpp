// Nonces under any key and time, and the nonce-count window against a naive model and against racing threads.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <atomic>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "ringweir/auth/nonce.h"
#include "ringweir/auth/nonce_window.h"
#include "ringweir/base/random.h"

namespace ringweir::auth {
namespace {

TEST(NonceProperty, a_minted_nonce_is_valid_for_all_shards_until_its_lifetime_ends) {
  EXPECT_TRUE(rc::check([](std::uint64_t k0, std::uint64_t k1) {
    const WallMs start = *rc::gen::inRange<WallMs>(0, WallMs{1} << 41);
    const auto shards = *rc::gen::inRange<std::uint32_t>(1, 257);
    const auto shard = *rc::gen::inRange<std::uint32_t>(0, shards);
    const auto lifetime = *rc::gen::inRange<std::int64_t>(0, 3'600'000);
    const WallMs now = start + *rc::gen::inRange<WallMs>(0, 100'000'000);
    const auto age = *rc::gen::inRange<std::int64_t>(0, 7'200'000);
    NonceMint mint({k0, k1}, shard, shards, start), other({k0, k1}, shards - 1, shards, start);
    char text[kNonceChars];
    mint.mint(now, text);
    mint.mint(now, text);
    const NonceCheck check = other.check({text, sizeof text}, now + age, lifetime);
    RC_ASSERT(check.state == (age <= lifetime ? NonceState::valid : NonceState::stale));
    RC_ASSERT(check.id.shard == shard);
    RC_ASSERT(check.id.count == 1u);
  }));
}

TEST(NonceProperty, any_changed_character_makes_it_forged) {
  EXPECT_TRUE(rc::check([](std::uint64_t k0, std::uint64_t k1) {
    NonceMint mint({k0, k1}, 0, 1, 1000);
    char text[kNonceChars];
    mint.mint(*rc::gen::inRange<WallMs>(1000, 1'000'000), text);
    const auto at = *rc::gen::inRange<std::size_t>(0, kNonceChars);
    const char before = text[at];
    text[at] = static_cast<char>(*rc::gen::inRange(0, 256));
    RC_PRE(text[at] != before);
    RC_ASSERT(mint.check({text, sizeof text}, 1'000'000, 10'000'000).state == NonceState::forged);
  }));
}

// What may be accepted at all: each (nonce, nc) once, nothing of a nonce that lost its slot to a newer one.
struct Model {
  std::uint32_t row_slots;
  std::map<std::uint32_t, std::uint32_t> holder;          // slot -> count
  std::map<std::uint32_t, std::set<std::uint32_t>> used;  // count -> nonce counts
  NonceUse use(std::uint32_t count, std::uint32_t nc) {
    auto [slot, first] = holder.try_emplace(count % row_slots, count);
    if (slot->second > count) return NonceUse::stale;
    slot->second = count;
    std::set<std::uint32_t>& counts = used[count];
    const std::uint32_t highest = counts.empty() ? 0 : *counts.rbegin();
    if (counts.contains(nc) || nc + NonceWindow::kBehindMax < highest) return NonceUse::replayed;
    counts.insert(nc);
    return NonceUse::accepted;
  }
};

TEST(NonceWindowProperty, agrees_with_a_set_of_all_that_was_used) {
  EXPECT_TRUE(rc::check([] {
    NonceWindow window(1, 4096);
    Model model{window.row_slots(), {}, {}};
    const auto uses =
        *rc::gen::container<std::vector<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>>>(
            rc::gen::tuple(rc::gen::inRange<std::uint32_t>(0, 4), rc::gen::inRange<std::uint32_t>(0, 3),
                           rc::gen::inRange<std::uint32_t>(1, 60)));
    for (const auto& [slot, generation, nc] : uses) {
      const std::uint32_t count = slot + generation * window.row_slots();
      RC_ASSERT(window.use({count, 0}, nc) == model.use(count, nc));
    }
  }));
}

// Threads offer the same (nonce, nc) pairs in different orders, nonces of two generations competing for each
// slot.
TEST(NonceWindowRace, never_accepts_one_use_twice) {
  constexpr std::uint32_t kThreads = 4, kNonces = 64, kCounts = 40, kRounds = 30'000;
  NonceWindow window(2, 8192);
  std::vector<std::atomic<std::uint32_t>> accepted(2 * 2 * kNonces * kCounts);
  std::vector<std::atomic<std::uint32_t>> once(2 * 2 * kNonces);
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      Random random(t + 1);
      for (std::uint32_t round = 0; round < kRounds; ++round) {
        const std::uint32_t shard = random.below(2), generation = random.below(2),
                            slot = random.below(kNonces);
        const NonceId id{slot + generation * window.row_slots(), shard};
        const std::size_t index = (shard * 2 + generation) * kNonces + slot;
        if (random.below(64) == 0) {
          if (window.use_once(id) == NonceUse::accepted) once[index].fetch_add(1, std::memory_order_relaxed);
          continue;
        }
        const std::uint32_t nc = 1 + random.below(kCounts);
        if (window.use(id, nc) == NonceUse::accepted) {
          accepted[index * kCounts + nc - 1].fetch_add(1, std::memory_order_relaxed);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::uint32_t total = 0;
  for (std::size_t i = 0; i < accepted.size(); ++i) {
    ASSERT_LE(accepted[i].load(), 1u);
    total += accepted[i].load();
    // A nonce used whole was not used by count, neither before nor after.
    if (accepted[i].load() == 1) {
      ASSERT_EQ(once[i / kCounts].load(), 0u);
    }
  }
  for (const auto& each : once) ASSERT_LE(each.load(), 1u);
  EXPECT_GT(total, 2u * kNonces);
}

}  // namespace
}  // namespace ringweir::auth
