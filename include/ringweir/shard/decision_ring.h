// The last choices of targets of one shard, kept for `upstream why`. Always on. Lossy as the trace ring is: the writer
// overwrites and never waits; readers copy and then check that what they copied was not overwritten meanwhile.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ringweir/balance/choose.h"
#include "ringweir/base/address.h"
#include "ringweir/proxy/engine.h"

namespace ringweir::shard {

using Decided = proxy::Witness::Kind;

struct Decision {
  std::uint64_t sequence = 0;  // of this shard
  std::int64_t wall_us = 0;
  std::uint64_t generation = 0;  // of the snapshot that `upstream` is an index into
  std::uint16_t upstream = 0;
  Decided kind = Decided::began;
  Endpoint target;
  balance::Why why{};
  std::string call_id;  // cut at kCallIdKept octets
};

class DecisionRing {
 public:
  static constexpr std::size_t kCallIdKept = 127;
  explicit DecisionRing(std::uint32_t entries);

  // Shard thread. About thirty stores; no allocation.
  void record(std::int64_t wall_us, std::uint64_t generation, std::uint16_t upstream, Decided kind, const Endpoint& target,
              const balance::Why& why, std::string_view call_id) noexcept;

  // Any thread. The sequence the next decision will get; oldest is the first that may still be read.
  std::uint64_t next_sequence() const noexcept { return next_.load(std::memory_order_acquire); }
  std::uint64_t oldest_sequence() const noexcept;
  // False when that decision is gone or not there yet.
  bool read(std::uint64_t sequence, Decision& out) const;

 private:
  using Word = std::atomic<std::uint64_t>;
  static constexpr std::size_t kWhyWords = sizeof(balance::Why) / 8, kIdWords = (kCallIdKept + 7) / 8;
  static_assert(sizeof(balance::Why) % 8 == 0);
  struct Slot {  // guarded by `stamp`: sequence * 2 + 1 while written, + 2 when done
    Word stamp{0}, wall_us{0}, generation{0}, meta{0}, ip_low{0}, ip_high{0};
    std::array<Word, kWhyWords> why{};
    std::array<Word, kIdWords> call_id{};
  };
  std::uint32_t entries_;
  Word next_{0};
  std::unique_ptr<Slot[]> slots_;
};

}  // namespace ringweir::shard
