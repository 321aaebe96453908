// The routes: what a request that begins something is for. First match wins, there is no scripting language.
// Built once by control from the configuration, then read by every shard: no lock, no allocation, no change.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ringweir/base/network.h"
#include "ringweir/sip/method.h"

namespace ringweir::proxy {

struct Action {
  enum class Kind : std::uint8_t {
    reply,
    register_local,
    lookup_location,    // to where the user of the request URI is registered
    forward,            // to a target of an upstream (RFC 3261 16)
    redirect_location,  // 302 with the user's contacts and their q (RFC 3261 8.3)
    redirect_upstream,  // 302 with the target that would have been chosen
  };
  Kind kind = Kind::reply;
  // reply: the status. lookup_location, redirect_location: the status where nobody is registered, 0 for the usual 480.
  std::uint16_t code = 403;
  std::string reason;          // with `code`; empty: the status' own phrase
  // forward, redirect_upstream:
  std::uint16_t upstream = 0;  // index into shard::Snapshot::upstreams
  bool stateless = false;      // forward: RFC 3261 16.11
  std::uint8_t strip = 0;      // characters taken from the front of the request URI's user; all of a shorter one
  std::string prefix{};        // put before what is left; user characters only (RFC 3261 25.1)
  friend bool operator==(const Action&, const Action&) = default;
};

// All that is given must hold; a Match that gives nothing matches every request.
struct Match {
  std::vector<std::string> methods;  // any of these; empty: every method. Case-sensitive (RFC 3261 7.1)
  bool local_domain = false;         // the request URI's host is one of ours
  std::string domain;                // or is this one, any case, any port; empty: any
  bool has_user = false;             // the request URI's user is like `user`
  std::string user;                  // '*' at most once, for any text also none; "\*" is the character
  std::vector<Network> sources{};    // the datagram came from any of these; empty: from anywhere
  friend bool operator==(const Match&, const Match&) = default;
};

struct Route {
  Match match;
  Action action;
  friend bool operator==(const Route&, const Route&) = default;
};

struct RouteInput {
  sip::Method method = sip::Method::unknown;
  std::string_view method_text;
  std::string_view user;  // of the request URI, its escapes kept
  std::string_view host;
  bool is_local_domain = false;  // as DomainSet::is_local says
  IpAddress source{};            // where the datagram came from
};

class RouteTable {
 public:
  // No route: everything is answered 403, as is a request that no route matches. Nothing is relayed for
  // strangers.
  RouteTable() = default;
  explicit RouteTable(std::span<const Route> routes);

  // Wait-free, any thread. The reference lives as long as the table.
  const Action& decide(const RouteInput& request) const noexcept;
  // The index of the route that wins; size() when none does.
  std::size_t find(const RouteInput& request) const noexcept;
  std::size_t size() const noexcept { return rows_.size(); }

 private:
  struct Text {  // into text_
    std::uint32_t at = 0;
    std::uint32_t size = 0;
  };
  enum class Users : std::uint8_t { any, exact, affix };  // affix: `head`, anything, `tail`
  struct Row {
    std::uint32_t methods = 0;                        // one bit a sip::Method
    std::uint32_t extensions_at = 0, extensions = 0;  // further methods, by their text
    std::uint32_t sources_at = 0, sources = 0;
    bool any_method = true;
    bool local_domain = false;
    Users users = Users::any;
    Text domain, head, tail;  // domain: lower case
  };
  Text keep(std::string_view text);
  std::string_view text(Text t) const noexcept { return std::string_view(text_).substr(t.at, t.size); }
  bool matches(const Row& row, const RouteInput& request) const noexcept;
  bool method_matches(const Row& row, const RouteInput& request) const noexcept;
  bool source_matches(const Row& row, const IpAddress& source) const noexcept;
  bool user_matches(const Row& row, std::string_view user) const noexcept;

  std::vector<Row> rows_;
  std::vector<Action> actions_;  // one a row
  std::vector<Text> extensions_;
  std::vector<Network> sources_;
  std::string text_;
  Action otherwise_;
};

}  // namespace ringweir::proxy
