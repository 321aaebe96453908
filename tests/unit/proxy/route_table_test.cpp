#include "ringweir/proxy/route_table.h"

#include <gtest/gtest.h>

namespace ringweir::proxy {
namespace {

RouteInput request(std::string_view method, std::string_view user, std::string_view host = "example.com",
                   bool local = true) {
  return {sip::parse_method(method), method, user, host, local};
}

Route route(Match match, std::uint16_t code) {
  return {std::move(match), {Action::Kind::reply, code, {}}};
}

Match user(std::string pattern) {
  Match match;
  match.has_user = true;
  match.user = std::move(pattern);
  return match;
}

bool takes(const std::string& pattern, std::string_view name) {
  const Route routes[] = {route(user(pattern), 600)};
  return RouteTable(routes).decide(request("INVITE", name)).code == 600;
}

TEST(RouteTable, TheFirstRouteThatMatchesWins) {
  Match registers;
  registers.methods = {"REGISTER"};
  Match local;
  local.local_domain = true;
  const Route routes[] = {{registers, {Action::Kind::register_local, 0, {}}},
                          {local, {Action::Kind::lookup_location, 404, {}}},
                          route({}, 488)};
  const RouteTable table(routes);
  EXPECT_EQ(table.decide(request("REGISTER", "")).kind, Action::Kind::register_local);
  EXPECT_EQ(table.decide(request("INVITE", "100")).kind, Action::Kind::lookup_location);
  EXPECT_EQ(table.decide(request("INVITE", "100", "elsewhere.example", false)).code, 488);
  EXPECT_EQ(table.find(request("INVITE", "100")), 1u);
}

TEST(RouteTable, WithoutAMatchNothingIsAllowed) {
  EXPECT_EQ(RouteTable().decide(request("INVITE", "100")).code, 403);
  const Route routes[] = {route(user("100"), 600)};
  const RouteTable table(routes);
  EXPECT_EQ(table.decide(request("INVITE", "101")).code, 403);
  EXPECT_EQ(table.find(request("INVITE", "101")), table.size());
}

TEST(RouteTable, AStarStandsForAnyTextAlsoNone) {
  EXPECT_TRUE(takes("9*", "9"));
  EXPECT_TRUE(takes("9*", "9123"));
  EXPECT_FALSE(takes("9*", "19"));
  EXPECT_TRUE(takes("*9", "19"));
  EXPECT_FALSE(takes("*9", "190"));
  EXPECT_TRUE(takes("1*9", "19"));
  EXPECT_TRUE(takes("1*9", "1889"));
  EXPECT_FALSE(takes("11*11", "111"));  // the two ends do not share a character
  EXPECT_TRUE(takes("11*11", "1111"));
  EXPECT_TRUE(takes("*", "anybody"));
  EXPECT_FALSE(takes("*", ""));
}

TEST(RouteTable, AnEscapedStarIsTheCharacter) {
  EXPECT_TRUE(takes("\\*98", "*98"));
  EXPECT_FALSE(takes("\\*98", "198"));
  EXPECT_TRUE(takes("\\*9*", "*98"));
}

TEST(RouteTable, AnEscapeInTheUriDoesNotSlipPast) {  // RFC 3261 19.1.4
  EXPECT_TRUE(takes("9*", "%39123"));
  EXPECT_TRUE(takes("100", "1%30%30"));
  EXPECT_TRUE(takes("*00", "1%30%30"));
  EXPECT_FALSE(takes("100",
                     "1%300"
                     "0"));
  EXPECT_FALSE(takes("100", "1%3"));
  EXPECT_TRUE(takes("1%3", "1%3"));  // not an escape: the text itself
}

TEST(RouteTable, UsersAndMethodsAreCaseSensitiveAndHostsAreNot) {  // RFC 3261 19.1.4, 7.1
  EXPECT_FALSE(takes("alice", "Alice"));
  Match match;
  match.domain = "Sales.Example.com";
  const Route routes[] = {route(match, 600)};
  const RouteTable table(routes);
  EXPECT_EQ(table.decide(request("INVITE", "1", "sales.EXAMPLE.com", false)).code, 600);
  EXPECT_EQ(table.decide(request("INVITE", "1", "sales.example.com.", false)).code, 600);
  EXPECT_EQ(table.decide(request("INVITE", "1", "xsales.example.com", false)).code, 403);
}

TEST(RouteTable, ManyMethodsAlsoUnknownOnesShareARoute) {
  Match match;
  match.methods = {"INVITE", "MESSAGE", "FOO"};
  Match other;
  other.methods = {"BAR"};
  const Route routes[] = {route(match, 600), route(other, 601)};
  const RouteTable table(routes);
  EXPECT_EQ(table.decide(request("INVITE", "1")).code, 600);
  EXPECT_EQ(table.decide(request("MESSAGE", "1")).code, 600);
  EXPECT_EQ(table.decide(request("FOO", "1")).code, 600);
  EXPECT_EQ(table.decide(request("BAR", "1")).code, 601);
  EXPECT_EQ(table.decide(request("foo", "1")).code, 403);
  EXPECT_EQ(table.decide(request("OPTIONS", "1")).code, 403);
}

TEST(RouteTable, AllThatAMatchGivesMustHold) {
  Match match = user("9*");
  match.methods = {"INVITE"};
  match.local_domain = true;
  const Route routes[] = {route(match, 600)};
  const RouteTable table(routes);
  EXPECT_EQ(table.decide(request("INVITE", "91")).code, 600);
  EXPECT_EQ(table.decide(request("MESSAGE", "91")).code, 403);
  EXPECT_EQ(table.decide(request("INVITE", "81")).code, 403);
  EXPECT_EQ(table.decide(request("INVITE", "91", "b.example", false)).code, 403);
}

TEST(RouteTable, ACopyAnswersForItself) {
  RouteTable copy;
  {
    const Route routes[] = {route(user("100"), 600)};
    const RouteTable table(routes);
    copy = table;
  }
  EXPECT_EQ(copy.decide(request("INVITE", "100")).code, 600);
}

TEST(RouteTable, TheSourceIsOneOfTheRanges) {
  Match inside;
  inside.sources = {*parse_network("10.0.0.0/8"), *parse_network("2001:db8::/32")};
  const Route routes[] = {route(std::move(inside), 404)};
  const RouteTable table(routes);
  RouteInput input = request("INVITE", "100");
  for (const char* source : {"10.1.2.3", "2001:db8::7"}) {
    input.source = *parse_ip(source);
    EXPECT_EQ(table.find(input), 0u) << source;
  }
  for (const char* source : {"11.1.2.3", "2001:db9::7"}) {
    input.source = *parse_ip(source);
    EXPECT_EQ(table.find(input), 1u) << source;
  }
}

}  // namespace
}  // namespace ringweir::proxy
