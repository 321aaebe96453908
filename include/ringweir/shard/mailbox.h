// Hand-over between shards: one bounded single-producer single-consumer queue per ordered pair (Boost.Lockfree).
// The producer copies the datagram into a parcel of its own slab; the consumer sends the empty parcel back through a second
// queue, so no block is ever freed by another thread and nothing on the way can block.
#pragma once
#include <boost/lockfree/spsc_queue.hpp>
#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "ringweir/base/address.h"
#include "ringweir/base/limits.h"
#include "ringweir/base/slab.h"
#include "ringweir/io/driver.h"

namespace ringweir::shard {

struct Parcel {
  std::uint64_t call_id_hash;
  Instant handed_at;        // by the producer's clock: the wait goes on in the mailbox
  io::Received received;    // bytes point into text, behind this struct
  bool large;
};

// The blocks one shard puts messages in before it hands them over. Owner thread only.
class ParcelStore {
 public:
  ParcelStore(std::uint32_t small, std::uint32_t large);
  // A copy of what was received; null when the blocks are exhausted.
  Parcel* pack(const io::Received& received, std::uint64_t call_id_hash, Instant now = {}) noexcept;
  void release(Parcel* parcel) noexcept;
  std::uint32_t out() const noexcept { return small_.taken() + large_.taken(); }

 private:
  template <std::size_t n>
  struct Block {
    Parcel parcel;
    char text[n];
  };
  Slab<Block<limits::kParcelBytes>> small_;
  Slab<Block<limits::kMessageBytesMax>> large_;
};

// From one shard to one other.
class Lane {
 public:
  // `parcels`: all that the producer's store holds, so that the way back can never be the one that is full.
  Lane(std::uint32_t depth, std::uint32_t parcels) : parcels_(depth), empties_(parcels) {}
  // Producer.
  bool push(Parcel* parcel) noexcept { return parcels_.push(parcel); }
  Parcel* take_empty() noexcept {
    Parcel* parcel = nullptr;
    return empties_.pop(parcel) ? parcel : nullptr;
  }
  // Consumer.
  Parcel* pop() noexcept {
    Parcel* parcel = nullptr;
    return parcels_.pop(parcel) ? parcel : nullptr;
  }
  void give_back(Parcel* parcel) noexcept { check(empties_.push(parcel), "the way back has room for every parcel"); }
  bool has_mail() const noexcept { return parcels_.read_available() != 0; }

 private:
  boost::lockfree::spsc_queue<Parcel*> parcels_;
  boost::lockfree::spsc_queue<Parcel*> empties_;
};

// All lanes of a process: lane(from, to).
class Exchange {
 public:
  Exchange(std::uint32_t shards, std::uint32_t depth);
  // Blocks a shard's store holds: enough to fill every lane out of it, bounded.
  std::uint32_t parcels_small() const noexcept { return std::min(std::max(shards_ - 1, 1u) * depth_, kParcelsMax); }
  std::uint32_t parcels_large() const noexcept { return kParcelsLarge; }
  Lane& lane(std::uint32_t from, std::uint32_t to) noexcept { return *lanes_[from * shards_ + to]; }
  std::uint32_t shards() const noexcept { return shards_; }
  std::uint32_t depth() const noexcept { return depth_; }

 private:
  static constexpr std::uint32_t kParcelsMax = 8'192, kParcelsLarge = 16;
  std::uint32_t shards_, depth_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace ringweir::shard
