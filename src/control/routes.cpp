#include "ringweir/control/routes.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace ringweir::control {
namespace {

// Every address of this machine in the family of `wildcard`. [::] takes IPv4 as well.
std::vector<IpAddress> machine_addresses(const IpAddress& wildcard) {
  std::vector<IpAddress> found;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return found;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);
  for (const ifaddrs* each = list; each; each = each->ifa_next) {
    if (!each->ifa_addr) continue;
    if (each->ifa_addr->sa_family == AF_INET) {
      sockaddr_in in;
      std::memcpy(&in, each->ifa_addr, sizeof in);
      const auto* octets = reinterpret_cast<const std::uint8_t*>(&in.sin_addr);
      found.push_back(IpAddress::v4(octets[0], octets[1], octets[2], octets[3]));
    } else if (each->ifa_addr->sa_family == AF_INET6 && !wildcard.is_v4()) {
      sockaddr_in6 in6;
      std::memcpy(&in6, each->ifa_addr, sizeof in6);
      IpAddress ip;
      std::memcpy(ip.octets.data(), &in6.sin6_addr, sizeof in6.sin6_addr);
      found.push_back(ip);
    }
  }
  return found;
}

constexpr std::uint16_t kSipPort = 5060;

// What others call this socket: the bound address, or for a wildcard the machine's, loopback and link-local
// ones last.
IpAddress reachable(const IpAddress& bound) {
  if (!bound.is_unspecified()) return bound;
  const auto rank = [&](const IpAddress& ip) {
    const bool link_local = ip.is_v4() ? ip.octets[12] == 169 && ip.octets[13] == 254
                                       : ip.octets[0] == 0xfe && (ip.octets[1] & 0xc0) == 0x80;
    return ip.is_loopback() ? 2 : link_local ? 1 : 0;
  };
  IpAddress best = bound.is_v4() ? IpAddress::v4(127, 0, 0, 1) : *parse_ip("::1");
  for (const IpAddress& ip : machine_addresses(bound)) {
    if (ip.is_v4() == bound.is_v4() && rank(ip) < rank(best)) best = ip;
  }
  return best;
}

std::string host_text(const IpAddress& ip) {
  char text[kIpTextMax + 2];
  return {text, format_host(ip, text)};
}

// As it stands in Via. The port only where it is not the one that its absence means (RFC 3261 18.2.2).
std::string sent_by(const std::string& advertise, const Endpoint& bound) {
  std::string text = advertise.empty() ? host_text(reachable(bound.ip)) : advertise;
  if (const auto ip = parse_ip(text)) text = host_text(*ip);
  const std::size_t bracket = text.rfind(']');
  const bool has_port = text.find(':', bracket == text.npos ? 0 : bracket) != text.npos;
  return has_port || bound.port == kSipPort ? text : text + ':' + std::to_string(bound.port);
}

// "edge.example.com:5061" is ours as edge.example.com on every port.
std::string advertised_host(const std::string& advertise) {
  if (const auto endpoint = parse_endpoint(advertise)) return to_string(endpoint->ip);
  return advertise.substr(0, advertise.rfind(':'));
}

}  // namespace

std::vector<proxy::Route> default_routes() {
  using Kind = proxy::Action::Kind;
  std::vector<proxy::Route> routes(3);
  routes[0].match.methods = {"REGISTER"};
  routes[0].action = {Kind::register_local, 0, {}};
  routes[1].match.local_domain = true;
  routes[1].action = {Kind::lookup_location, 404, {}};
  routes[2].action = {Kind::reply, 403, {}};
  return routes;
}

proxy::RouteTable make_route_table(const Config& config) {
  return proxy::RouteTable(config.routes);
}

proxy::DomainSet make_domain_set(const Config& config, std::span<const Endpoint> bound) {
  std::vector<std::string> names = config.domains;
  for (const Listener& listener : config.listeners) {
    if (!listener.advertise.empty()) names.push_back(advertised_host(listener.advertise));
  }
  std::vector<Endpoint> endpoints;
  for (const Endpoint& each : bound) {
    if (config.lab.enabled) {
      for (const char* loopback : {"127.0.0.1", "::1"}) endpoints.push_back({*parse_ip(loopback), each.port});
    }
    if (!each.ip.is_unspecified()) {
      endpoints.push_back(each);
      continue;
    }
    for (const IpAddress& ip : machine_addresses(each.ip)) endpoints.push_back({ip, each.port});
  }
  if (config.lab.enabled) names.push_back("localhost");
  return proxy::DomainSet(names, endpoints);
}

proxy::DomainSet make_domain_set(const Config& config) {
  std::vector<Endpoint> bound;
  for (const Listener& listener : config.listeners) bound.push_back(listener.bind);
  return make_domain_set(config, bound);
}

auth::Policy make_auth_policy(const Auth& auth) {
  auth::Policy policy;
  policy.realm = auth.realm;
  policy.algorithms = auth.algorithms;
  policy.proxy = auth.challenge == Challenge::proxy;
  policy.nonce_lifetime_ms = to_ms(auth.nonce_lifetime);
  policy.check_uri = auth.check_uri;
  policy.replay_strict = auth.replay_strict;
  return policy;
}

std::uint32_t make_method_set(const Auth& auth) {
  std::uint32_t set = 0;
  for (const sip::Method method : auth.methods) set |= 1u << static_cast<unsigned>(method);
  return set;
}

registrar::Policy make_registrar_policy(const Registrar& registrar) {
  registrar::Policy policy;
  policy.min_expires_s = static_cast<std::uint32_t>(to_s(registrar.min_expires));
  policy.default_expires_s = static_cast<std::uint32_t>(to_s(registrar.default_expires));
  policy.max_expires_s = static_cast<std::uint32_t>(to_s(registrar.max_expires));
  policy.contacts_max = registrar.max_contacts;
  return policy;
}

shard::LimitsPolicy make_limits_policy(const Limits& limits) {
  shard::LimitsPolicy policy;
  if (limits.per_source) policy.per_source = TokenRate::per_second(limits.per_source->rate, limits.per_source->burst);
  policy.trusted = limits.trusted;
  policy.failed_auth = limits.failed_auth;
  policy.overload = {limits.overload.enabled, limits.overload.target, limits.overload.sieve};
  return policy;
}

std::vector<std::string> make_sieve_hosts(const Config& config, std::span<const proxy::SocketFace> sockets) {
  std::vector<std::string> hosts;
  const auto add = [&](std::string host) {
    for (char& c : host) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    const bool is_new = std::ranges::find(hosts, host) == hosts.end();
    if (is_new && hosts.size() < io::SievePattern::kHostsMax) hosts.push_back(std::move(host));
  };
  for (const proxy::SocketFace& socket : sockets) {
    add(socket.sent_by);
    if (socket.bound.ip.is_unspecified()) continue;
    add(to_string(socket.bound));
    if (socket.bound.port == 5060) add(to_string(socket.bound.ip));
  }
  for (const std::string& domain : config.domains) add(domain);
  return hosts;
}

proxy::Policy make_proxy_policy(const Proxy& proxy) {
  proxy::Policy policy;
  policy.record_route = proxy.record_route;
  policy.timer_c = proxy.timer_c;
  policy.max_breadth = proxy.max_breadth;
  policy.forks_max = proxy.forks;
  return policy;
}

std::vector<proxy::SocketFace> make_sockets(const Config& config, std::span<const Endpoint> bound) {
  std::vector<proxy::SocketFace> sockets;
  for (std::size_t i = 0; i < config.listeners.size() && i < bound.size(); ++i) {
    sockets.push_back({sent_by(config.listeners[i].advertise, bound[i]), bound[i], !bound[i].ip.is_v4()});
  }
  return sockets;
}

Key128 make_route_key(const Keys& keys, const Key128& random) {
  if (keys.secret.empty()) return random;
  const Hash128 hash =
      siphash128({0x726f7574, 0x65746167}, keys.secret.reveal());  // fixed, unlike the nonces'
  return {hash.low, hash.high};
}

}  // namespace ringweir::control
