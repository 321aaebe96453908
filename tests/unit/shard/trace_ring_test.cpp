#include "ringweir/shard/trace_ring.h"

#include <gtest/gtest.h>

#include <thread>

namespace ringweir::shard {
namespace {

const Endpoint kPeer{IpAddress::v4(192, 0, 2, 1), 5061};
const Endpoint kLocal{*parse_ip("2001:db8::1"), 5060};

TEST(TraceRing, GivesBackWhatWasRecorded) {
  TraceRing ring(8, 100);
  EXPECT_FALSE(ring.recording());
  ring.start();
  EXPECT_TRUE(ring.recording());
  ring.record(1'700'000'000'000'123, Direction::out, kPeer, kLocal, "SIP/2.0 200 OK");
  TraceEntry entry;
  ASSERT_TRUE(ring.read(0, entry));
  EXPECT_EQ(entry.text, "SIP/2.0 200 OK");
  EXPECT_EQ(entry.wall_us, 1'700'000'000'000'123);
  EXPECT_EQ(entry.direction, Direction::out);
  EXPECT_EQ(entry.peer, kPeer);
  EXPECT_EQ(entry.local, kLocal);
  EXPECT_FALSE(ring.read(1, entry));
  ring.stop();
  EXPECT_FALSE(ring.recording());
}

TEST(TraceRing, ForgetsTheOldestWhenItWrapsAround) {
  TraceRing ring(4, 100);
  ring.start();
  for (int i = 0; i < 10; ++i) ring.record(i, Direction::in, kPeer, kLocal, "message " + std::to_string(i));
  EXPECT_EQ(ring.next_sequence(), 10u);
  EXPECT_EQ(ring.oldest_sequence(), 6u);
  TraceEntry entry;
  EXPECT_FALSE(ring.read(5, entry));
  for (std::uint64_t i = 6; i < 10; ++i) {
    ASSERT_TRUE(ring.read(i, entry));
    EXPECT_EQ(entry.text, "message " + std::to_string(i));
  }
}

TEST(TraceRing, LosesWhatItsOctetsNoLongerHold) {
  TraceRing ring(64, 1);  // room for two of the largest messages
  ring.start();
  const std::string large(60'000, 'x');
  for (int i = 0; i < 4; ++i) ring.record(i, Direction::in, kPeer, kLocal, large);
  TraceEntry entry;
  EXPECT_FALSE(ring.read(0, entry));
  ASSERT_TRUE(ring.read(3, entry));
  EXPECT_EQ(entry.text, large);
}

TEST(TraceRing, KeepsAnEmptyMessage) {
  TraceRing ring(4, 16);
  ring.start();
  ring.record(1, Direction::in, kPeer, kLocal, "");
  TraceEntry entry;
  ASSERT_TRUE(ring.read(0, entry));
  EXPECT_EQ(entry.text, "");
}

// A reader never sees half of one message and half of another.
TEST(TraceRing, IsReadWholeOrNotAtAllWhileItIsWritten) {
  TraceRing ring(16, 64);
  ring.start();
  constexpr int kMessages = 40'000;
  std::jthread writer([&ring] {
    std::string text;
    for (int i = 0; i < kMessages; ++i) {
      text.assign(static_cast<std::size_t>(i % 300), static_cast<char>('a' + i % 26));
      ring.record(i, Direction::in, kPeer, kLocal, text);
    }
  });
  TraceEntry entry;
  std::uint64_t next = 0, whole = 0;
  while (next < kMessages) {
    const std::uint64_t end = ring.next_sequence();
    for (next = std::max(next, ring.oldest_sequence()); next < end; ++next) {
      if (!ring.read(next, entry)) continue;
      ++whole;
      const std::size_t n = next;
      ASSERT_EQ(entry.text, std::string(n % 300, static_cast<char>('a' + n % 26)));
      ASSERT_EQ(entry.wall_us, static_cast<std::int64_t>(n));
    }
  }
  EXPECT_GT(whole, 0u);
}

}  // namespace
}  // namespace ringweir::shard
