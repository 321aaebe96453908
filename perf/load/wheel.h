// Wake-ups in buckets of a timer tick. One is never taken back: whoever is woken looks whether it is due.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "drive.h"

namespace ringweir::load {

class Wheel {
 public:
  static constexpr std::int64_t kBuckets = 512;
  static constexpr std::int64_t kHorizonNs = (kBuckets - 2) * kTimerTickNs;  // 10 s; T2 is 4

  void start(std::int64_t now) { turned_ = now / kTimerTickNs; }

  // At the tick after `at_ns`, which is no further than the horizon.
  void push(std::uint64_t token, std::int64_t at_ns) {
    const std::int64_t tick = std::clamp(at_ns / kTimerTickNs + 1, turned_ + 1, turned_ + kBuckets - 1);
    buckets_[static_cast<std::size_t>(tick % kBuckets)].push_back(token);
  }

  template <class Wake>
  void turn(std::int64_t now, Wake&& wake) {
    const std::int64_t last = now / kTimerTickNs;
    for (std::int64_t n = 0; turned_ < last && n < kBuckets; ++n) {
      std::vector<std::uint64_t>& bucket = buckets_[static_cast<std::size_t>(++turned_ % kBuckets)];
      woken_.swap(bucket);
      bucket.clear();
      for (const std::uint64_t token : woken_) wake(token);
    }
    turned_ = last;
  }

 private:
  std::array<std::vector<std::uint64_t>, kBuckets> buckets_;
  std::vector<std::uint64_t> woken_;
  std::int64_t turned_ = 0;
};

}  // namespace ringweir::load
