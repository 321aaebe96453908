#include "control/config_sections.h"
#include "ringweir/base/limits.h"
#include "ringweir/control/routes.h"

namespace ringweir::control {
namespace {

constexpr std::size_t kUserPatternBytesMax = 64;
constexpr std::size_t kReasonBytesMax = 128;
constexpr std::uint32_t kStripMax = 32;
constexpr std::size_t kPrefixBytesMax = 32;
constexpr std::size_t kSourcesMax = 256;
enum class Mode : std::uint8_t { stateful, stateless };
constexpr std::pair<std::string_view, Mode> kModes[] = {{"stateful", Mode::stateful},
                                                        {"stateless", Mode::stateless}};
enum class Registration : std::uint8_t { local, forward };
constexpr std::pair<std::string_view, Registration> kRegistrations[] = {{"local", Registration::local},
                                                                        {"forward", Registration::forward}};
enum class Lookup : std::uint8_t { location };
constexpr std::pair<std::string_view, Lookup> kLookups[] = {{"location", Lookup::location}};

void read_methods(Section& match, std::vector<std::string>& methods) {
  const YamlNode* node = match.take("method");
  if (!node) return;
  const auto add = [&](const YamlNode& item) {
    auto method = read_method(match.reader(), item, "routes.match.method");
    if (method) methods.push_back(std::move(*method));
  };
  if (node->kind == YamlNode::Kind::sequence) {
    match.list("method", add);
  } else {
    add(*node);
  }
}

void read_user(Section& match, proxy::Match& out) {
  const YamlNode* node = match.take("user");
  if (!node || !match.text("user", out.user, kUserPatternBytesMax)) return;
  out.has_user = true;
  int stars = 0;
  for (std::size_t i = 0; i < out.user.size(); ++i) {
    stars += out.user[i] == '*';
    if (out.user[i] == '\\' && ++i == out.user.size()) {
      match.reader().report(node->at, "routes.match.user ends in a backslash: write \\\\ for the character");
    }
  }
  if (stars > 1)
    match.reader().report(node->at, "routes.match.user has more than one star: write \\* for the character");
}

void read_domain(Section& match, proxy::Match& out) {
  const YamlNode* node = match.take("domain");
  if (!node) return;
  if (node->kind == YamlNode::Kind::scalar && node->text == "local") {
    out.local_domain = true;
    return;
  }
  const auto host = read_host(match.reader(), *node, "routes.match.domain");
  if (!host) return;
  constexpr std::string_view kLocal[] = {"local"};
  if (host->find('.') == host->npos && !nearest(*host, kLocal).empty()) {
    match.reader().report(node->at,
                          "routes.match.domain: " + in_quotes(node->text) + did_you_mean(*host, kLocal));
  }
  // As it stands in a request URI: an IPv6 address in brackets.
  out.domain = host->find(':') == host->npos ? *host : "[" + *host + "]";
}

// One range of addresses, or a list of them.
void read_sources(Section& match, std::vector<Network>& sources) {
  const YamlNode* node = match.take("source");
  if (!node) return;
  const auto add = [&](const YamlNode& item) {
    Reader& reader = match.reader();
    const std::string* text = reader.plain(item, "routes.match.source");
    if (!text) return;
    const auto network = parse_network(*text);
    if (!network) {
      return reader.report(item.at,
                           "routes.match.source: " + in_quotes(*text) +
                               " is not a range of addresses: write 10.0.0.0/8, 192.0.2.1 or 2001:db8::/32");
    }
    if (sources.size() == kSourcesMax) return reader.report(item.at, "too many ranges in one route");
    sources.push_back(*network);
  };
  node->kind == YamlNode::Kind::sequence ? (void)match.list("source", add) : add(*node);
}

proxy::Match read_match(Section& route) {
  proxy::Match match;
  const YamlNode* node = route.take("match");
  if (!node) return match;
  Section section(route.reader(), *node, "routes.match");
  read_methods(section, match.methods);
  read_domain(section, match);
  read_user(section, match);
  read_sources(section, match.sources);
  return match;
}

// `reply: 404`, with `reason:` beside it.
void read_reply(Section& section, proxy::Action& action) {
  const YamlNode* node = section.take("reply");
  const YamlNode* reason = section.take("reason");
  if (reason && !node) section.reader().report(reason->at, section.path("reason") + " goes with a reply");
  if (reason) section.text("reason", action.reason, kReasonBytesMax);
  if (!node) return;
  const auto code = read_status(section.reader(), *node, section.path("reply"), 300);
  if (!code) return;
  action.code = *code;
  // RFC 3261 21.4.2, 21.4.8: both say nothing without a challenge, which the auth section makes.
  if (*code == 401 || *code == 407) {
    section.reader().report(node->at,
                            section.path("reply") + ": a challenge is made by auth.methods, not by a route");
  }
}

// What to answer where nobody is registered.
void read_else(Section& section, proxy::Action& action) {
  action.code = 0;
  const YamlNode* otherwise = section.take("else");
  if (!otherwise) return;
  Section shape(section.reader(), *otherwise, "routes.do.else");
  if (shape.need("reply", "else: { reply: 404 }")) read_reply(shape, action);
}

void read_lookup(Section& section, proxy::Action& action) {
  Lookup lookup{};
  section.choice<Lookup>("lookup", lookup, kLookups);
  action.kind = proxy::Action::Kind::lookup_location;
  read_else(section, action);
}

// Its index; nullopt, and a report, where there is none of that name.
std::optional<std::uint16_t> find_upstream(Reader& reader, const YamlNode& node, std::string_view what,
                                           const std::vector<Upstream>& upstreams) {
  const std::string* name = reader.plain(node, what);
  if (!name) return std::nullopt;
  const auto found = std::ranges::find(upstreams, *name, &Upstream::name);
  if (found != upstreams.end()) return static_cast<std::uint16_t>(found - upstreams.begin());
  std::vector<std::string_view> names;
  for (const Upstream& upstream : upstreams) names.push_back(upstream.name);
  reader.report(
      node.at, std::string(what) + ": there is no upstream " + in_quotes(*name) + did_you_mean(*name, names));
  return std::nullopt;
}

// RFC 3261 25.1, user.
bool is_user_text(std::string_view text) noexcept {
  constexpr std::string_view kMarks = "-_.!~*'()&=+$,;?/";
  return std::ranges::all_of(text, [&](char c) {
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || kMarks.find(c) != kMarks.npos;
  });
}

// How the request URI's user is written anew, beside `forward` or `redirect: UPSTREAM`.
void read_rewrite(Section& section, proxy::Action& action, bool to_upstream) {
  for (const char* key : {"strip", "prefix"}) {
    const YamlEntry* entry = section.entry(key);
    if (entry && !to_upstream) {
      section.reader().report(entry->key_at,
                              section.path(key) + " goes with forward, or a redirect to an upstream");
    }
  }
  std::uint32_t strip = 0;
  if (section.number("strip", strip, 1, kStripMax)) action.strip = static_cast<std::uint8_t>(strip);
  if (section.text("prefix", action.prefix, kPrefixBytesMax) && !is_user_text(action.prefix)) {
    section.reader().report(section.take("prefix")->at,
                            section.path("prefix") + ": " + in_quotes(action.prefix) +
                                " has a character that cannot stand in a SIP URI's user");
  }
}

void read_forward(Section& section, proxy::Action& action, const std::vector<Upstream>& upstreams) {
  const YamlEntry* forward = section.entry("forward");
  const YamlEntry* mode = section.entry("mode");
  if (mode && !forward) section.reader().report(mode->key_at, section.path("mode") + " goes with forward");
  Mode chosen = Mode::stateful;
  section.choice<Mode>("mode", chosen, kModes);
  if (!forward) return;
  action.kind = proxy::Action::Kind::forward;
  action.stateless = chosen == Mode::stateless;
  const auto upstream = find_upstream(section.reader(), forward->value, "routes.do.forward", upstreams);
  if (upstream) action.upstream = *upstream;
}

void read_registration(Section& section, proxy::Action& action, const std::vector<Upstream>& upstreams) {
  Registration registration = Registration::local;
  const YamlEntry* entry = section.entry("register");
  section.choice<Registration>("register", registration, kRegistrations);
  action.kind = proxy::Action::Kind::register_local;
  if (registration == Registration::local) return;
  section.reader().not_yet(entry->key_at, "registration at somebody else's registrar");
  if (const YamlNode* to = section.need("to", "do: { register: forward, to: pbx }")) {
    find_upstream(section.reader(), *to, "routes.do.to", upstreams);
  }
}

void read_redirect(Section& section, proxy::Action& action, const std::vector<Upstream>& upstreams) {
  const YamlNode& redirect = *section.take("redirect");
  if (redirect.kind == YamlNode::Kind::scalar && redirect.text == "location") {
    action.kind = proxy::Action::Kind::redirect_location;
    return read_else(section, action);
  }
  action.kind = proxy::Action::Kind::redirect_upstream;
  const auto upstream = find_upstream(section.reader(), redirect, "routes.do.redirect", upstreams);
  if (upstream) action.upstream = *upstream;
}

// A method that could not be read was reported already.
bool only_registers(Section& route, const proxy::Match& match) {
  if (match.methods == std::vector<std::string>{"REGISTER"}) return true;
  const YamlNode* node = route.take("match");
  if (!match.methods.empty() || !node) return false;
  return std::ranges::find(node->entries, "method", &YamlEntry::key) != node->entries.end();
}

proxy::Action read_action(Section& route, const proxy::Match& match, const std::vector<Upstream>& upstreams) {
  proxy::Action action;
  const YamlNode* node = route.need("do", "do: { reply: 403 }");
  if (!node) return action;
  Reader& reader = route.reader();
  Section section(reader, *node, "routes.do");
  const YamlNode* forward = section.take("forward");
  const YamlNode* redirect = section.take("redirect");
  const bool registers = section.take("register");
  const bool looks_up = section.take("lookup");
  const bool replies = section.take("reply");
  const int actions = (forward != nullptr) + (redirect != nullptr) + registers + looks_up + replies;
  if (section.is_map() && actions != 1) {
    reader.report(section.at(), "a route does one thing: register, lookup, forward, redirect or reply");
  }
  if (replies || section.take("reason")) read_reply(section, action);
  if (looks_up) read_lookup(section, action);
  read_forward(section, action, upstreams);
  if (redirect) read_redirect(section, action, upstreams);
  read_rewrite(section, action, forward || action.kind == proxy::Action::Kind::redirect_upstream);
  if (registers) {
    read_registration(section, action, upstreams);
    if (!only_registers(route, match)) {
      reader.report(section.at(), "only a REGISTER registers: add match: { method: REGISTER }");
    }
  }
  return action;
}

}  // namespace

void read_routes(Section& root, Config& config) {
  std::vector<proxy::Route> routes;
  Place catches_all{};
  const bool listed = root.list("routes", [&](const YamlNode& item) {
    Reader& reader = root.reader();
    if (routes.size() == limits::kRoutesMax) {
      return reader.report(item.at, "more than " + std::to_string(limits::kRoutesMax) + " routes");
    }
    Section section(reader, item, "routes");
    if (catches_all.line != 0) {
      reader.report(item.at, "this route is never reached: the one in line " +
                                 std::to_string(catches_all.line) + " matches everything");
      catches_all = {};
    }
    proxy::Route route;
    route.match = read_match(section);
    route.action = read_action(section, route.match, config.upstreams);
    const YamlNode* match = section.take("match");
    const bool anything = !match || (match->kind == YamlNode::Kind::map && match->entries.empty());
    if (anything) catches_all = item.at;
    routes.push_back(std::move(route));
  });
  config.routes = listed ? std::move(routes) : default_routes();
}

}  // namespace ringweir::control
