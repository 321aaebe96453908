#include "control/config_sections.h"
#include "ringweir/base/limits.h"
#include "ringweir/control/routes.h"

namespace ringweir::control {
namespace {

constexpr std::size_t kUserPatternBytesMax = 64;
constexpr std::size_t kReasonBytesMax = 128;
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

proxy::Match read_match(Section& route) {
  proxy::Match match;
  const YamlNode* node = route.take("match");
  if (!node) return match;
  Section section(route.reader(), *node, "routes.match");
  read_methods(section, match.methods);
  read_domain(section, match);
  read_user(section, match);
  if (const YamlEntry* source = section.entry("source"))
    route.reader().not_yet(source->key_at, "routes by source address");
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

void read_lookup(Section& section, proxy::Action& action) {
  Lookup lookup{};
  section.choice<Lookup>("lookup", lookup, kLookups);
  action.kind = proxy::Action::Kind::lookup_location;
  action.code = 0;
  const YamlNode* otherwise = section.take("else");
  if (!otherwise) return;
  Section shape(section.reader(), *otherwise, "routes.do.else");
  if (shape.need("reply", "else: { reply: 404 }")) read_reply(shape, action);
}

void check_upstream(Reader& reader, const YamlNode& node, std::string_view what,
                    const std::vector<Upstream>& upstreams) {
  const std::string* name = reader.plain(node, what);
  if (!name) return;
  std::vector<std::string_view> names;
  for (const Upstream& upstream : upstreams) names.push_back(upstream.name);
  if (std::ranges::find(names, *name) != names.end()) return;
  reader.report(
      node.at, std::string(what) + ": there is no upstream " + in_quotes(*name) + did_you_mean(*name, names));
}

// Known and checked for shape; refused all the same.
void read_forward(Section& section, const YamlEntry& forward, const std::vector<Upstream>& upstreams) {
  Reader& reader = section.reader();
  reader.not_yet(forward.key_at, "forwarding to an upstream");
  check_upstream(reader, forward.value, "routes.do.forward", upstreams);
  Mode mode{};
  const YamlEntry* written = section.entry("mode");
  if (section.choice<Mode>("mode", mode, kModes))
    reader.not_yet(written->key_at, "mode: " + written->value.text);
  std::uint32_t digits = 0;
  if (section.number("strip", digits, 1, 32)) reader.not_yet(section.entry("strip")->key_at, "strip");
}

void read_registration(Section& section, proxy::Action& action, const std::vector<Upstream>& upstreams) {
  Registration registration = Registration::local;
  const YamlEntry* entry = section.entry("register");
  section.choice<Registration>("register", registration, kRegistrations);
  action.kind = proxy::Action::Kind::register_local;
  if (registration == Registration::local) return;
  section.reader().not_yet(entry->key_at, "registration at somebody else's registrar");
  if (const YamlNode* to = section.need("to", "do: { register: forward, to: pbx }")) {
    check_upstream(section.reader(), *to, "routes.do.to", upstreams);
  }
}

void read_redirect(Section& section, const YamlEntry& redirect, const std::vector<Upstream>& upstreams) {
  section.reader().not_yet(redirect.key_at, "redirects");
  if (redirect.value.kind == YamlNode::Kind::scalar && redirect.value.text == "location") return;
  check_upstream(section.reader(), redirect.value, "routes.do.redirect", upstreams);
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
  const YamlEntry* forward = section.entry("forward");
  const YamlEntry* redirect = section.entry("redirect");
  const bool registers = section.take("register");
  const bool looks_up = section.take("lookup");
  const bool replies = section.take("reply");
  const int actions = (forward != nullptr) + (redirect != nullptr) + registers + looks_up + replies;
  if (section.is_map() && actions != 1) {
    reader.report(section.at(), "a route does one thing: register, lookup, forward, redirect or reply");
  }
  if (replies || section.take("reason")) read_reply(section, action);
  if (looks_up) read_lookup(section, action);
  if (forward) read_forward(section, *forward, upstreams);
  if (redirect) read_redirect(section, *redirect, upstreams);
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
