#include "ringweir/control/trace_reader.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "ringweir/sip/scan.h"

namespace ringweir::control {
namespace {

using shard::TraceEntry;

// The message at the front of one ring, read when it is first asked for.
class Front {
 public:
  Front(const shard::TraceRing& ring, std::uint64_t& next, std::uint32_t shard) noexcept
      : ring_(ring), next_(next), end_(ring.next_sequence()), shard_(shard) {
    // A cursor from an earlier run of the process may lie beyond what this one has recorded.
    next_ = std::min(next_, end_);
  }
  // Null at the end of the ring.
  TraceEntry* get(std::uint64_t& lost) {
    while (!loaded_ && next_ < end_) {
      const std::uint64_t oldest = ring_.oldest_sequence();
      if (next_ < oldest) {
        lost += oldest - next_;
        next_ = oldest;
      }
      loaded_ = ring_.read(next_, entry_);
      if (!loaded_) {
        ++lost;
        ++next_;
      }
    }
    if (!loaded_) return nullptr;
    entry_.shard = shard_;
    return &entry_;
  }
  void advance() noexcept {
    ++next_;
    loaded_ = false;
  }

 private:
  const shard::TraceRing& ring_;
  std::uint64_t& next_;
  std::uint64_t end_;
  std::uint32_t shard_;
  TraceEntry entry_;
  bool loaded_ = false;
};

}  // namespace

TraceTap::TraceTap(TraceRings rings) : rings_(std::move(rings)) {
  for (shard::TraceRing* ring : rings_) ring->start();
}
TraceTap::~TraceTap() {
  for (shard::TraceRing* ring : rings_) ring->stop();
}

TraceCursor TraceCursor::oldest(const TraceRings& rings) {
  TraceCursor cursor;
  for (const shard::TraceRing* ring : rings) cursor.next.push_back(ring->oldest_sequence());
  return cursor;
}
TraceCursor TraceCursor::newest(const TraceRings& rings) {
  TraceCursor cursor;
  for (const shard::TraceRing* ring : rings) cursor.next.push_back(ring->next_sequence());
  return cursor;
}

std::optional<TraceCursor> TraceCursor::parse(std::string_view text, std::size_t shards) {
  TraceCursor cursor;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    std::uint64_t sequence = 0;
    const auto [stop, error] = std::from_chars(at, end, sequence);
    if (error != std::errc{}) return std::nullopt;
    cursor.next.push_back(sequence);
    if (stop == end) break;
    if (*stop != '.') return std::nullopt;
    at = stop + 1;
  }
  if (cursor.next.size() != shards) return std::nullopt;
  return cursor;
}

std::string TraceCursor::text() const {
  std::string text;
  for (const std::uint64_t sequence : next) text += (text.empty() ? "" : ".") + std::to_string(sequence);
  return text;
}

bool TraceFilter::matches(std::string_view message) const {
  if (call_id.empty()) return true;
  const std::string_view found = sip::glimpse(message).call_id;
  return prefix ? found.starts_with(call_id) : found == call_id;
}

TracePage read_trace(const TraceRings& rings, TraceCursor& cursor, const TraceFilter& filter, std::size_t most,
                     std::size_t looked_at_most) {
  TracePage page;
  std::vector<Front> fronts;
  fronts.reserve(rings.size());
  for (std::uint32_t i = 0; i < rings.size(); ++i) fronts.emplace_back(*rings[i], cursor.next[i], i);
  for (std::size_t looked = 0;; ++looked) {
    Front* earliest = nullptr;
    TraceEntry* entry = nullptr;
    for (Front& front : fronts) {
      TraceEntry* candidate = front.get(page.lost);
      if (candidate && (!entry || candidate->wall_us < entry->wall_us)) {
        earliest = &front;
        entry = candidate;
      }
    }
    if (!entry) return page;
    if (page.entries.size() >= most || looked >= looked_at_most) {
      page.more = true;
      return page;
    }
    if (filter.matches(entry->text)) page.entries.push_back(std::move(*entry));
    earliest->advance();
  }
}

TraceFollower::TraceFollower(const TraceRings& rings, TraceCursor from, TraceFilter filter)
    : rings_(rings), cursor_(std::move(from)), filter_(std::move(filter)) {}

TracePage TraceFollower::poll(std::size_t most) {
  TracePage page = read_trace(rings_, cursor_, filter_, most);
  const auto earlier = [](const TraceEntry& a, const TraceEntry& b) {
    return std::tie(a.wall_us, a.shard, a.sequence) < std::tie(b.wall_us, b.shard, b.sequence);
  };
  std::vector<TraceEntry> found = std::move(page.entries);
  page.entries = std::move(held_);
  held_.clear();
  const std::int64_t told_us = page.entries.empty() ? 0 : page.entries.back().wall_us;
  for (TraceEntry& entry : found) {
    (entry.wall_us < told_us ? page.entries : held_).push_back(std::move(entry));
  }
  std::sort(page.entries.begin(), page.entries.end(), earlier);
  return page;
}

}  // namespace ringweir::control
