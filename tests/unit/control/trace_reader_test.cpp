#include "ringweir/control/trace_reader.h"

#include <gtest/gtest.h>

#include <memory>

namespace ringweir::control {
namespace {

const Endpoint kPeer{IpAddress::v4(192, 0, 2, 7), 5062}, kLocal{IpAddress::v4(192, 0, 2, 10), 5060};

std::string of_call(const std::string& id) { return "OPTIONS sip:a SIP/2.0\r\nCall-ID: " + id + "\r\n\r\n"; }

struct Rings {
  explicit Rings(std::size_t shards, std::uint32_t entries = 64) {
    for (std::size_t i = 0; i < shards; ++i) {
      owned.push_back(std::make_unique<shard::TraceRing>(entries, 768));
      all.push_back(owned.back().get());
    }
  }
  void record(std::size_t shard, std::int64_t at_us, const std::string& call_id) {
    owned[shard]->record(at_us, shard::Direction::in, kPeer, kLocal, of_call(call_id));
  }
  std::vector<std::unique_ptr<shard::TraceRing>> owned;
  TraceRings all;
};

std::string order(const std::vector<shard::TraceEntry>& entries) {
  std::string text;
  for (const auto& entry : entries) text += std::to_string(entry.shard) + ':' + std::to_string(entry.wall_us) + ' ';
  return text;
}

TEST(TraceReader, AnUntouchedRingReadsAsEmpty) {
  Rings rings(2);
  TraceCursor cursor = TraceCursor::oldest(rings.all);
  const TracePage page = read_trace(rings.all, cursor, {}, 10);
  EXPECT_TRUE(page.entries.empty());
  EXPECT_FALSE(page.more);
  EXPECT_EQ(cursor.text(), "0.0");
}

TEST(TraceReader, RecordingLastsAsLongAsItsTaps) {
  Rings rings(2);
  {
    const TraceTap one(rings.all);
    {
      const TraceTap two(rings.all);
    }
    EXPECT_TRUE(rings.owned[1]->recording());
  }
  EXPECT_FALSE(rings.owned[0]->recording());
}

TEST(TraceReader, ShardsAreMergedInTimeOrderAndPagesContinue) {
  Rings rings(3);
  const TraceTap tap(rings.all);
  rings.record(0, 10, "a");
  rings.record(1, 5, "b");
  rings.record(1, 15, "b");
  rings.record(2, 12, "c");
  rings.record(0, 20, "a");
  TraceCursor cursor = TraceCursor::oldest(rings.all);
  TracePage page = read_trace(rings.all, cursor, {}, 3);
  EXPECT_EQ(order(page.entries), "1:5 0:10 2:12 ");
  EXPECT_TRUE(page.more);
  EXPECT_EQ(cursor.text(), "1.1.1");
  auto again = TraceCursor::parse(cursor.text(), 3);
  ASSERT_TRUE(again);
  page = read_trace(rings.all, *again, {}, 3);
  EXPECT_EQ(order(page.entries), "1:15 0:20 ");
  EXPECT_FALSE(page.more);
}

TEST(TraceReader, AFilterChoosesACall) {
  Rings rings(2);
  const TraceTap tap(rings.all);
  for (const char* id : {"abc", "abd", "abc", "xyz"}) rings.record(0, 1, id);
  const auto count = [&](const TraceFilter& filter) {
    TraceCursor cursor = TraceCursor::oldest(rings.all);
    return read_trace(rings.all, cursor, filter, 10).entries.size();
  };
  EXPECT_EQ(count({}), 4u);
  EXPECT_EQ(count({"abc", false}), 2u);
  EXPECT_EQ(count({"ab", false}), 0u);
  EXPECT_EQ(count({"ab", true}), 3u);
}

TEST(TraceReader, WhatWasOverwrittenIsCounted) {
  Rings rings(1, 8);
  const TraceTap tap(rings.all);
  for (int i = 0; i < 20; ++i) rings.record(0, i, "a");
  TraceCursor cursor{{0}};
  const TracePage page = read_trace(rings.all, cursor, {}, 100);
  EXPECT_EQ(page.lost + page.entries.size(), 20u);
  EXPECT_EQ(page.entries.size(), 8u);
  EXPECT_EQ(page.entries.back().wall_us, 19);
}

TEST(TraceReader, OneRequestLooksAtABoundedNumber) {
  Rings rings(1);
  const TraceTap tap(rings.all);
  for (int i = 0; i < 50; ++i) rings.record(0, i, "a");
  TraceCursor cursor = TraceCursor::oldest(rings.all);
  TracePage page = read_trace(rings.all, cursor, {"none", false}, 10, 20);
  EXPECT_TRUE(page.more);
  EXPECT_EQ(cursor.text(), "20");
}

TEST(TraceReader, ACursorOfAnEarlierRunStartsWhereThisOneIs) {
  Rings rings(1);
  const TraceTap tap(rings.all);
  TraceCursor cursor{{1'000}};
  EXPECT_TRUE(read_trace(rings.all, cursor, {}, 10).entries.empty());
  rings.record(0, 1, "a");
  EXPECT_EQ(read_trace(rings.all, cursor, {}, 10).entries.size(), 1u);
}

TEST(TraceReader, CursorsThatAreNoneAreRefused) {
  for (const char* bad : {"", "1", "1.2.3", "1.", ".1", "1.x", "-1.2", "1 .2"}) EXPECT_FALSE(TraceCursor::parse(bad, 2)) << bad;
  EXPECT_TRUE(TraceCursor::parse("1.2", 2));
}

TEST(TraceFollower, TellsALateShardsMessageInItsPlace) {
  Rings rings(2);
  const TraceTap tap(rings.all);
  TraceFollower follower(rings.all, TraceCursor::newest(rings.all), {});
  rings.record(0, 100, "a");
  EXPECT_TRUE(follower.poll(10).entries.empty());
  rings.record(1, 90, "b");   // of the same moment, seen one poll later
  rings.record(0, 120, "a");
  EXPECT_EQ(order(follower.poll(10).entries), "1:90 0:100 ");
  EXPECT_EQ(order(follower.poll(10).entries), "0:120 ");
  EXPECT_TRUE(follower.poll(10).entries.empty());
}

}  // namespace
}  // namespace ringweir::control
