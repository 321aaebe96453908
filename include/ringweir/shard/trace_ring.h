// The last messages of one shard, kept for `trace`. Lossy: the writer overwrites and never waits; readers copy and then
// check that what they copied was not overwritten meanwhile. While nobody records, the cost is one relaxed load.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ringweir/base/address.h"
#include "ringweir/base/time.h"

namespace ringweir::shard {

enum class Direction : std::uint8_t { in, out };

struct TraceEntry {          // as a reader gets it
  std::uint64_t sequence = 0;  // of this shard
  std::int64_t wall_us = 0;
  Direction direction = Direction::in;
  std::uint32_t shard = 0;
  Endpoint peer, local;
  std::string text;
};

class TraceRing {
 public:
  // Room for `entries` messages of `octets_each` on average; allocated on the first start().
  TraceRing(std::uint32_t entries, std::uint32_t octets_each);
  ~TraceRing();

  // Control thread. Recording is counted: it goes on while anyone wants it.
  void start();
  void stop() noexcept { wanted_.fetch_sub(1, std::memory_order_relaxed); }

  // Shard thread.
  bool recording() const noexcept { return wanted_.load(std::memory_order_acquire) != 0; }
  void record(std::int64_t wall_us, Direction direction, const Endpoint& peer, const Endpoint& local,
              std::string_view text) noexcept;

  // Any thread. The sequence the next message will get; oldest is the first that may still be read.
  std::uint64_t next_sequence() const noexcept { return next_.load(std::memory_order_acquire); }
  std::uint64_t oldest_sequence() const noexcept;
  // False when that message is gone or not there yet.
  bool read(std::uint64_t sequence, TraceEntry& out) const;

 private:
  using Word = std::atomic<std::uint64_t>;
  struct Slot {  // guarded by `stamp`: sequence * 2 + 1 while written, + 2 when done
    Word stamp{0}, arena_at{0}, wall_us{0}, meta{0}, peer_low{0}, peer_high{0}, local_low{0}, local_high{0};
  };
  std::uint32_t entries_;
  std::uint64_t arena_words_;
  std::atomic<int> wanted_{0};
  Word next_{0};
  Word arena_next_{0};  // words ever written
  std::unique_ptr<Slot[]> slots_;
  std::unique_ptr<Word[]> arena_;
};

}  // namespace ringweir::shard
