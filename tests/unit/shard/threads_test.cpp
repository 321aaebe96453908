// Three shards on three threads, four phones on four more: the same addresses of record under Call-IDs that different shards
// own, with queries, removals, a configuration swap and expiry. Meant for ThreadSanitizer; hangs if a wake gets lost.
#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "ringweir/base/random.h"
#include "support/conversation.h"
#include "support/threaded_driver.h"

namespace ringweir::shard {
namespace {

using support::RequestText;
using support::SipText;

constexpr std::uint32_t kShards = 3, kClients = 4, kAors = 3, kRounds = 400;

class Post {  // what is on its way to one client
 public:
  void put(std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace_back(bytes);
    condition_.notify_one();
  }
  std::string take() {
    std::unique_lock lock(mutex_);
    condition_.wait(lock, [this] { return !waiting_.empty(); });
    std::string bytes = std::move(waiting_.front());
    waiting_.pop_front();
    return bytes;
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  std::deque<std::string> waiting_;
};

support::SnapshotOptions options(std::uint64_t generation) {
  support::SnapshotOptions options;
  options.generation = generation;
  options.users.clear();
  for (std::uint32_t i = 0; i < kAors; ++i) options.users.emplace_back("u" + std::to_string(i), "pw");
  return options;
}

class Town {
 public:
  Town()
      : first(std::make_unique<Snapshot>(support::make_snapshot(options(1)))),
        second(support::make_snapshot(options(2))),
        pages(location::Directory::region_bytes(config())),
        directory(config(), pages.span()),
        window(kShards, 1u << 14),
        shared({.shards = kShards, .mailbox_depth = 4, .trace_entries = 64, .placement_key = {3, 4}, .nonce_key = {5, 6}, .started_ms = 1'700'000'000'000},
               directory, window) {
    std::vector<support::ThreadedDriver*> all;
    for (std::uint32_t i = 0; i < kShards; ++i) {
      drivers.push_back(std::make_unique<support::ThreadedDriver>(
          clock_ns, [this](std::string_view bytes, const Endpoint& to) { posts[to.port % kClients].put(bytes); }));
      all.push_back(drivers.back().get());
    }
    for (std::uint32_t i = 0; i < kShards; ++i) {
      drivers[i]->connect(all);
      shared.faces[i]->snapshot = first.get();
      shared.faces[i]->trace.start();
      shards.push_back(std::make_unique<Shard<support::ThreadedDriver>>(
          shared, ShardOptions{.index = i,
                       .answered_capacity = 1u << 14,
                       .local = {Endpoint{}},
                       .engine = {.contexts = 1'024, .branches = 1'024, .calls = 1'024},
                       .texts_bytes = 16u << 20}, *drivers[i]));
    }
    for (std::uint32_t i = 0; i < kShards; ++i) threads.emplace_back([this, i] { shards[i]->run(); });
  }
  static location::Config config() { return {.shards = kShards, .bindings_max = 1'000, .hash_key = {1, 2}}; }

  void swap() {
    for (std::uint32_t i = 0; i < kShards; ++i) {
      shared.faces[i]->snapshot.store(&second, std::memory_order_release);
      drivers[i]->wake_from_outside();
    }
    for (const auto& face : shared.faces) {
      while (face->generation.load(std::memory_order_acquire) != 2) std::this_thread::yield();
    }
    first.reset();
  }
  void advance(Duration by) {
    clock_ns.fetch_add(by.count(), std::memory_order_release);
    for (const auto& driver : drivers) driver->wake_from_outside();
  }
  void stop() {
    for (std::uint32_t i = 0; i < kShards; ++i) {
      shared.faces[i]->stop.store(true, std::memory_order_release);
      drivers[i]->wake_from_outside();
    }
    threads.clear();
  }

  std::atomic<std::int64_t> clock_ns{1'000'000'000'000};
  std::array<Post, kClients> posts;
  std::unique_ptr<Snapshot> first;
  Snapshot second;
  support::Pages pages;
  location::Directory directory;
  auth::NonceWindow window;
  Shared shared;
  std::vector<std::unique_ptr<support::ThreadedDriver>> drivers;
  std::vector<std::unique_ptr<Shard<support::ThreadedDriver>>> shards;
  std::vector<std::jthread> threads;
};

class Client {
 public:
  Client(Town& town, std::uint32_t index) : town_(town), index_(index), random_(index + 1) {}

  void run() {
    for (std::uint32_t round = 0; round < kRounds; ++round) {
      const std::uint32_t aor = random_.below(kAors);
      switch (random_.below(6)) {
        case 0: query(aor); break;
        case 1: register_contact(aor, 0); break;
        default: register_contact(aor, 600); break;
      }
    }
  }
  bool registered(std::uint32_t aor) const { return registered_[aor]; }
  std::string contact(std::uint32_t aor) const {
    return "<sip:c" + std::to_string(index_) + "@192.0.2." + std::to_string(aor) + ">";
  }

 private:
  SipText exchange(RequestText& request) {
    for (;;) {
      request.via = "SIP/2.0/UDP 192.0.2.7:5062;rport;branch=z9hG4bK-" + std::to_string(index_) + "-" + std::to_string(++branch_);
      request.cseq = ++cseq_;
      const auto port = static_cast<std::uint16_t>(40'000 + index_);
      static_assert(40'000 % kClients == 0);
      town_.drivers[random_.below(kShards)]->receive(request.text(), {support::kPhone.ip, port});
      const auto answer = support::read_sip(town_.posts[index_].take());
      if (answer && answer->status != 503) return *answer;
    }
  }
  SipText authorised(RequestText request, std::uint32_t aor) {
    const std::string user = "u" + std::to_string(aor);
    request.call_id = "c" + std::to_string(index_) + "-" + std::to_string(random_.below(8));
    request.from = "<sip:" + user + "@example.com>;tag=1";
    request.to = "<sip:" + user + "@example.com>";
    const auto lines = request.lines;
    SipText answer = exchange(request);
    for (std::uint32_t nc = 1; answer.status == 401 && nc < 20; ++nc) {
      request.lines = lines;
      request.with(answer_to(answer, request, user, "pw"));
      answer = exchange(request);  // a 503 repeats the count, which then asks for a new nonce
    }
    return answer;
  }
  bool listed(const SipText& answer, std::uint32_t aor) const {
    const auto contacts = answer.all("contact");
    return std::any_of(contacts.begin(), contacts.end(), [&](std::string_view c) { return c.starts_with(contact(aor)); });
  }
  void query(std::uint32_t aor) {
    const SipText answer = authorised({}, aor);
    ASSERT_EQ(answer.status, 200) << answer.start_line;
    ASSERT_EQ(listed(answer, aor), registered_[aor]);
  }
  void register_contact(std::uint32_t aor, int expires) {
    RequestText request;
    request.with("Contact: " + contact(aor) + ";expires=" + std::to_string(expires));
    const SipText answer = authorised(request, aor);
    ASSERT_EQ(answer.status, 200) << answer.start_line;
    registered_[aor] = expires != 0;
    ASSERT_EQ(listed(answer, aor), registered_[aor]);
  }

  Town& town_;
  std::uint32_t index_;
  Random random_;
  std::uint32_t branch_ = 0, cseq_ = 0;
  std::array<bool, kAors> registered_{};
};

TEST(Threads, KeepEveryPromiseAndGiveEverythingBack) {
  Town town;
  std::vector<Client> clients;
  for (std::uint32_t i = 0; i < kClients; ++i) clients.emplace_back(town, i);
  {
    std::vector<std::jthread> phones;
    for (Client& client : clients) phones.emplace_back([&client] { client.run(); });
    town.swap();
    TraceEntry entry;
    for (const auto& face : town.shared.faces) {  // a reader beside the writers
      for (std::uint64_t i = face->trace.oldest_sequence(); i < face->trace.next_sequence(); ++i) face->trace.read(i, entry);
    }
  }
  std::uint64_t expected = 0;
  {
    location::Participant reader(town.directory.grace());
    for (std::uint32_t aor = 0; aor < kAors; ++aor) {
      const std::string name = "u" + std::to_string(aor) + "@example.com";
      const location::BindingSet* set = town.directory.find(name, town.directory.hash(name));
      std::map<std::string, int> seen;
      for (std::size_t i = 0; set && i < set->size(); ++i) ++seen[std::string{set->view(i).contact}];
      for (const Client& client : clients) {
        EXPECT_EQ(seen[client.contact(aor)], client.registered(aor) ? 1 : 0) << aor << client.contact(aor);
        expected += client.registered(aor);
      }
    }
  }
  EXPECT_EQ(town.directory.bindings(), expected);
  town.advance(700s);
  while (town.directory.bindings() != 0) std::this_thread::yield();  // expired by their owners, on their own threads
  town.stop();
  for (int i = 0; i < 4; ++i) {
    for (const auto& shard : town.shards) shard->turn(Instant::min());
  }
  std::uint64_t handed_over = 0;
  for (std::uint32_t i = 0; i < kShards; ++i) {
    EXPECT_EQ(town.shards[i]->registrations().live(), 0u);
    EXPECT_EQ(town.shards[i]->parcels_out(), 0u);
    EXPECT_FALSE(town.shards[i]->registrations().unsettled());
    handed_over += town.shared.faces[i]->counters.handed_over.read();
  }
  EXPECT_GT(handed_over, kRounds);
  EXPECT_EQ(town.directory.aors(), 0u);
}

}  // namespace
}  // namespace ringweir::shard
