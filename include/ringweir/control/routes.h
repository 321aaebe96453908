// From the configuration to what shards read.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ringweir/control/config.h"
#include "ringweir/base/hash.h"
#include "ringweir/io/sieve_pattern.h"
#include "ringweir/proxy/domain_set.h"
#include "ringweir/proxy/policy.h"
#include "ringweir/proxy/route_table.h"
#include "ringweir/registrar/registrar.h"
#include "ringweir/shard/limits_policy.h"

namespace ringweir::control {

// Where a file has no routes: REGISTER to the registrar, our users by their bindings (404 where nobody is
// registered), and 403 for everything else.
std::vector<proxy::Route> default_routes();

proxy::RouteTable make_route_table(const Config& config);

// Our names: `domains`, what listeners advertise, in a lab localhost; and the addresses in `bound`, where the
// sockets really are (a configured port may be 0). A wildcard address stands for every address of this
// machine as it is now.
proxy::DomainSet make_domain_set(const Config& config, std::span<const Endpoint> bound);
// With the listeners' configured addresses, for who opens no socket (`ringweir check --explain`).
proxy::DomainSet make_domain_set(const Config& config);

auth::Policy make_auth_policy(const Auth& auth);
std::uint32_t make_method_set(const Auth& auth);  // one bit a sip::Method: which must authenticate
registrar::Policy make_registrar_policy(const Registrar& registrar);
proxy::Policy make_proxy_policy(const Proxy& proxy);
shard::LimitsPolicy make_limits_policy(const Limits& limits);
// What new requests for us have for a host (shard::Snapshot::sieve_hosts): as many as there is room for, the likeliest first.
std::vector<std::string> make_sieve_hosts(const Config& config, std::span<const proxy::SocketFace> sockets);

// One a listener, where its socket really is. A wildcard address that nothing is advertised for stands in Via as an address
// of this machine in its family, one that others can reach if there is any.
std::vector<proxy::SocketFace> make_sockets(const Config& config, std::span<const Endpoint> bound);

// Signs routes: the same wherever keys.secret is the same. `random` where there is none.
Key128 make_route_key(const Keys& keys, const Key128& random);

}  // namespace ringweir::control
