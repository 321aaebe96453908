#include "ringweir/shard/decision_ring.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace ringweir::shard {
namespace {

const Endpoint kTarget{*parse_ip("2001:db8::11"), 5070};

balance::Why why(std::uint64_t figure) {
  balance::Why out{};
  out.algorithm = balance::Algorithm::least_calls;
  out.target = 3;
  out.usable = 4;
  out.members = 5;
  out.backup = true;
  out.figure = figure;
  return out;
}

TEST(DecisionRing, GivesBackWhatWasRecorded) {
  DecisionRing ring(8);
  Decision decision;
  EXPECT_FALSE(ring.read(0, decision));
  ring.record(1'700'000'000'000'123, 9, 513, Decided::failover, kTarget, why(77), "a84b4c76e66710@pc33");
  ASSERT_TRUE(ring.read(0, decision));
  EXPECT_EQ(decision.wall_us, 1'700'000'000'000'123);
  EXPECT_EQ(decision.generation, 9u);
  EXPECT_EQ(decision.upstream, 513);
  EXPECT_EQ(decision.kind, Decided::failover);
  EXPECT_EQ(decision.target, kTarget);
  EXPECT_EQ(decision.why.algorithm, balance::Algorithm::least_calls);
  EXPECT_EQ(decision.why.target, 3);
  EXPECT_EQ(decision.why.figure, 77u);
  EXPECT_TRUE(decision.why.backup);
  EXPECT_FALSE(decision.why.starting);
  EXPECT_EQ(decision.call_id, "a84b4c76e66710@pc33");
  EXPECT_FALSE(ring.read(1, decision));
}

TEST(DecisionRing, KeepsTheBeginningOfALongCallId) {
  DecisionRing ring(2);
  const std::string id(200, 'i');
  ring.record(1, 1, 0, Decided::began, kTarget, why(0), id);
  ring.record(1, 1, 0, Decided::began, kTarget, why(0), std::string_view(id).substr(0, 127));
  ring.record(1, 1, 0, Decided::began, kTarget, why(0), "");
  Decision decision;
  ASSERT_TRUE(ring.read(1, decision));
  EXPECT_EQ(decision.call_id, id.substr(0, 127));
  ASSERT_TRUE(ring.read(2, decision));
  EXPECT_EQ(decision.call_id, "");
}

TEST(DecisionRing, ForgetsTheOldestWhenItWrapsAround) {
  DecisionRing ring(4);
  for (std::uint64_t i = 0; i < 10; ++i) ring.record(0, 1, 0, Decided::began, kTarget, why(i), std::to_string(i));
  EXPECT_EQ(ring.next_sequence(), 10u);
  EXPECT_EQ(ring.oldest_sequence(), 6u);
  Decision decision;
  EXPECT_FALSE(ring.read(5, decision));
  for (std::uint64_t i = 6; i < 10; ++i) {
    ASSERT_TRUE(ring.read(i, decision));
    EXPECT_EQ(decision.why.figure, i);
    EXPECT_EQ(decision.call_id, std::to_string(i));
  }
}

TEST(DecisionRing, AReaderNeverSeesHalfOfTwoDecisions) {
  DecisionRing ring(4);
  std::atomic<bool> enough{false};
  std::thread writer([&] {
    for (std::uint64_t i = 0; !enough.load(); ++i) {
      const std::string id(1 + i % 100, static_cast<char>('a' + i % 26));
      ring.record(static_cast<std::int64_t>(i), i, static_cast<std::uint16_t>(i), Decided::began,
                  {kTarget.ip, static_cast<std::uint16_t>(i)}, why(i), id);
    }
  });
  Decision decision;
  bool torn = false;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  int read = 0;
  while (read < 20'000 && !torn && std::chrono::steady_clock::now() < until) {
    const std::uint64_t sequence = ring.oldest_sequence();
    if (!ring.read(sequence, decision)) continue;
    ++read;
    torn = decision.generation != sequence || decision.why.figure != sequence ||
           decision.target.port != static_cast<std::uint16_t>(sequence) ||
           decision.call_id != std::string(1 + sequence % 100, static_cast<char>('a' + sequence % 26));
  }
  enough = true;
  writer.join();
  EXPECT_FALSE(torn);
  EXPECT_GT(read, 0);
}

}  // namespace
}  // namespace ringweir::shard
