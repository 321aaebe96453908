// What the configuration says about an upstream's health and failover. Plain values.
#pragma once
#include <array>
#include <cstdint>

#include "ringweir/base/time.h"

namespace ringweir::balance {

// A set of SIP status codes, 100 to 699.
class StatusSet {
 public:
  constexpr StatusSet() noexcept = default;
  template <class... Codes>
  static constexpr StatusSet of(Codes... codes) noexcept {
    StatusSet set;
    (set.add(static_cast<std::uint16_t>(codes)), ...);
    return set;
  }
  constexpr void add(std::uint16_t status) noexcept {
    if (status < kCodes) words_[status / 64] |= std::uint64_t{1} << (status % 64);
  }
  constexpr bool has(std::uint16_t status) const noexcept {
    return status < kCodes && (words_[status / 64] >> (status % 64) & 1) != 0;
  }
  friend constexpr bool operator==(const StatusSet&, const StatusSet&) noexcept = default;

 private:
  static constexpr std::uint16_t kCodes = 704;
  std::array<std::uint64_t, kCodes / 64> words_{};
};

// What ordinary traffic tells about a target. A bad outcome is a status in `codes` or, with `timeouts`, a
// transaction that timed out; `after` of them in a row, with no other answer between, eject the target.
struct Passive {
  StatusSet codes{};
  bool timeouts = true;
  std::uint8_t after = 3;     // at least 1
  Duration eject = 30s;       // the first ejection; 0: nothing is ever ejected
  Duration eject_max = 5min;  // each ejection soon after the last one takes twice as long, up to this
};

// Active probes: `fail` bad ones in a row take a target down, `rise` good ones bring it back.
struct Probing {
  Duration every = 10s;
  std::uint8_t fail = 3, rise = 2;  // at least 1
};

struct Failover {
  bool on_timeout = true, on_transport_error = true;
  StatusSet codes{};
  std::uint32_t tries = 2;  // targets tried for one request, the first included
  constexpr bool on(std::uint16_t status) const noexcept { return codes.has(status); }
};

}  // namespace ringweir::balance
