// What the messages of one turn carry as their time while somebody records.
#include <gtest/gtest.h>

#include "support/conversation.h"

namespace ringweir::shard {
namespace {

std::vector<TraceEntry> recorded(support::Conversation& c) {
  TraceRing& ring = c.rig.shared.faces[0]->trace;
  std::vector<TraceEntry> entries(ring.next_sequence());
  for (std::size_t i = 0; i < entries.size(); ++i) EXPECT_TRUE(ring.read(i, entries[i]));
  return entries;
}

// The turn's clock stands still; the trace reads a finer one.
TEST(TraceTime, ARequestAndItsAnswerOfOneTurnAreToldApart) {
  support::Conversation c;
  c.rig.shared.faces[0]->trace.start();
  support::RequestText request;
  request.method = "OPTIONS";
  ASSERT_TRUE(c.say(request));
  const auto entries = recorded(c);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].direction, Direction::in);
  EXPECT_EQ(entries[1].direction, Direction::out);
  EXPECT_GT(entries[1].wall_us, entries[0].wall_us);
  EXPECT_LT(entries[1].wall_us, entries[0].wall_us + 1'000);
  EXPECT_EQ(entries[0].wall_us / 1'000, c.rig.clock.wall_ms) << "anchored to the wall clock";
}

TEST(TraceTime, TheTimesOfTwoTurnsAreAsFarApartAsTheTurns) {
  support::Conversation c;
  c.rig.shared.faces[0]->trace.start();
  support::RequestText request;
  request.method = "OPTIONS";
  ASSERT_TRUE(c.say(request));
  c.rig.clock.advance(5s);
  ASSERT_TRUE(c.say(request));
  const auto entries = recorded(c);
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(entries[2].wall_us - entries[0].wall_us, 5'000'000);
  EXPECT_GT(entries[3].wall_us, entries[2].wall_us);
}

}  // namespace
}  // namespace ringweir::shard
