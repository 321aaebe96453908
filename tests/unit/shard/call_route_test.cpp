// Routes, signed and not, loops and spirals, strict routers, and nobody's relay (RFC 3261 16.3 step 4, 16.4, 16.12; RFC 5393).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/call_rig.h"

namespace ringweir::shard {
namespace {

using support::CallOptions;
using support::CallRig;
using support::Dialog;
using support::kCallee;
using support::kCaller;
using support::kStranger;
using support::RequestText;
using support::response_to;
using support::Seen;
using support::target_at;
using testing::HasSubstr;

// A call that is up, to target `at` of a farm of two by turns.
struct Up {
  explicit Up(CallOptions options = {}) : r(std::move(options)) {
    at = r.call_target(invite, &there, &answer);
    check(at >= 0, "a call");
    caller = support::caller_dialog(invite, answer);
    callee = support::callee_dialog(there, "callee1", target_at(static_cast<std::uint8_t>(at)));
    r.seen.clear();
  }
  Endpoint target() const { return target_at(static_cast<std::uint8_t>(at)); }
  CallRig r;
  RequestText invite = CallRig::invite();
  Seen there, answer;
  Dialog caller, callee;
  int at = -1;
};

TEST(CallRoute, AValidTokenIsFollowedWhateverTheRoutesSay) {
  Up c;
  CallOptions none;
  none.routes = [](support::SnapshotOptions& options) { options.routes.clear(); };  // everything else: 403
  c.r.reload(none);
  c.r.say(c.caller.request("BYE"));
  EXPECT_EQ(c.r.all_to(c.target()), "BYE");
  EXPECT_EQ(c.r.counters().proxy.routes_followed.read(), 1u);
}

TEST(CallRoute, ATokenThatWasChangedInAnyCharacterIsNotFollowed) {
  Up c({.routes = [](support::SnapshotOptions& options) { options.routes.back().match.local_domain = true; }});
  const std::string route = c.caller.routes[0];
  const std::size_t begin = route.find("rw=") + 3, end = route.find('>');
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (std::size_t i = begin; i < end; ++i) {
    c.caller.routes[0] = route;
    char& digit = c.caller.routes[0][i];
    digit = digits[(digits.find(digit) + 17) % 64];
    RequestText info = c.caller.request("INFO");
    info.uri = "sip:stranger@elsewhere.example.org";  // no route takes it
    c.r.say(info);
    EXPECT_EQ(c.r.all_to(kCaller), "403") << i;
    EXPECT_EQ(c.r.seen.size(), 0u);
  }
}

TEST(CallRoute, ATokenServesItsOwnCallAndTagsOnly) {
  const auto refused = [](void (*change)(RequestText&)) {
    Up c;
    RequestText info = c.caller.request("INFO");
    info.uri = "sip:x@elsewhere.example.org";
    change(info);
    c.r.say(info, kStranger);
    return c.r.all_to(kStranger) == "403" && c.r.all_to(c.target()).empty();
  };
  EXPECT_TRUE(refused([](RequestText& r) { r.call_id = "another"; }));
  EXPECT_TRUE(refused([](RequestText& r) { r.from = "<sip:100@example.com>;tag=other"; }));
  EXPECT_TRUE(refused([](RequestText& r) { r.to = "<sip:9001@example.com>"; }));  // no dialog: a token begins nothing
}

TEST(CallRoute, ASecondEdgeWithTheSameKeyFollowsItAndOneWithAnotherDoesNot) {
  Up c;
  for (const bool same_key : {true, false}) {
    CallRig second({.change = [&](Snapshot& s) {
      if (!same_key) s.route_key = {99, 100};
    }});
    RequestText bye = c.caller.request("BYE");
    bye.uri = "sip:x@elsewhere.example.org";
    second.say(bye);
    EXPECT_EQ(second.all_to(c.target()), same_key ? "BYE" : "");
    EXPECT_EQ(second.all_to(kCaller), same_key ? "" : "403");
  }
}

TEST(CallRoute, ARestartedEdgeStillKnowsTheWayBothWays) {
  Up c;
  CallRig restarted;
  restarted.say(c.callee.request("INFO"), c.target());
  const Seen info = restarted.take(kCaller);
  ASSERT_EQ(info.what(), "INFO");
  restarted.say(response_to(info, 200), kCaller);
  EXPECT_EQ(restarted.all_to(c.target()), "200");
}

TEST(CallRoute, ARouteToElsewhereIs403AndOneToATargetIsFollowed) {
  CallRig r;
  for (const char* route : {"<sip:203.0.113.9;lr>", "<sip:victim.example.org;lr>", "<sip:10.0.0.11:5999;lr>", "<sip:203.0.113.9>"}) {
    RequestText invite = CallRig::invite();
    invite.via += "r";
    r.say(invite.with(std::string{"Route: "} + route), kStranger);
    EXPECT_EQ(r.all_to(kStranger), "403") << route;
    EXPECT_EQ(r.seen.size(), 0u);
  }
  RequestText invite = CallRig::invite("5");
  invite.via += "t";
  r.say(invite.with("Route: <sip:10.0.0.12;lr>"));
  const Seen there = r.take(target_at(1));
  EXPECT_EQ(there.what(), "INVITE");
  EXPECT_EQ(there.get("route"), "<sip:10.0.0.12;lr>");
  EXPECT_TRUE(there.sip.has("record-route"));
}

// What a stranger may not do by the routes, they may not do by a Route.
TEST(CallRoute, ARouteToATargetIsNoWayAroundAuthenticationOrDraining) {
  CallRig r({.authenticate = {sip::Method::invite}});
  RequestText invite = CallRig::invite();
  r.say(invite.with("Route: <sip:10.0.0.11;lr>"), kStranger);
  EXPECT_EQ(r.all_to(kStranger), "407");
  invite.via += "2";
  invite.to += ";tag=made-up";
  r.say(invite, kStranger);
  EXPECT_EQ(r.all_to(kStranger), "407");
  EXPECT_EQ(r.all_to(target_at(0)), "");
  CallRig draining;
  draining.rig->shared.faces[0]->draining = true;
  draining.say(CallRig::invite().with("Route: <sip:10.0.0.11;lr>"));
  EXPECT_EQ(draining.all_to(kCaller), "503");
}

TEST(CallRoute, ARouteToATargetOfAnotherFamilyLeavesByASocketOfIts) {
  const Endpoint six{*parse_ip("2001:db8::10"), 5060};
  CallRig r({.endpoints = {six, support::kEdge}});
  RequestText invite = CallRig::invite();
  const Endpoint caller6{*parse_ip("2001:db8::7"), 5062};
  r.say(invite.with("Route: <sip:10.0.0.11;lr>"), caller6, 0);
  const Seen there = r.take(target_at(0));
  EXPECT_EQ(there.what(), "INVITE");
  EXPECT_EQ(there.socket, 1);
}

TEST(CallRoute, AnOutboundProxyRouteThatNamesUsIsTakenOff) {
  CallRig r({.targets = 1});
  r.say(CallRig::invite().with("Route: <sip:example.com;lr>"));
  EXPECT_FALSE(r.take(target_at(0)).sip.has("route"));
}

// 16.4: a strict router before us put our Record-Route into the Request-URI and its target last.
TEST(CallRoute, AStrictRouterBeforeUsIsUndone) {
  Up c;
  RequestText bye = c.caller.request("BYE");
  bye.lines.clear();
  const std::string ours = support::uri_in(c.caller.routes[0]);
  bye.with("Route: <" + bye.uri + ">");
  bye.uri = ours;
  c.r.say(bye);
  const Seen there = c.r.take(c.target());
  EXPECT_EQ(there.what(), "BYE");
  EXPECT_EQ(there.uri(), c.caller.uri);
  EXPECT_FALSE(there.sip.has("route"));
}

// 16.6 step 6: the next hop has no lr.
TEST(CallRoute, AStrictRouterBehindUsGetsItsOwnUriAndTheTargetLast) {
  CallRig r({.targets = 1});
  r.say(CallRig::invite().with("Route: <sip:10.0.0.11>, <sip:after.example.org;lr>"));
  const Seen there = r.take(target_at(0));
  EXPECT_EQ(there.uri(), "sip:10.0.0.11");
  const auto routes = there.sip.all("route");
  ASSERT_EQ(routes.size(), 2u);
  EXPECT_EQ(routes[0], "<sip:after.example.org;lr>");
  EXPECT_EQ(routes[1], "<sip:9001@example.com>");
}

TEST(CallRoute, ALoopIs482AndASpiralGoesOn) {
  CallRig r({.targets = 1});
  r.registers("101", kCallee);
  r.say(CallRig::invite());
  const Seen there = r.take(target_at(0));
  r.say(there.raw, target_at(0));  // comes back as it is
  EXPECT_EQ(r.all_to(target_at(0)), "482");
  std::string spiral = there.raw;  // comes back for somebody else
  spiral.replace(spiral.find("sip:9001@"), 9, "sip:101@");
  r.say(spiral, target_at(0));
  const Seen phone = r.take(kCallee);
  ASSERT_EQ(phone.what(), "INVITE");
  EXPECT_EQ(phone.sip.all("via").size(), 3u);
  EXPECT_EQ(phone.sip.all("record-route").size(), 2u);
  // The answer goes back the way it came, twice through the edge.
  r.say(response_to(phone, 486), kCallee);
  EXPECT_EQ(r.all_to(target_at(0)), "100 486");
}

// Each pass has its own token; the Routes of the second pass wait for it.
TEST(CallRoute, ASpiralIsPassedTwiceByItsInDialogRequestsToo) {
  CallRig r({.targets = 1});
  r.registers("101", kCallee);
  RequestText invite = CallRig::invite();
  r.say(invite);
  const Seen there = r.take(target_at(0));
  std::string spiral = there.raw;
  spiral.replace(spiral.find("sip:9001@"), 9, "sip:101@");
  spiral.insert(spiral.find("Via:"), "Via: SIP/2.0/UDP 10.0.0.11:5060;branch=z9hG4bK-pbx\r\nRecord-Route: <sip:10.0.0.11;lr>\r\n");
  r.say(spiral, target_at(0));
  const Seen phone = r.take(kCallee);
  r.say(response_to(phone, 200, {.contact = "sip:101@192.0.2.8:5064"}), kCallee);
  r.take(target_at(0));
  Seen ok = r.take(target_at(0));
  ASSERT_EQ(ok.what(), "200");
  Seen at_caller = ok;
  Dialog caller = support::caller_dialog(invite, at_caller);
  ASSERT_EQ(caller.routes.size(), 3u);
  r.seen.clear();
  r.say(caller.request("BYE"));
  const Seen at_pbx = r.take(target_at(0));
  ASSERT_EQ(at_pbx.what(), "BYE");
  const auto left = at_pbx.sip.all("route");
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[0], "<sip:10.0.0.11;lr>");
  std::string onward = at_pbx.raw;  // the PBX takes its Route off
  onward.erase(onward.find("Route: <sip:10.0.0.11;lr>\r\n"), 27);
  onward.insert(onward.find("Via:"), "Via: SIP/2.0/UDP 10.0.0.11:5060;branch=z9hG4bK-pbx2\r\n");
  r.say(onward, target_at(0));
  EXPECT_EQ(r.all_to(kCallee), "BYE");
}

TEST(CallRoute, WhileDrainingNewCallsAreRefusedAndOldOnesGoOn) {
  Up c;
  c.r.rig->shared.faces[0]->draining = true;
  RequestText other = CallRig::invite();
  other.call_id = "other";
  other.via += "o";
  c.r.say(other);
  const Seen refused = c.r.take(kCaller);
  EXPECT_EQ(refused.what(), "503");
  EXPECT_TRUE(refused.sip.has("retry-after"));
  c.r.say(support::ack_of(other, refused));
  EXPECT_EQ(c.r.seen.size(), 0u);
  c.r.say(c.caller.request("ACK"));
  c.r.say(c.caller.request("INVITE"));
  EXPECT_EQ(c.r.all_to(c.target()), "ACK INVITE");
  c.r.say(c.callee.request("BYE"), c.target());
  EXPECT_EQ(c.r.all_to(kCaller), "100 BYE");
}

TEST(CallRoute, ARefreshedInviteIsNotRecordedAgain) {
  Up c;
  c.r.say(c.caller.request("INVITE").with("Contact: <sip:100@192.0.2.7:5062>"));
  const Seen there = c.r.take(c.target());
  EXPECT_FALSE(there.sip.has("record-route"));
  c.r.say(response_to(there, 200), c.target());
  EXPECT_EQ(c.r.all_to(kCaller), "100 200");
  EXPECT_EQ(c.r.state(static_cast<std::size_t>(c.at)).calls(), 1u);
}

// SIPp's built-in uac sends no Route: the Call-ID finds the target, however it was chosen.
TEST(CallRoute, WithoutARouteTheCallIdFindsTheTarget) {
  for (const auto algorithm : balance::kAlgorithmNames) {
    CallOptions options;
    options.targets = 4;
    options.algorithm = *balance::algorithm_named(algorithm);
    CallRig r(options);
    for (int i = 0; i < 12; ++i) {
      RequestText invite = CallRig::invite("900" + std::to_string(i));
      invite.call_id = "plain-" + std::to_string(i);
      invite.via += invite.call_id;
      Seen there, answer;
      const int at = r.call_target(invite, &there, &answer);
      ASSERT_GE(at, 0);
      r.seen.clear();
      int branch = 0;
      for (const char* method : {"ACK", "INFO", "BYE", "BYE"}) {
        RequestText next = invite;
        next.lines.clear();
        next.method = method;
        next.to = answer.get("to");
        next.via += method + std::to_string(++branch);
        r.say(next);
        const Seen got = r.take(target_at(static_cast<std::uint8_t>(at)));
        EXPECT_EQ(got.what(), method) << algorithm << " call " << i;
        if (got.what() == "BYE") r.say(response_to(got, 200), got.to);
        r.seen.clear();
      }
    }
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(r.state(i).calls(), 0u) << algorithm;
  }
}

}  // namespace
}  // namespace ringweir::shard
