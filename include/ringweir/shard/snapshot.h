// The configuration as shards read it: immutable, published whole to each shard, freed when all have let go.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ringweir/auth/authenticate.h"
#include "ringweir/auth/credentials.h"
#include "ringweir/balance/upstream.h"
#include "ringweir/base/hash.h"
#include "ringweir/proxy/domain_set.h"
#include "ringweir/proxy/policy.h"
#include "ringweir/proxy/route_table.h"
#include "ringweir/registrar/registrar.h"
#include "ringweir/shard/limits_policy.h"
#include "ringweir/sip/method.h"

namespace ringweir::shard {

struct Snapshot {
  std::uint64_t generation = 0;
  proxy::DomainSet domains;
  proxy::RouteTable routes;
  bool authenticates = false;              // an auth section with users
  std::uint32_t methods_authenticated = 0; // one bit a sip::Method
  auth::Policy auth;
  std::shared_ptr<const auth::Credentials> users;
  registrar::Policy registrar;
  std::vector<balance::Upstream> upstreams;  // as proxy::Action::upstream counts them; their TargetStates outlive this
  std::vector<proxy::SocketFace> sockets;  // one a listener, by io::SocketIndex
  proxy::Policy proxy;
  Key128 route_key{};                      // signs routes; the same on every edge that has the same keys.secret
  LimitsPolicy limits;
  std::vector<std::string> sieve_hosts;    // names of ours as a Request-URI has them, lower case; at most io::SievePattern::kHostsMax
  std::uint32_t message_bytes_max = 65'535;
  std::string server;                      // the Server header field's value; empty: none

  bool must_authenticate(sip::Method method) const noexcept {
    return authenticates && (methods_authenticated >> static_cast<unsigned>(method) & 1);
  }
};

}  // namespace ringweir::shard
