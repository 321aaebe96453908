#include "control/config_sections.h"

namespace ringweir::control {
namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr std::size_t kServersMax = 8;

}  // namespace

void read_proxy(Section& root, Proxy& proxy) {
  const YamlNode* found = root.take("proxy");
  if (!found) return;
  Section section(root.reader(), *found, "proxy");
  section.boolean("record_route", proxy.record_route);
  section.duration("timer_c", proxy.timer_c, 181s, 1h);  // RFC 3261 16.6 step 11: larger than three minutes
  section.number("max_breadth", proxy.max_breadth, 1, 60);
  section.number("forks", proxy.forks, 1, 32);
}

void read_dns(Section& root, Dns& dns) {
  const YamlNode* found = root.take("dns");
  if (!found) return;
  Reader& reader = root.reader();
  Section section(reader, *found, "dns");
  section.list("servers", [&](const YamlNode& item) {
    const auto server = reader.endpoint(item, "dns.servers", kDnsPort);
    if (!server) return;
    if (dns.servers.size() == kServersMax) {
      return reader.report(item.at, "more than " + std::to_string(kServersMax) + " servers");
    }
    dns.servers.push_back(*server);
  });
  section.duration("timeout", dns.timeout, 50ms, 30s);
  section.number("tries", dns.tries, 1, 10);
  section.duration("ttl_min", dns.ttl_min, 1s, 1h);
  section.duration("ttl_max", dns.ttl_max, 1s, 24h);
  if (dns.ttl_min > dns.ttl_max) reader.report(section.at(), "dns: ttl_min may not exceed ttl_max");
}

}  // namespace ringweir::control
