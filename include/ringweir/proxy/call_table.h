// Which target a call began with, by Call-ID: for in-dialog requests that bring no Route of ours, and for counting the calls a target
// has open. One a shard, on its thread; fixed size. A bucket that is full gives up the call heard of least recently: that one then
// goes by the routes again, and its target counts it as ended.
#pragma once
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "ringweir/balance/target_state.h"
#include "ringweir/base/address.h"
#include "ringweir/base/time.h"

namespace ringweir::proxy {

class CallTable {
 public:
  static constexpr Duration kIdleMax = std::chrono::hours{12};  // a call nobody said a word in for that long has ended
  static constexpr Duration kEndedKept = 32s;                   // so that what is retransmitted still finds its target

  struct Call {
    balance::TargetState* target;  // null: empty
    Endpoint endpoint;
    bool open;  // counted by its target
  };

  explicit CallTable(std::uint32_t capacity);
  ~CallTable();
  CallTable(const CallTable&) = delete;
  CallTable& operator=(const CallTable&) = delete;

  void prefetch(std::uint64_t call_id_hash) const noexcept {
    const char* const bucket = reinterpret_cast<const char*>(&buckets_.get()[index(call_id_hash)]);
    for (std::size_t line = 0; line < sizeof(Bucket); line += 64) __builtin_prefetch(bucket + line);
  }
  // The call's target; null when it is not known. Refreshes it.
  const Call* find(std::uint64_t call_id_hash, Instant now) noexcept;
  // The call begins at, or moves to, `target`, which counts it. False when it was counted there already.
  bool begin(std::uint64_t call_id_hash, balance::TargetState& target, const Endpoint& endpoint, Instant now) noexcept;
  // Its target counts it no more; where it went is kept for a while.
  void end(std::uint64_t call_id_hash, Instant now) noexcept;
  // Ends what is idle, a slice of the table a call.
  void sweep(Instant now) noexcept;

  std::uint32_t open() const noexcept { return open_; }
  std::uint64_t evicted() const noexcept { return evicted_; }  // open calls that a full bucket gave up

 private:
  struct Entry {
    Call call{};
    std::uint32_t seen_s = 0;
    std::uint32_t hash_low = 0;
    std::uint32_t hash_high = 0;
  };
  static constexpr std::size_t kWays = 4;
  struct Bucket {
    std::array<Entry, kWays> entries;
  };
  std::size_t index(std::uint64_t hash) const noexcept { return (hash >> 24) & mask_; }
  Entry* lookup(std::uint64_t hash) noexcept;
  Entry& place(std::uint64_t hash) noexcept;
  void close(Entry& entry) noexcept;
  bool idle(const Entry& entry, std::uint32_t now_s) const noexcept;

  struct Free {
    void operator()(void* at) const noexcept { std::free(at); }
  };
  std::size_t mask_;
  std::unique_ptr<Bucket, Free> buckets_;  // zeroed by the system: resident only where it was touched
  std::size_t swept_ = 0;
  std::uint32_t open_ = 0;
  std::uint64_t evicted_ = 0;
};

}  // namespace ringweir::proxy
