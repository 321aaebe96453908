#include "control/config_sections.h"

#include "ringweir/base/limits.h"
#include "ringweir/sip/method.h"

namespace ringweir::control {
namespace {

constexpr std::pair<std::string_view, IoChoice> kIoChoices[] = {
    {"auto", IoChoice::automatic}, {"uring", IoChoice::uring}, {"epoll", IoChoice::epoll}};
enum class KnownTransport : std::uint8_t { udp, tcp, tls, ws, wss };
constexpr std::pair<std::string_view, KnownTransport> kTransports[] = {{"udp", KnownTransport::udp},
                                                                       {"tcp", KnownTransport::tcp},
                                                                       {"tls", KnownTransport::tls},
                                                                       {"ws", KnownTransport::ws},
                                                                       {"wss", KnownTransport::wss}};
constexpr std::uint32_t kTraceRingMin = 64;
constexpr std::uint32_t kTraceRingMax = 1'000'000;
constexpr std::size_t kDomainsMax = 100'000;
constexpr std::size_t kSecretBytesMin = 16;

// "edge.example.com" or "edge.example.com:5060", an address likewise.
bool is_advertised(std::string_view text) {
  if (parse_endpoint(text)) return true;
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return is_host_name(text);
  const auto port = parse_number(text.substr(colon + 1));
  return port && *port > 0 && *port <= 65'535 && is_host_name(text.substr(0, colon));
}

void read_transports(Section& section, Listener& listener) {
  std::vector<KnownTransport> seen;
  section.list("transport", [&](const YamlNode& item) {
    Reader& reader = section.reader();
    const auto transport = reader.choice<KnownTransport>(item, section.path("transport"), kTransports);
    if (!transport) return;
    if (std::ranges::find(seen, *transport) != seen.end()) {
      return reader.report(item.at, "the transport " + in_quotes(item.text) + " is listed twice");
    }
    seen.push_back(*transport);
    if (*transport != KnownTransport::udp) reader.not_yet(item.at, "the transport " + item.text);
  });
  listener.transports = {Transport::udp};
}

void check_beside(Reader& reader, const Listener& listener, const std::vector<Listener>& before) {
  for (const Listener& other : before) {
    if (other.name == listener.name) {
      reader.report(listener.at, "a listener named " + in_quotes(other.name) + " stands in line " +
                                     std::to_string(other.at.line) + " already");
    }
    if (listener.bind.port != 0 && other.bind == listener.bind) {
      reader.report(listener.at, to_string(other.bind) + " is bound by the listener in line " +
                                     std::to_string(other.at.line) + " already");
    }
  }
}

void read_listener(Reader& reader, const YamlNode& item, std::vector<Listener>& listeners, bool lab) {
  Section section(reader, item, "listeners");
  Listener listener;
  listener.at = item.at;
  listener.name = "listener-" + std::to_string(listeners.size() + 1);
  section.text("name", listener.name, 64);
  const bool bound =
      section.need("bind", "bind: \"0.0.0.0:5060\"") && section.endpoint("bind", listener.bind, 5060);
  read_transports(section, listener);
  const YamlNode* advertise = section.take("advertise");
  if (section.text("advertise", listener.advertise, 255) && !is_advertised(listener.advertise)) {
    reader.report(advertise->at, "listeners.advertise: " + in_quotes(listener.advertise) +
                                     " is neither a host name nor an address");
  }
  if (!bound) return;
  if (lab && !listener.bind.ip.is_loopback()) {
    reader.report(
        section.take("bind")->at,
        "a lab listens on loopback addresses only, its passwords are known to all: use 127.0.0.1 or [::1], "
        "or set lab.enabled to false");
  }
  check_beside(reader, listener, listeners);
  listeners.push_back(std::move(listener));
}

}  // namespace

void read_node(Section& root, Node& node) {
  const YamlNode* found = root.take("node");
  if (!found) return;
  Section section(root.reader(), *found, "node");
  if (section.text("name", node.name, 64) && !is_token(node.name)) {
    root.reader().report(section.take("name")->at,
                         "node.name has a character that no token has (letters, digits, - . _)");
  }
  const YamlNode* shards = section.take("shards");
  if (shards && shards->text == "auto") {
    node.shards = 0;
  } else if (shards) {
    const auto count = root.reader().number(*shards, "node.shards", 1, limits::kShardsMax);
    if (count) node.shards = static_cast<std::uint32_t>(*count);
  }
  section.boolean("pin", node.pin);
  section.boolean("send_trains", node.send_trains);
  section.choice<IoChoice>("io", node.io, kIoChoices);
  section.duration("drain", node.drain, 0s, 1h);
}

void read_listeners(Section& root, std::vector<Listener>& listeners, bool lab) {
  if (!lab && !root.need("listeners", "listeners: [ { name: sip, bind: \"0.0.0.0:5060\" } ]")) return;
  std::vector<Listener> read;
  const bool listed = root.list("listeners", [&](const YamlNode& item) {
    if (read.size() == limits::kListenersMax) {
      return root.reader().report(item.at,
                                  "more than " + std::to_string(limits::kListenersMax) + " listeners");
    }
    read_listener(root.reader(), item, read, lab);
  });
  if (listed) listeners = std::move(read);
}

std::optional<std::string> read_host(Reader& reader, const YamlNode& node, std::string_view what) {
  const std::string* text = reader.plain(node, what);
  if (!text) return std::nullopt;
  if (const auto ip = parse_ip(*text)) return to_string(*ip);
  const bool digits_only = text->find_first_not_of("0123456789.") == text->npos;
  if (!is_host_name(*text) || digits_only) {
    const bool has_port = text->find(':') != text->npos;
    reader.report(node.at, std::string(what) + ": " + in_quotes(*text) +
                               " is neither a host name nor an address" +
                               (has_port ? "; it is written without scheme and port" : ""));
    return std::nullopt;
  }
  std::string host = *text;
  for (char& c : host) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  if (host.ends_with('.')) host.pop_back();
  return host;
}

void read_domains(Section& root, std::vector<std::string>& domains) {
  std::vector<std::string> read;
  const bool listed = root.list("domains", [&](const YamlNode& item) {
    const auto host = read_host(root.reader(), item, "domains");
    if (!host) return;
    if (read.size() == kDomainsMax) return root.reader().report(item.at, "too many domains");
    if (kDomainsMax > read.size()) read.push_back(*host);
  });
  if (!listed) return;
  std::vector<std::string> sorted = read;
  std::ranges::sort(sorted);
  for (auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end();
       twice = std::adjacent_find(std::upper_bound(twice, sorted.end(), *twice), sorted.end())) {
    root.reader().report(root.take("domains")->at, "the domain " + in_quotes(*twice) + " is listed twice");
  }
  domains = std::move(read);
}

std::optional<std::string> read_method(Reader& reader, const YamlNode& node, std::string_view what) {
  const std::string* text = reader.plain(node, what);
  if (!text) return std::nullopt;
  if (sip::parse_method(*text) != sip::Method::unknown) return *text;
  std::vector<std::string_view> names;
  for (std::size_t i = 1; i < sip::kMethods; ++i)
    names.push_back(sip::to_string(static_cast<sip::Method>(i)));
  const std::string hint = did_you_mean(*text, names);
  if (is_token(*text) && hint.empty()) return *text;  // an extension: RFC 3261 7.1 allows any token
  reader.report(node.at, std::string(what) + ": there is no method " + in_quotes(*text) + hint);
  return std::nullopt;
}

std::optional<std::uint16_t> read_status(Reader& reader, const YamlNode& node, std::string_view what,
                                         std::uint16_t min) {
  const auto code = reader.number(node, what, min, 699);
  return code ? std::optional(static_cast<std::uint16_t>(*code)) : std::nullopt;
}

void read_registrar(Section& root, Registrar& registrar) {
  const YamlNode* found = root.take("registrar");
  if (!found) return;
  Section section(root.reader(), *found, "registrar");
  constexpr Duration kMax = std::chrono::seconds(limits::kExpiresSecondsMax);
  const auto seconds = [&](std::string_view key, Duration& out) {
    Duration value = out;
    if (!section.duration(key, value, 1s, kMax)) return;
    if (value % 1s != 0s)
      return root.reader().report(section.take(key)->at,
                                  section.path(key) + " is in whole seconds (RFC 3261 10.2.1.1)");
    out = value;
  };
  const std::size_t before = found->entries.size();
  seconds("min_expires", registrar.min_expires);
  seconds("default_expires", registrar.default_expires);
  seconds("max_expires", registrar.max_expires);
  section.number("max_contacts", registrar.max_contacts, 1, limits::kContactsPerAorMax);
  section.number("max_bindings", registrar.max_bindings, 1, limits::kBindingsMax);
  if (before == 0) return;
  if (registrar.min_expires > registrar.default_expires ||
      registrar.default_expires > registrar.max_expires) {
    root.reader().report(
        section.at(),
        "registrar: min_expires may not exceed default_expires, nor default_expires max_expires");
  }
}

void read_trace(Section& root, Trace& trace) {
  const YamlNode* found = root.take("trace");
  if (!found) return;
  Section section(root.reader(), *found, "trace");
  section.number("ring", trace.ring, kTraceRingMin, kTraceRingMax);
  section.boolean("recording", trace.recording);
  const YamlEntry* hep = section.entry("hep");
  if (!hep) return;
  root.reader().not_yet(hep->key_at, "traces sent by HEP");
  Section shape(root.reader(), hep->value, "trace.hep");
  std::string to;
  std::uint32_t id = 0;
  if (shape.need("to", "to: \"udp:homer:9060\"") && shape.text("to", to, 255) &&
      !(to.starts_with("udp:") && is_advertised(std::string_view(to).substr(4)))) {
    root.reader().report(shape.take("to")->at,
                         "trace.hep.to: " + in_quotes(to) + " is not of the form udp:HOST:PORT");
  }
  shape.number("id", id, 0, std::numeric_limits<std::uint32_t>::max());
}

void read_admin(Section& root, Admin& admin, bool lab) {
  const YamlNode* found = root.take("admin");
  if (!found) return;
  Section section(root.reader(), *found, "admin");
  const YamlNode* bind = section.take("bind");
  if (!bind) return;
  if (bind->kind == YamlNode::Kind::scalar && bind->text == "off") {
    admin.bind.reset();
    return;
  }
  const auto endpoint = root.reader().endpoint(*bind, "admin.bind", 8080);
  if (!endpoint) return;
  if (lab && !endpoint->ip.is_loopback()) {
    root.reader().report(bind->at, "a lab's admin server listens on a loopback address only");
  }
  admin.bind = *endpoint;
}

void read_keys(Section& root, Keys& keys) {
  const YamlNode* found = root.take("keys");
  if (!found) return;
  Section section(root.reader(), *found, "keys");
  if (section.secret("secret", keys.secret) && keys.secret.reveal().size() < kSecretBytesMin) {
    root.reader().report(section.take("secret")->at, "keys.secret has fewer than " +
                                                         std::to_string(kSecretBytesMin) +
                                                         " octets: make one with `openssl rand -hex 16`");
  }
}

}  // namespace ringweir::control
