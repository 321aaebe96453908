#include "control/config_sections.h"
#include "ringweir/base/limits.h"
#include "ringweir/sip/uri.h"

namespace ringweir::control {
namespace {

constexpr std::uint32_t kWeightMax = 1'000;
constexpr std::uint32_t kPriorityMax = 100;

// An address in its one notation, or a name in lower case; nullopt when the URI's host is neither.
std::optional<std::string> host_of(const sip::Uri& uri) {
  std::string_view host = uri.host;
  if (const auto ip = parse_ip(host)) return to_string(*ip);
  if (!is_host_name(host) || host.find_first_not_of("0123456789.") == host.npos) return std::nullopt;
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string name(host);
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return name;
}

// Two spellings of one address are one target; of a name without port only DNS knows the port.
bool same_place(const Target& a, const Target& b) {
  const bool numeric = parse_ip(a.host).has_value();
  const auto port = [numeric](const Target& t) { return t.port == 0 && numeric ? 5060 : t.port; };
  return a.host == b.host && port(a) == port(b);
}

bool read_place(Reader& reader, const YamlNode& node, Target& target) {
  const auto uri = sip::parse_uri(target.uri);
  const bool is_sip = uri && (uri->scheme == sip::Scheme::sip || uri->scheme == sip::Scheme::sips);
  const auto host = is_sip ? host_of(*uri) : std::nullopt;
  if (!host) {
    reader.report(node.at, in_quotes(target.uri) +
                               " is not a SIP URI: write sip:192.0.2.11 or sip:pbx.example.com:5060");
    return false;
  }
  const auto transport = sip::parameter(uri->parameters, "transport");
  if (uri->scheme == sip::Scheme::sips) {
    reader.not_yet(node.at, "targets by TLS (sips:)");
  } else if (transport && *transport != "udp") {
    reader.not_yet(node.at, "targets by another transport than UDP");
  } else if (!uri->user.empty()) {
    reader.report(node.at, "a target is a host, the user " + in_quotes(uri->user) + " has no place in it");
  } else {
    target.host = *host;
    target.port = uri->port;
    return true;
  }
  return false;
}

// A target is reached from a listener's socket of its family; one on [::] speaks both.
bool is_reachable(const IpAddress& ip, const std::vector<Listener>& listeners) {
  return listeners.empty() || std::ranges::any_of(listeners, [&](const Listener& listener) {
           const IpAddress& bound = listener.bind.ip;
           return bound.is_v4() == ip.is_v4() || (!bound.is_v4() && bound.is_unspecified());
         });
}

void read_target(Reader& reader, const YamlNode& item, const std::vector<Listener>& listeners,
                 std::vector<Target>& targets) {
  Section section(reader, item, "upstreams.targets");
  Target target;
  section.number("weight", target.weight, 1, kWeightMax);
  section.number("priority", target.priority, 0, kPriorityMax);
  const YamlNode* node = section.need("uri", "{ uri: \"sip:192.0.2.11\" }");
  if (!node || !section.text("uri", target.uri, 255) || !read_place(reader, *node, target)) return;
  if (const auto ip = parse_ip(target.host); ip && !is_reachable(*ip, listeners)) {
    return reader.report(node->at, in_quotes(target.uri) + " cannot be reached: no listener speaks " +
                                       (ip->is_v4() ? "IPv4" : "IPv6"));
  }
  const auto same = std::ranges::find_if(targets, [&](const Target& t) { return same_place(t, target); });
  if (same != targets.end()) {
    return reader.report(node->at, "the target " + in_quotes(target.uri) + " is listed twice");
  }
  if (targets.size() == limits::kTargetsPerUpstreamMax) {
    return reader.report(item.at, "more than " + std::to_string(limits::kTargetsPerUpstreamMax) + " targets");
  }
  targets.push_back(std::move(target));
}

bool read_codes(Section& section, std::vector<std::uint16_t>& codes) {
  std::vector<std::uint16_t> read;
  const bool listed = section.list("codes", [&](const YamlNode& item) {
    if (const auto code = read_status(section.reader(), item, section.path("codes"), 300))
      read.push_back(*code);
  });
  if (listed) codes = std::move(read);
  return listed;
}

void read_health(Section& upstream, Health& health) {
  const YamlNode* found = upstream.take("health");
  if (!found) return;
  Section section(upstream.reader(), *found, "upstreams.health");
  if (const YamlNode* method = section.take("method")) {
    if (const auto text = read_method(upstream.reader(), *method, "upstreams.health.method"))
      health.method = *text;
    // A probe begins or ends nothing that somebody would have to end or miss.
    constexpr std::string_view kNotProbes[] = {"INVITE",   "ACK",   "CANCEL", "BYE",
                                               "REGISTER", "PRACK", "UPDATE"};
    if (std::ranges::find(kNotProbes, health.method) != std::end(kNotProbes)) {
      upstream.reader().report(method->at,
                               "upstreams.health.method: " + health.method +
                                   " changes calls or registrations; a probe is an OPTIONS, or another "
                                   "method that changes nothing");
    }
  }
  section.duration("every", health.every, 0s, 24h);
  section.duration("timeout", health.timeout, 10ms, 1min);
  section.number("fail", health.fail, 1, 100);
  section.number("rise", health.rise, 1, 100);
  const YamlNode* passive = section.take("passive");
  if (!passive) return;
  Section shape(upstream.reader(), *passive, "upstreams.health.passive");
  PassiveHealth read;
  read_codes(shape, read.codes);
  shape.duration("eject", read.eject, 0s, 24h);
  shape.number("after", read.after, 1, 100);
  shape.boolean("timeouts", read.timeouts);
  health.passive = std::move(read);
}

void read_failover(Section& upstream, Failover& failover) {
  const YamlNode* found = upstream.take("failover");
  if (!found) return;
  Section section(upstream.reader(), *found, "upstreams.failover");
  section.number("tries", failover.tries, 1, 16);
  Failover read{.on_timeout = false, .on_transport_error = false, .codes = {}, .tries = failover.tries};
  const bool listed = section.list("on", [&](const YamlNode& item) {
    Reader& reader = upstream.reader();
    const std::string* text = reader.plain(item, "upstreams.failover.on");
    if (!text) return;
    if (*text == "timeout") {
      read.on_timeout = true;
    } else if (*text == "transport_error") {
      read.on_transport_error = true;
    } else if (parse_number(*text)) {
      if (const auto code = read_status(reader, item, "upstreams.failover.on", 300))
        read.codes.push_back(*code);
    } else {
      constexpr std::string_view kNames[] = {"timeout", "transport_error", "503"};
      reader.report(item.at, Reader::none_of(*text, "upstreams.failover.on", kNames));
    }
  });
  if (listed) failover = std::move(read);
}

void read_upstream(Reader& reader, const YamlNode& item, Config& config) {
  std::vector<Upstream>& upstreams = config.upstreams;
  Section section(reader, item, "upstreams");
  Upstream upstream;
  const YamlNode* name = section.need("name", "name: pbx");
  const bool named = name && section.text("name", upstream.name, 64);
  std::vector<std::pair<std::string_view, balance::Algorithm>> algorithms;
  for (const std::string_view each : balance::kAlgorithmNames)
    algorithms.emplace_back(each, *balance::algorithm_named(each));
  section.choice<balance::Algorithm>("algorithm", upstream.algorithm, algorithms);
  if (section.need("targets", "targets: [ { uri: \"sip:192.0.2.11\" } ]")) {
    section.list("targets", [&](const YamlNode& target) {
      read_target(reader, target, config.listeners, upstream.targets);
    });
  }
  read_health(section, upstream.health);
  read_failover(section, upstream.failover);
  section.duration("slow_start", upstream.slow_start, 0s, 1h);
  if (!named) return;
  if (!is_token(upstream.name) || upstream.name == "location" || upstream.name == "local") {
    reader.report(name->at, in_quotes(upstream.name) + " cannot be an upstream's name");
  } else if (std::ranges::find(upstreams, upstream.name, &Upstream::name) != upstreams.end()) {
    reader.report(name->at, "an upstream named " + in_quotes(upstream.name) + " stands here already");
  } else {
    upstreams.push_back(std::move(upstream));
  }
}

}  // namespace

void read_upstreams(Section& root, Config& config) {
  std::vector<Upstream>& upstreams = config.upstreams;
  root.list("upstreams", [&](const YamlNode& item) {
    if (upstreams.size() == limits::kUpstreamsMax) {
      return root.reader().report(item.at,
                                  "more than " + std::to_string(limits::kUpstreamsMax) + " upstreams");
    }
    read_upstream(root.reader(), item, config);
  });
}

}  // namespace ringweir::control
