// What the proxy is told by the configuration besides routes: its faces to the network and its bounds. Built once by control,
// then read by every shard: no change.
#pragma once
#include <cstdint>
#include <string>

#include "ringweir/base/address.h"
#include "ringweir/base/time.h"

namespace ringweir::proxy {

// One listener, seen from outside: what stands in Via and Record-Route (RFC 3261 18.1.1, 16.6 step 4).
struct SocketFace {
  std::string sent_by;  // host or host:port: the advertised name, else the bound address; an IPv6 reference in brackets
  Endpoint bound;
  bool v6 = false;      // speaks IPv6; one bound to [::] speaks IPv4 as well
};

struct Policy {
  Duration timer_c = 185s;       // RFC 3261 16.6 step 11: more than three minutes
  Duration failover_after = 2s;  // a target that has said nothing for so long although asked again: another one is tried
  bool record_route = true;
  std::uint32_t forks_max = 8;   // branches tried at the same time for one request
  std::uint32_t max_breadth = 60;  // RFC 5393 5.3.1
};

}  // namespace ringweir::proxy
