// A farm of SIP servers behind the real balance module, as a discrete-event model with one history a seed.
//
// Calls arrive at random (Poisson) and never wait for one another. A target is one server with one FIFO
// queue; an INVITE costs it more than a BYE, an ACK a little. Calls last from a second to minutes. The edge
// learns of a target what a real one would: what it sent there and when responses came back, one network
// delay later. There are no retransmissions (they would only add to a queue that is already too long) and no
// health checks.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ringweir/balance/algorithm.h"
#include "ringweir/base/time.h"

namespace ringweir::balance_model {

struct Scenario {
  std::string name;
  std::uint32_t targets = 8;
  std::uint32_t slow = 0;      // how many of them run at half speed
  bool weights_known = false;  // the operator gave the others twice the weight
};

// Means, in seconds of a target at full speed. Half of each is fixed, half is exponential.
inline constexpr double kInvite = 5.0e-3;
inline constexpr double kBye = kInvite / 1.75;
inline constexpr double kAck = 0.2e-3;      // fixed
inline constexpr double kNetwork = 0.2e-3;  // one way
inline constexpr double kTimeout = 32;      // RFC 3261 timers B and F: later is as good as never

// Calls a second that the whole farm can serve, whoever balances it.
double capacity(const Scenario& scenario);

struct Run {
  Scenario scenario;
  balance::Algorithm algorithm{};
  double load = 0.5;  // offered, of the capacity
  std::uint64_t seed = 1;
  double warm_up = 60, measured = 60;  // seconds
};

struct Result {
  double offered = 0, answered = 0;            // calls a second; answered within kTimeout
  double mean = 0, p50 = 0, p95 = 0, p99 = 0;  // seconds from INVITE to its response
  double most_share = 0;                       // of the calls, at the target that got most
  bool counters_zero = false;                  // every target's calls and transactions, when all is over
};

Result simulate(const Run& run);

}  // namespace ringweir::balance_model
