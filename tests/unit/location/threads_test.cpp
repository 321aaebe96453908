// Shards on threads of their own register, refresh, take over and remove the same addresses of record while
// another thread reads; then the books must balance. ThreadSanitizer runs this too.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <optional>
#include <set>
#include <thread>

#include "ringweir/base/random.h"
#include "unit/location/fixture.h"

namespace ringweir::location {
namespace {

using testing::kStart;
using testing::Region;
using testing::Request;

constexpr std::uint32_t kShards = 3;
constexpr std::uint32_t kAors = 24;
constexpr std::uint32_t kOperations = 12'000;
constexpr std::uint32_t kContactsMax = 3;
const Config kConfig{
    .shards = kShards, .bindings_max = 40, .hash_key = {21, 22}, .buckets = 8};  // shards meet in chains

std::string aor_of(std::uint32_t n) {
  return std::to_string(100 + n) + "@example.com";
}
// Every contact names its address of record, so that a set can be judged by itself.
std::string uri_of(std::uint32_t n, std::uint32_t contact) {
  return "sip:" + std::to_string(100 + n) + "@192.0.2." + std::to_string(contact + 1);
}

// A set is whole: its members are its own, different from each other, and no more than the limit are alive.
::testing::AssertionResult sound(const BindingSet& set, Instant now) {
  std::set<std::string_view> contacts;
  const std::string user = "<sip:" + std::string(set.aor().substr(0, set.aor().find('@'))) + "@";
  for (std::size_t i = 0; i < set.size(); ++i) {
    const BindingView b = set.view(i);
    if (!b.contact.starts_with(user))
      return ::testing::AssertionFailure() << b.contact << " in " << set.aor();
    if (!contacts.insert(b.contact).second) return ::testing::AssertionFailure() << "a twin of " << b.contact;
    if (b.call_id != "call-of-" + std::to_string(b.owner))
      return ::testing::AssertionFailure() << "owner of " << b.call_id;
  }
  if (set.alive(now) > kContactsMax) return ::testing::AssertionFailure() << set.alive(now) << " contacts";
  return ::testing::AssertionSuccess();
}

struct Shard {
  std::unique_ptr<Registrations> registrations;
  std::uint64_t done = 0, refused = 0, unsound = 0;
};

void run_shard(Directory& directory, Shard& shard, std::uint32_t id) {
  Participant reader(directory.grace());
  Random random(id + 1);
  Request request;
  request.call_id = "call-of-" + std::to_string(id);
  request.contacts_max = kContactsMax;
  for (std::uint32_t i = 1; i <= kOperations; ++i) {
    const std::uint32_t aor = random.below(kAors);
    request.aor = aor_of(aor);
    request.cseq = i;
    request.now = kStart + i * 1ms;  // all shards' clocks agree within the margin
    request.star = random.below(40) == 0;
    request.contacts.clear();
    for (std::uint32_t n = request.star ? 0 : random.below(3); n > 0; --n) {
      request.contacts.push_back(
          {.uri = uri_of(aor, random.below(5)), .expires_s = random.below(5) == 0 ? 0u : 3600u});
    }
    const BindingSet* result = nullptr;
    const Outcome outcome = testing::apply_to(directory, *shard.registrations, request, result);
    ++(outcome == Outcome::done ? shard.done : shard.refused);
    if (result && !sound(*result, request.now)) ++shard.unsound;
    shard.registrations->expire(request.now, 10);
    if (i % 4 == 0) {
      reader.quiescent();
      shard.registrations->turn();
    }
    if (i % 1024 == 0) {  // as a sleeping shard does
      reader.offline();
      std::this_thread::yield();
      reader.online();
    }
  }
}

std::uint64_t run_reader(const Directory& directory, Grace& grace, const std::atomic<bool>& stop) {
  Participant reader(grace);
  Random random(99);
  std::uint64_t unsound = 0;
  std::uint32_t cursor = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    const std::string aor = aor_of(random.below(kAors));
    const BindingSet* set = directory.find(aor, directory.hash(aor));
    if (set && !sound(*set, kStart)) ++unsound;
    if (!directory.for_each(
            reader, cursor, [&](const BindingSet& each) { unsound += !sound(each, kStart); }, 8))
      cursor = 0;
  }
  return unsound;
}

TEST(Threads, ShardsAndReadersShareTheDirectory) {
  Region region(Directory::region_bytes(kConfig));
  auto directory = std::make_unique<Directory>(kConfig, region.span());
  std::array<Shard, kShards> shards;
  for (std::uint32_t i = 0; i < kShards; ++i) {
    shards[i].registrations = std::make_unique<Registrations>(*directory, i, kStart);
  }
  std::atomic<bool> stop = false;
  std::uint64_t unsound_read = 0;
  std::thread reading([&] { unsound_read = run_reader(*directory, directory->grace(), stop); });
  std::array<std::thread, kShards> threads;
  for (std::uint32_t i = 0; i < kShards; ++i)
    threads[i] = std::thread(run_shard, std::ref(*directory), std::ref(shards[i]), i);
  for (auto& thread : threads) thread.join();
  stop = true;
  reading.join();

  EXPECT_EQ(unsound_read, 0u);
  std::uint64_t taken_over = 0;
  for (const Shard& shard : shards) {
    EXPECT_GT(shard.done, kOperations / 2);
    EXPECT_GT(shard.refused, 0u);
    EXPECT_EQ(shard.unsound, 0u);
    taken_over += shard.registrations->taken_over();
  }
  EXPECT_GT(taken_over, 1'000u);

  // Everything is in the directory exactly once, and counted.
  for (int turns = 0; turns < 3; ++turns) {
    for (Shard& shard : shards) shard.registrations->turn();
  }
  std::uint64_t held = 0, listed = 0, aors = 0;
  for (const Shard& shard : shards) held += shard.registrations->live();
  for (std::uint32_t i = 0; i < kAors; ++i) {
    const BindingSet* set = directory->find(aor_of(i), directory->hash(aor_of(i)));
    if (!set) continue;
    EXPECT_TRUE(sound(*set, kStart));
    listed += set->size();
    ++aors;
  }
  EXPECT_GT(listed, 0u);
  EXPECT_EQ(held, listed);
  EXPECT_EQ(directory->bindings(), listed);
  EXPECT_EQ(directory->aors(), aors);

  // And it all comes back.
  std::int64_t blocks = 0;
  for (Shard& shard : shards) EXPECT_TRUE(shard.registrations->expire(kStart + 2h, 1'000));
  for (int turns = 0; turns < 3; ++turns) {
    for (Shard& shard : shards) shard.registrations->turn();
  }
  for (const Shard& shard : shards) blocks += shard.registrations->blocks();
  EXPECT_EQ(directory->bindings(), 0u);
  EXPECT_EQ(blocks, static_cast<std::int64_t>(directory->user_agents()));
}

}  // namespace
}  // namespace ringweir::location
