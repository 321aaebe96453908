// How much each of very many may ask for, in memory that does not grow: token buckets by hashed key, e.g. the
// address a request came from. A bucket holds at most `burst` tokens and gains `rate` a second; who finds
// none is over the limit.
//
// What is kept of a bucket is one moment (the generic cell rate algorithm, ITU-T I.371): when it will be full
// again. Four buckets share a cache line, found by a keyed hash, so that nobody can aim at another's. A key
// that is new to a full line takes the place of the bucket that will be full soonest: a full one has nothing
// to remember, and the worst offenders are forgotten last. So one operation is one cache miss, and forgetting
// can only let more through.
//
// May be shared by threads: every word is atomic, and two keys that race for a place cost one of them its
// past. No allocation after construction; pages that are never used are never resident. Time is a parameter
// (not before its epoch).
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "ringweir/base/address.h"
#include "ringweir/base/hash.h"
#include "ringweir/base/time.h"

namespace ringweir {

struct TokenRate {
  Duration interval{};   // from one token to the next
  Duration tolerance{};  // (burst - 1) intervals
  // Both at least 1; at most 10^9 tokens a second, and a burst that is gained within a year.
  static TokenRate per_second(std::uint64_t rate, std::uint32_t burst) noexcept;
  static TokenRate every(Duration interval, std::uint32_t burst) noexcept {
    return {interval, interval * (burst - 1)};
  }
};

class TokenBuckets {
 public:
  static constexpr std::uint32_t kBucketsDefault = 1u << 16;  // 16 octets each

  // `buckets` is rounded up to whole lines of four.
  explicit TokenBuckets(const Key128& key, std::uint32_t buckets = kBucketsDefault);
  TokenBuckets(const TokenBuckets&) = delete;
  TokenBuckets& operator=(const TokenBuckets&) = delete;

  // Keys: an IPv4 address, or an IPv6 address's first 64 bits, which are what one customer is given (RFC
  // 6177). Any text may be appended, for buckets of pairs; `kind` keeps keys of different meaning apart.
  std::uint64_t key(const IpAddress& source, std::string_view text = {},
                    std::uint8_t kind = 0) const noexcept;
  std::uint64_t key(std::string_view text, std::uint8_t kind) const noexcept;

  // Takes a token; false when there is none.
  bool take(std::uint64_t key, const TokenRate& rate, Instant now) noexcept;
  bool take(const IpAddress& source, const TokenRate& rate, Instant now) noexcept {
    return take(key(source), rate, now);
  }

  // How long until take() would succeed; zero: now.
  Duration until_token(std::uint64_t key, const TokenRate& rate, Instant now) const noexcept;
  // Whether nothing has been taken lately.
  bool is_full(std::uint64_t key, Instant now) const noexcept;
  // Takes a token, or leaves the bucket empty when there is none.
  void charge(std::uint64_t key, const TokenRate& rate, Instant now) noexcept;

  std::uint32_t buckets() const noexcept { return lines_count_ * kWays; }

 private:
  static constexpr std::uint32_t kWays = 4;
  struct Bucket {
    std::atomic<std::uint64_t> key;        // 0: none
    std::atomic<std::int64_t> full_at_ns;  // since the clock's epoch
  };
  struct alignas(64) Line {
    Bucket ways[kWays];
  };
  struct Free {
    void operator()(void* memory) const noexcept;
  };
  const Bucket* find(std::uint64_t key) const noexcept;
  Bucket& claim(std::uint64_t key) noexcept;

  KeyedHash hash_;
  std::uint32_t lines_count_;
  std::unique_ptr<void, Free> memory_;
  Line* lines_;
};

}  // namespace ringweir
