#include "ringweir/control/explain_route.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>

#include "ringweir/balance/choose.h"
#include "ringweir/base/check.h"
#include "ringweir/base/limits.h"
#include "ringweir/control/config_changes.h"
#include "ringweir/control/routes.h"
#include "ringweir/control/upstreams.h"
#include "ringweir/proxy/target_uri.h"
#include "ringweir/sip/uri.h"

namespace ringweir::control {
namespace {

std::uint64_t drawn() {
  std::uint64_t word = 0;
  check(getrandom(&word, sizeof word, 0) == sizeof word, "the kernel gives random octets");
  return word;
}

struct Request {
  std::string_view method, text;
  sip::Uri uri;
};

Result<Request, std::string> read_request(std::string_view text) {
  const std::size_t blank = text.find(' ');
  const std::string how = "write a method and a request URI, as in \"INVITE sip:9@example.com\"";
  if (blank == text.npos || blank == 0) return Unexpected<std::string>(how);
  Request request{
      text.substr(0, blank), text.substr(std::min(text.size(), text.find_first_not_of(' ', blank))), {}};
  const auto uri = sip::parse_uri(request.text);
  if (!uri) return Unexpected<std::string>(fmt::format("'{}' is not a URI: {}", request.text, how));
  request.uri = *uri;
  return request;
}

// As the edge hashes them (shard/edge_request.cpp): canonical addresses of record where they are some.
balance::Keys keys_of(const RouteQuestion& question, const Request& request, const std::string& call_id,
                      const Key128& key) {
  const KeyedHash hash(key);
  const auto of = [&](std::string_view text) {
    std::array<char, limits::kAorBytesMax> space;
    const auto uri = sip::parse_uri(text);
    const auto aor = uri ? sip::canonical_aor(*uri, space.data(), space.size()) : std::nullopt;
    return hash(aor ? *aor : text);
  };
  balance::Keys keys;
  keys.call_id = hash(call_id);
  keys.from = question.from.empty() ? drawn() : of(question.from);
  keys.to = of(question.to.empty() ? request.text : std::string_view(question.to));
  keys.uri = of(request.text);
  return keys;
}

class Explainer {
 public:
  Explainer(const Config& config, const RouteQuestion& question, const Request& request)
      : config_(config), question_(question), request_(request) {}

  RouteSteps explain(const IpAddress& source) {
    const proxy::DomainSet domains = make_domain_set(config_);
    const sip::Uri& uri = request_.uri;
    const bool local = domains.is_local(uri.host, uri.port);
    say("domain", fmt::format("{} is {}", uri.host, local ? "ours" : "not ours"));
    if (uri.scheme != sip::Scheme::sip && uri.scheme != sip::Scheme::sips) {
      say("answer", "416: only sip: and sips: URIs are served");
      return std::move(steps_);
    }
    const sip::Method method = sip::parse_method(request_.method);
    if (local && uri.user.empty() && method != sip::Method::register_) {
      say("answer", method == sip::Method::options ? "200: an OPTIONS to the edge itself"
                                                   : "405: it is to the edge itself");
      return std::move(steps_);
    }
    const proxy::RouteTable table = make_route_table(config_);
    const std::size_t index = table.find({method, request_.method, uri.user, uri.host, local, source});
    if (index == table.size()) {
      say("route", "none matches");
      say("answer", "403");
      return std::move(steps_);
    }
    say("route", fmt::format("{} of {}: {}", index + 1, table.size(), describe_route(config_, index)));
    act(config_.routes[index].action, method);
    return std::move(steps_);
  }

 private:
  void say(std::string what, std::string text) { steps_.emplace_back(std::move(what), std::move(text)); }

  void act(const proxy::Action& action, sip::Method method) {
    using Kind = proxy::Action::Kind;
    const bool relays = action.kind != Kind::reply;
    if (relays && config_.auth.enabled &&
        std::ranges::find(config_.auth.methods, method) != config_.auth.methods.end()) {
      say("authentication",
          fmt::format("challenged for {} first, unless it comes from a target", config_.auth.realm));
    }
    const std::string nobody = fmt::format("{} where nobody is registered", action.code ? action.code : 480);
    switch (action.kind) {
      case Kind::reply:
        return say("answer",
                   std::to_string(action.code) + (action.reason.empty() ? "" : " " + action.reason));
      case Kind::register_local: return say("registrar", "this edge keeps the binding");
      case Kind::lookup_location: return say("sent to", "the contacts registered for the user; " + nobody);
      case Kind::redirect_location:
        return say("answer", "302 with the contacts registered for the user; " + nobody);
      case Kind::redirect_upstream:
      case Kind::forward: return to_upstream(action);
    }
  }

  void to_upstream(const proxy::Action& action) {
    if (action.strip != 0 || !action.prefix.empty()) {
      std::array<char, 2'048> space;
      Writer out(space.data(), space.size());
      if (!proxy::write_edited_user(out, request_.uri, action.strip, action.prefix) || !out.ok()) {
        return say("answer", "484: nothing is left of the user");
      }
      say("request URI", std::string(out.text()));
    }
    TargetRegistry registry;
    const Instant now{};
    const BuiltUpstreams built = make_upstreams(config_, {}, registry, now, false);
    for (const std::string& problem : built.problems) say("problem", problem);
    const balance::Upstream& upstream = built.upstreams.at(action.upstream);
    say("upstream",
        fmt::format("{}, {}, {} target{}", upstream.name(), balance::to_string(upstream.algorithm()),
                    upstream.targets().size(), upstream.targets().size() == 1 ? "" : "s"));
    for (const Target& target : config_.upstreams[action.upstream].targets) {
      if (!parse_ip(target.host)) say("left out", target.uri + ": names are resolved when the edge runs");
    }
    choose(upstream);
  }

  void choose(const balance::Upstream& upstream) {
    const Key128 key = make_route_key(config_.keys, {drawn(), drawn()});
    const std::string call_id =
        question_.call_id.empty() ? fmt::format("{:016x}", drawn()) : question_.call_id;
    Random random(drawn());
    const auto choice =
        balance::choose(upstream, keys_of(question_, request_, call_id, key), {}, Instant{}, random);
    if (!choice) return say("answer", "503: the upstream has no target");
    const balance::Target& target = upstream.targets()[choice->target];
    say("call-id", call_id + (question_.call_id.empty() ? " (drawn)" : ""));
    say("target", fmt::format("{} ({})", to_string(target.endpoint), target.uri));
    say("why", balance::describe(choice->why, upstream));
    if (balance::is_hash(upstream.algorithm()) && config_.keys.secret.empty()) {
      say("note",
          "without keys.secret the places of the hash are drawn anew at each start; this is one drawing");
    } else if (!balance::is_hash(upstream.algorithm())) {
      say("note", "as if nothing else were under way: a running edge knows its targets' load");
    }
  }

  const Config& config_;
  const RouteQuestion& question_;
  const Request& request_;
  RouteSteps steps_;
};

}  // namespace

Result<RouteSteps, std::string> explain_route(const Config& config, const RouteQuestion& question) {
  const auto request = read_request(question.request);
  if (!request) return Unexpected<std::string>(request.error());
  IpAddress source;
  if (!question.source.empty()) {
    const auto given = parse_ip(question.source);
    if (!given) return Unexpected<std::string>(fmt::format("'{}' is not an address", question.source));
    source = *given;
  }
  return Explainer(config, question, *request).explain(source);
}

}  // namespace ringweir::control
