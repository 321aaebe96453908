#include "control/config_sections.h"
#include "ringweir/sip/uri.h"

namespace ringweir::control {
namespace {

constexpr std::pair<std::string_view, Balancing> kBalancings[] = {
    {"call_id_hash", Balancing::call_id_hash},
    {"round_robin", Balancing::round_robin},
    {"weighted", Balancing::weighted},
    {"least_calls", Balancing::least_calls},
    {"least_outstanding", Balancing::least_outstanding},
    {"peak_ewma", Balancing::peak_ewma},
    {"hash_from", Balancing::hash_from},
    {"hash_to", Balancing::hash_to},
    {"hash_uri", Balancing::hash_uri}};
constexpr std::uint32_t kWeightMax = 1'000;
constexpr std::size_t kUpstreamsMax = 1'000;
constexpr std::size_t kTargetsMax = 10'000;

void read_target(Reader& reader, const YamlNode& item, std::vector<Target>& targets) {
  Section section(reader, item, "upstreams.targets");
  Target target;
  section.number("weight", target.weight, 0, kWeightMax);
  const YamlNode* node = section.need("uri", "{ uri: \"sip:192.0.2.11\" }");
  if (!node || !section.text("uri", target.uri, 255)) return;
  const auto uri = sip::parse_uri(target.uri);
  if (!uri || (uri->scheme != sip::Scheme::sip && uri->scheme != sip::Scheme::sips) || uri->host.empty()) {
    return reader.report(node->at, in_quotes(target.uri) +
                                       " is not a SIP URI: write sip:192.0.2.11 or sip:pbx.example.com:5060");
  }
  const auto transport = sip::parameter(uri->parameters, "transport");
  if (uri->scheme == sip::Scheme::sips) return reader.not_yet(node->at, "targets by TLS (sips:)");
  if (transport && *transport != "udp")
    return reader.not_yet(node->at, "targets by another transport than UDP");
  if (std::ranges::find(targets, target.uri, &Target::uri) != targets.end()) {
    return reader.report(node->at, "the target " + in_quotes(target.uri) + " is listed twice");
  }
  if (targets.size() == kTargetsMax) return reader.report(item.at, "too many targets");
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
  }
  section.duration("every", health.every, 0s, 24h);
  section.number("fail", health.fail, 1, 100);
  section.number("rise", health.rise, 1, 100);
  const YamlNode* passive = section.take("passive");
  if (!passive) return;
  Section shape(upstream.reader(), *passive, "upstreams.health.passive");
  PassiveHealth read;
  read_codes(shape, read.codes);
  shape.duration("eject", read.eject, 1s, 24h);
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

void read_upstream(Reader& reader, const YamlNode& item, std::vector<Upstream>& upstreams) {
  Section section(reader, item, "upstreams");
  Upstream upstream;
  const YamlNode* name = section.need("name", "name: pbx");
  const bool named = name && section.text("name", upstream.name, 64);
  section.choice<Balancing>("algorithm", upstream.algorithm, kBalancings);
  if (section.need("targets", "targets: [ { uri: \"sip:192.0.2.11\" } ]")) {
    section.list("targets", [&](const YamlNode& target) { read_target(reader, target, upstream.targets); });
  }
  read_health(section, upstream.health);
  read_failover(section, upstream.failover);
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

void read_upstreams(Section& root, std::vector<Upstream>& upstreams) {
  const YamlEntry* entry = root.entry("upstreams");
  if (!entry) return;
  root.reader().not_yet(entry->key_at, "upstreams (it forwards no requests)");
  root.list("upstreams", [&](const YamlNode& item) {
    if (upstreams.size() == kUpstreamsMax) return root.reader().report(item.at, "too many upstreams");
    read_upstream(root.reader(), item, upstreams);
  });
}

}  // namespace ringweir::control
