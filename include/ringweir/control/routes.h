// From the configuration to what shards read.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ringweir/control/config.h"
#include "ringweir/proxy/domain_set.h"
#include "ringweir/proxy/route_table.h"
#include "ringweir/registrar/registrar.h"

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

}  // namespace ringweir::control
