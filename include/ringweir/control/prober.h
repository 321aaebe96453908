// Active health probes: one thread, which asks every target by an OPTIONS (or another method) of its own
// socket whether it is there. A connected socket, so that an ICMP refusal is told at once, and a source port
// that nothing else of ours has. What comes of it goes to the TargetState; shards read that.
//
// Any final response means alive but one of the configured codes. A probe is repeated as RFC 3261 17.1.2.2
// says (500 ms, 1 s, ...) until its timeout. At most kInFlightMax at once; the others wait for a place.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ringweir/balance/target_state.h"
#include "ringweir/balance/upstream.h"
#include "ringweir/base/address.h"
#include "ringweir/control/config.h"
#include "ringweir/io/open_error.h"

namespace ringweir::control {

enum class ProbeOutcome : std::uint8_t {
  answered,    // alive
  bad_status,  // a final response with a configured code
  timeout,
  unreachable,  // ICMP, or no route
  not_sent,     // no socket: says nothing about the target
  count_
};
std::string_view to_string(ProbeOutcome outcome) noexcept;

struct ProbeTarget {
  std::string upstream;
  Endpoint endpoint;
  std::string uri;
  balance::TargetState* state = nullptr;  // outlives the prober
  std::string method = "OPTIONS";
  Duration timeout = 2s;
  balance::Probing probing;  // every: 0 stops
  balance::StatusSet bad;    // final responses that mean trouble
};
// What a configuration wants probed; a target for each of `upstreams`, which were made of it.
std::vector<ProbeTarget> probe_targets(const Config& config, std::span<const balance::Upstream> upstreams);

struct LastProbe {
  ProbeOutcome outcome = ProbeOutcome::answered;
  std::uint16_t status = 0;  // with answered and bad_status
  Duration took{};
  Instant at{};  // of its end
};

class Prober {
 public:
  static constexpr std::size_t kInFlightMax = 512;

  Prober();
  ~Prober();  // stops
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  io::Opened start();
  void stop() noexcept;

  // Any thread.
  // From now on these and no others. One that was there already keeps its turn; one whose probing ends is
  // told so.
  void watch(std::vector<ProbeTarget> targets);
  std::optional<LastProbe> last(std::string_view upstream, const Endpoint& endpoint) const;
  std::uint64_t count(ProbeOutcome outcome) const noexcept {
    return counts_[static_cast<std::size_t>(outcome)].load(std::memory_order_relaxed);
  }

 private:
  struct Running;
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(ProbeOutcome::count_)> counts_{};
  std::unique_ptr<Running> running_;
};

}  // namespace ringweir::control
