// Reads the shards' trace rings as one story in time order. Lossy: what was overwritten is counted, not waited for.
// All of it on one control thread.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ringweir/shard/trace_ring.h"

namespace ringweir::control {

using TraceRings = std::vector<shard::TraceRing*>;  // by shard

// Keeps recording on while it lives.
class TraceTap {
 public:
  explicit TraceTap(TraceRings rings);
  ~TraceTap();
  TraceTap(const TraceTap&) = delete;
  TraceTap& operator=(const TraceTap&) = delete;

 private:
  TraceRings rings_;
};

// A place in all rings: the sequence to read next, a shard. As text, "12.40" for two shards.
struct TraceCursor {
  std::vector<std::uint64_t> next;

  static TraceCursor oldest(const TraceRings& rings);
  static TraceCursor newest(const TraceRings& rings);
  static std::optional<TraceCursor> parse(std::string_view text, std::size_t shards);
  std::string text() const;
};

struct TraceFilter {
  std::string call_id;  // empty: all
  bool prefix = false;  // of the Call-ID
  bool matches(std::string_view message) const;
};

struct TracePage {
  std::vector<shard::TraceEntry> entries;  // in time order; `shard` is set
  std::uint64_t lost = 0;                  // messages overwritten before they could be read
  bool more = false;                       // stopped at a limit: call again
};

// Moves the cursor over what it read. Reads at most `looked_at_most` messages, returns at most `most`.
TracePage read_trace(const TraceRings& rings, TraceCursor& cursor, const TraceFilter& filter, std::size_t most,
                     std::size_t looked_at_most = 200'000);

// For a reader that follows: the rings are read one after the other, so that a message of one shard may be seen after a later
// one of another. What a poll finds is held back until the next, and then told in order.
class TraceFollower {
 public:
  TraceFollower(const TraceRings& rings, TraceCursor from, TraceFilter filter);
  TracePage poll(std::size_t most);

 private:
  const TraceRings rings_;
  TraceCursor cursor_;
  TraceFilter filter_;
  std::vector<shard::TraceEntry> held_;
};

}  // namespace ringweir::control
