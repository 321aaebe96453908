#include "ringweir/control/config_changes.h"

#include <algorithm>
#include <map>

namespace ringweir::control {
namespace {

std::string_view name_of(IoChoice io) noexcept {
  switch (io) {
    case IoChoice::automatic: return "auto";
    case IoChoice::uring: return "uring";
    case IoChoice::epoll: return "epoll";
  }
  return "";
}

std::string join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += ", ";
    text += part;
  }
  return text.empty() ? "none" : text;
}

class Lister {
 public:
  void add(std::string path, std::string text, bool restart_only = false) {
    list.push_back({std::move(path), std::move(text), restart_only, {}});
  }
  void add_secret(std::string path, const Secret& secret, bool restart_only) {
    list.push_back({std::move(path), secret.empty() ? "made at start" : "(secret)", restart_only, secret});
  }
  std::vector<Setting> list;
};

constexpr bool kRestartOnly = true;

void list_node(Lister& out, const Config& config) {
  const Node& node = config.node;
  out.add("node.name", node.name, kRestartOnly);
  out.add("node.shards", node.shards == 0 ? "auto" : std::to_string(node.shards), kRestartOnly);
  out.add("node.pin", node.pin ? "true" : "false", kRestartOnly);
  out.add("node.send_trains", node.send_trains ? "true" : "false", kRestartOnly);
  out.add("node.io", std::string(name_of(node.io)), kRestartOnly);
  out.add("node.drain", format_duration(node.drain));
  for (const Listener& listener : config.listeners) {
    const std::string path = "listeners." + listener.name;
    out.add(path + ".bind", to_string(listener.bind), kRestartOnly);
    out.add(path + ".transport", "udp", kRestartOnly);
    out.add(path + ".advertise", listener.advertise.empty() ? "none" : listener.advertise);
  }
}

void list_users(Lister& out, const Users& users) {
  switch (users.source) {
    case Users::Source::none: return out.add("auth.users", "none");
    case Users::Source::csv: return out.add("auth.users", "csv " + users.path.string());
    case Users::Source::sqlite: return out.add("auth.users", "sqlite " + users.path.string());
    case Users::Source::inline_: break;
  }
  out.add("auth.users", "inline, " + std::to_string(users.list.size()));
  for (const InlineUser& user : users.list) out.add_secret("auth.users." + user.name, user.password, false);
}

void list_auth(Lister& out, const Auth& auth) {
  if (!auth.enabled) return out.add("auth", "none");
  std::vector<std::string> algorithms, methods;
  for (const auth::Algorithm each : auth.algorithms) algorithms.emplace_back(auth::to_string(each));
  for (const sip::Method each : auth.methods) methods.emplace_back(sip::to_string(each));
  out.add("auth", "on");
  out.add("auth.realm", auth.realm);
  out.add("auth.algorithms", join(algorithms));
  out.add("auth.challenge", auth.challenge == Challenge::proxy ? "proxy" : "www");
  out.add("auth.methods", join(methods));
  out.add("auth.nonce.lifetime", format_duration(auth.nonce_lifetime));
  out.add("auth.check_uri", auth.check_uri ? "true" : "false");
  out.add("auth.nonce.replay", auth.replay_strict ? "strict" : "off");
  list_users(out, auth.users);
}

std::string passive_of(const Health& health) {
  const PassiveHealth passive = health.passive.value_or(PassiveHealth{.codes = {}});
  if (passive.eject == 0s) return "off";
  std::vector<std::string> on;
  for (const std::uint16_t code : passive.codes) on.push_back(std::to_string(code));
  if (passive.timeouts) on.push_back("timeouts");
  return std::to_string(passive.after) + " of " + join(on) + " eject for " + format_duration(passive.eject);
}

std::string failover_of(const Failover& failover) {
  std::vector<std::string> on;
  if (failover.on_timeout) on.push_back("timeout");
  if (failover.on_transport_error) on.push_back("transport_error");
  for (const std::uint16_t code : failover.codes) on.push_back(std::to_string(code));
  return join(on) + "; tries " + std::to_string(failover.tries);
}

void list_upstream(Lister& out, const Upstream& upstream) {
  const std::string path = "upstreams." + upstream.name;
  out.add(path + ".algorithm", std::string(to_string(upstream.algorithm)));
  for (const Target& target : upstream.targets) {
    std::string text = "weight " + std::to_string(target.weight);
    if (target.priority > 0) text += ", priority " + std::to_string(target.priority);
    out.add(path + ".targets." + target.uri, text);
  }
  const Health& health = upstream.health;
  out.add(path + ".health.probe", health.every == 0s
                                      ? "off"
                                      : health.method + " every " + format_duration(health.every) +
                                            ", timeout " + format_duration(health.timeout));
  out.add(path + ".health.fail", std::to_string(health.fail));
  out.add(path + ".health.rise", std::to_string(health.rise));
  out.add(path + ".health.passive", passive_of(health));
  out.add(path + ".failover", failover_of(upstream.failover));
  out.add(path + ".slow_start", format_duration(upstream.slow_start));
}

void list_proxy(Lister& out, const Proxy& proxy, const Dns& dns) {
  out.add("proxy.record_route", proxy.record_route ? "true" : "false");
  out.add("proxy.timer_c", format_duration(proxy.timer_c));
  out.add("proxy.max_breadth", std::to_string(proxy.max_breadth));
  out.add("proxy.forks", std::to_string(proxy.forks));
  std::vector<std::string> servers;
  for (const Endpoint& each : dns.servers) servers.push_back(to_string(each));
  out.add("dns.servers", servers.empty() ? "the machine's" : join(servers));
  out.add("dns.timeout", format_duration(dns.timeout));
  out.add("dns.tries", std::to_string(dns.tries));
  out.add("dns.ttl", format_duration(dns.ttl_min) + " to " + format_duration(dns.ttl_max));
}

std::string rewrite_of(const proxy::Action& action) {
  std::string text;
  if (action.strip > 0) text += ", strip " + std::to_string(action.strip);
  if (!action.prefix.empty()) text += ", prefix " + action.prefix;
  return text;
}

std::string describe(const proxy::Action& action, const Config& config) {
  const std::string reply = std::to_string(action.code) + (action.reason.empty() ? "" : " " + action.reason);
  switch (action.kind) {
    case proxy::Action::Kind::reply: return "reply " + reply;
    case proxy::Action::Kind::register_local: return "register local";
    case proxy::Action::Kind::lookup_location:
      return "lookup location, else " + (action.code ? reply : "480");
    case proxy::Action::Kind::redirect_location:
      return "redirect location, else " + (action.code ? reply : "480");
    case proxy::Action::Kind::redirect_upstream:
      return "redirect " + config.upstreams.at(action.upstream).name + rewrite_of(action);
    case proxy::Action::Kind::forward:
      return "forward " + config.upstreams.at(action.upstream).name +
             (action.stateless ? ", stateless" : "") + rewrite_of(action);
  }
  return "";
}

std::string describe(const proxy::Route& route, const Config& config) {
  std::string text;
  const proxy::Match& match = route.match;
  if (!match.methods.empty()) text += "method " + join(match.methods) + " ";
  if (match.local_domain) text += "domain local ";
  if (!match.domain.empty()) text += "domain " + match.domain + " ";
  if (match.has_user) text += "user " + match.user + " ";
  std::vector<std::string> sources;
  for (const Network& each : match.sources) sources.push_back(to_string(each));
  if (!sources.empty()) text += "source " + join(sources) + " ";
  return (text.empty() ? "everything: " : text.substr(0, text.size() - 1) + ": ") +
         describe(route.action, config);
}

void list_limits(Lister& out, const Limits& limits) {
  out.add("limits.max_message", format_size(limits.max_message));
  out.add("limits.per_source", limits.per_source ? std::to_string(limits.per_source->rate) + "/s, burst " +
                                                       std::to_string(limits.per_source->burst)
                                                 : "none");
  std::vector<std::string> trusted;
  for (const Network& network : limits.trusted) trusted.push_back(to_string(network));
  out.add("limits.trusted", join(trusted));
  out.add("limits.failed_auth", limits.failed_auth ? "true" : "false");
  out.add("limits.overload.enabled", limits.overload.enabled ? "true" : "false");
  out.add("limits.overload.target", format_duration(limits.overload.target));
  out.add("limits.overload.sieve", limits.overload.sieve ? "true" : "false");
}

}  // namespace

std::string format_duration(Duration d) {
  const std::int64_t ms = to_ms(d);
  constexpr std::pair<std::int64_t, const char*> kUnits[] = {
      {86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1'000, "s"}};
  if (ms == 0) return "0s";
  for (const auto& [unit, name] : kUnits) {
    if (ms % unit == 0) return std::to_string(ms / unit) + name;
  }
  return std::to_string(ms) + "ms";
}

std::string format_size(std::uint64_t octets) {
  constexpr std::pair<std::uint64_t, const char*> kUnits[] = {
      {1ull << 30, "GiB"}, {1ull << 20, "MiB"}, {1ull << 10, "KiB"}};
  for (const auto& [unit, name] : kUnits) {
    if (octets != 0 && octets % unit == 0) return std::to_string(octets / unit) + name;
  }
  return std::to_string(octets) + "B";
}

std::string describe_route(const Config& config, std::size_t index) {
  return describe(config.routes.at(index), config);
}

std::vector<Setting> settings(const Config& config) {
  Lister out;
  list_node(out, config);
  out.add("domains", join(config.domains));
  list_auth(out, config.auth);
  out.add("registrar.min_expires", format_duration(config.registrar.min_expires));
  out.add("registrar.default_expires", format_duration(config.registrar.default_expires));
  out.add("registrar.max_expires", format_duration(config.registrar.max_expires));
  out.add("registrar.max_contacts", std::to_string(config.registrar.max_contacts));
  out.add("registrar.max_bindings", std::to_string(config.registrar.max_bindings), kRestartOnly);
  for (const Upstream& upstream : config.upstreams) list_upstream(out, upstream);
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    out.add("routes." + std::to_string(i + 1), describe_route(config, i));
  }
  list_proxy(out, config.proxy, config.dns);
  list_limits(out, config.limits);
  out.add("trace.ring", std::to_string(config.trace.ring), kRestartOnly);
  out.add("trace.recording", config.trace.recording ? "true" : "false", kRestartOnly);
  out.add("admin.bind", config.admin.bind ? to_string(*config.admin.bind) : "off", kRestartOnly);
  out.add_secret("keys.secret", config.keys.secret, kRestartOnly);
  out.add("lab.enabled", config.lab.enabled ? "true" : "false", kRestartOnly);
  return std::move(out.list);
}

Changes describe_changes(const Config& before, const Config& after) {
  Changes changes;
  const auto note = [&](const Setting& s, const std::string& from, const std::string& to) {
    std::string text = s.path + ": " + (from == to ? "changed" : from + " -> " + to);
    if (s.restart_only) {
      changes.needs_restart.push_back(std::move(text) + "; it is read at start only: restart to change it");
    } else {
      changes.applied.push_back(std::move(text));
    }
  };
  std::map<std::string_view, const Setting*> old;
  const std::vector<Setting> old_list = settings(before);
  for (const Setting& s : old_list) old.emplace(s.path, &s);
  const std::vector<Setting> new_list = settings(after);
  for (const Setting& s : new_list) {
    const auto found = old.find(s.path);
    if (found == old.end()) {
      note(s, "none", s.text);
      continue;
    }
    if (found->second->text != s.text || !(found->second->identity == s.identity))
      note(s, found->second->text, s.text);
    old.erase(found);
  }
  for (const Setting& s : old_list) {
    if (old.contains(s.path)) note(s, s.text, "none");
  }
  return changes;
}

}  // namespace ringweir::control
