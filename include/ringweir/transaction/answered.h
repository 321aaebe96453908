// What the edge remembers of requests it answered for good, so that a retransmission gets the same answer and
// changes nothing twice (RFC 3261 17.2.2, the Completed state and Timer J of a non-INVITE server
// transaction). The edge answers a REGISTER at once, so a whole machine would only ever be in Completed; what
// is left of it is one line: which request, which answer, until when. The answer itself is built again from
// the retransmitted request (17.2.3: same branch, sent-by, method) and the bindings as they stand. 16 octets
// a transaction instead of 700.
//
// One a shard, one thread. Fixed size: beyond it the oldest of a bucket is forgotten, which shortens Timer J
// under a load of more than capacity / 32 s requests a second.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "ringweir/base/prefetch.h"
#include "ringweir/base/time.h"
#include "ringweir/base/zeroed_array.h"
#include "ringweir/transaction/timers.h"

namespace ringweir::transaction {

class Answered {
 public:
  // `capacity` is rounded up to a power of two, at least one bucket.
  explicit Answered(std::uint32_t capacity);

  // Hints that `key` will be asked for: the line is fetched while the message is parsed.
  void prefetch(std::uint64_t key) const noexcept { prefetch_to_write(&buckets_[index(key)]); }
  struct Answer {
    std::uint16_t status = 0;
    std::uint16_t detail = 0;  // the caller's own: by what it tells answers of one status apart
  };
  std::optional<Answer> find(std::uint64_t key, Instant now) const noexcept;
  void remember(std::uint64_t key, Answer answer, Instant now) noexcept;

  std::span<const std::byte> memory() const noexcept { return buckets_.memory(); }

 private:
  struct Entry {
    std::uint64_t key = 0;
    std::uint32_t until_ms = 0;  // see tick()
    Answer answer{};             // status 0: empty
  };
  struct alignas(64) Bucket {
    std::array<Entry, 4> entries;
  };
  static_assert(sizeof(Entry) == 16 && sizeof(Bucket) == 64);
  std::size_t index(std::uint64_t key) const noexcept { return (key >> 32) & mask_; }
  std::uint32_t tick(Instant now) const noexcept;

  std::size_t mask_;
  ZeroedArray<Bucket> buckets_;
};

}  // namespace ringweir::transaction
