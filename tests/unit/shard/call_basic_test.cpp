// A call through the edge, message by message (RFC 3261 16.6, 16.7, 17, 13).
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
using support::RequestText;
using support::response_to;
using support::Seen;
using support::target_at;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(Call, UserCallsUserAndEitherEndsIt) {
  for (const bool callee_ends : {false, true}) {
    CallRig r;
    r.registers("101", kCallee);
    RequestText invite = CallRig::invite("101");
    r.say(invite);
    EXPECT_EQ(r.all_to(kCaller), "100");
    const Seen there = r.take(kCallee);
    ASSERT_EQ(there.what(), "INVITE");
    EXPECT_EQ(there.uri(), "sip:101@192.0.2.8:5064");
    r.say(response_to(there, 180), kCallee);
    EXPECT_EQ(r.all_to(kCaller), "180");
    r.say(response_to(there, 200, {.contact = "sip:101@192.0.2.8:5064"}), kCallee);
    const Seen answer = r.take(kCaller);
    ASSERT_EQ(answer.what(), "200");
    Dialog caller = support::caller_dialog(invite, answer), callee = support::callee_dialog(there, "callee1", kCallee);
    ASSERT_EQ(caller.routes.size(), 1u);

    r.say(caller.request("ACK"));
    const Seen ack = r.take(kCallee);
    EXPECT_EQ(ack.what(), "ACK");
    EXPECT_EQ(ack.uri(), "sip:101@192.0.2.8:5064");
    EXPECT_FALSE(ack.sip.has("route"));

    const auto& [from, to] = callee_ends ? std::pair{kCallee, kCaller} : std::pair{kCaller, kCallee};
    r.say((callee_ends ? callee : caller).request("BYE"), from);
    const Seen bye = r.take(to);
    ASSERT_EQ(bye.what(), "BYE");
    EXPECT_EQ(bye.uri(), callee_ends ? "sip:100@192.0.2.7:5062" : "sip:101@192.0.2.8:5064");
    r.say(response_to(bye, 200), to);
    EXPECT_EQ(r.all_to(from), "200");
    EXPECT_EQ(r.seen.size(), 0u);
    EXPECT_EQ(r.leftovers(), "");
    EXPECT_EQ(r.seen.size(), 0u) << r.seen.front().raw;
  }
}

TEST(Call, GoesToAnUpstreamAndIsEndedByEither) {
  for (const bool target_ends : {false, true}) {
    CallRig r({.targets = 1});
    RequestText invite = CallRig::invite();
    Seen there, answer;
    ASSERT_EQ(r.call_target(invite, &there, &answer), 0);
    EXPECT_EQ(there.uri(), "sip:9001@example.com");
    EXPECT_EQ(r.state(0).calls(), 1u);
    EXPECT_EQ(r.state(0).outstanding(), 0u);
    Dialog caller = support::caller_dialog(invite, answer), callee = support::callee_dialog(there, "callee1", target_at(0));
    r.say(caller.request("ACK"));
    EXPECT_EQ(r.all_to(target_at(0)), "ACK");
    const auto& [from, to] = target_ends ? std::pair{target_at(0), kCaller} : std::pair{kCaller, target_at(0)};
    r.say((target_ends ? callee : caller).request("BYE"), from);
    const Seen bye = r.take(to);
    ASSERT_EQ(bye.what(), "BYE");
    r.say(response_to(bye, 200), to);
    EXPECT_EQ(r.all_to(from), "200");
    EXPECT_EQ(r.state(0).calls(), 0u);
    EXPECT_EQ(r.leftovers(), "");
    EXPECT_EQ(r.seen.size(), 0u);
  }
}

TEST(Call, TryingComesAtOnceWithoutATagAndRingingKeepsTheCalleesTag) {
  CallRig r({.targets = 1});
  r.say(CallRig::invite().with("Timestamp: 54"));
  const Seen trying = r.take(kCaller);
  EXPECT_EQ(trying.what(), "100");
  EXPECT_THAT(trying.get("to"), Not(HasSubstr("tag=")));
  EXPECT_EQ(trying.get("timestamp"), "54");
  r.say(response_to(r.take(target_at(0)), 183, {.to_tag = "t9", .lines = {"X-Kept: yes"}, .body = "v=0"}), target_at(0));
  const Seen progress = r.take(kCaller);
  EXPECT_EQ(progress.what(), "183");
  EXPECT_THAT(progress.get("to"), HasSubstr("tag=t9"));
  EXPECT_EQ(progress.get("x-kept"), "yes");
  EXPECT_EQ(progress.sip.body, "v=0");
  EXPECT_EQ(progress.sip.all("via").size(), 1u);
}

// 16.7 step 5: 100 is for one hop.
TEST(Call, ATargetsTryingIsNotForwarded) {
  CallRig r({.targets = 1});
  r.say(CallRig::invite());
  r.say(response_to(r.take(target_at(0)), 100), target_at(0));
  EXPECT_EQ(r.all_to(kCaller), "100");  // ours
}

// 16.6, 18.2.1, RFC 3581 4
TEST(Call, TheRequestThatGoesOnIsEditedAsTheRfcSays) {
  CallRig r({.targets = 1});
  RequestText invite = CallRig::invite();
  invite.via = "SIP/2.0/UDP 10.9.9.9:7000;rport;branch=z9hG4bK-nat";
  invite.body = "v=0\r\n";
  invite.with("Record-Route: <sip:before.example.org;lr>").with("X-Other: kept, as it is");
  r.say(invite);
  const Seen there = r.take(target_at(0));
  const auto vias = there.sip.all("via");
  ASSERT_EQ(vias.size(), 2u);
  EXPECT_THAT(std::string{vias[0]}, StartsWith("SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKf"));
  EXPECT_EQ(vias[1], "SIP/2.0/UDP 10.9.9.9:7000;rport=5062;branch=z9hG4bK-nat;received=192.0.2.7");
  EXPECT_EQ(there.get("max-forwards"), "69");
  const auto record = there.sip.all("record-route");
  ASSERT_EQ(record.size(), 2u);
  EXPECT_THAT(std::string{record[0]}, StartsWith("<sip:192.0.2.10:5060;lr;rw="));
  EXPECT_EQ(record[1], "<sip:before.example.org;lr>");
  EXPECT_EQ(there.get("x-other"), "kept, as it is");
  EXPECT_EQ(there.sip.body, "v=0\r\n");
  EXPECT_EQ(there.get("to"), "<sip:9001@example.com>");
}

// 16.6 step 3
TEST(Call, MaxForwardsThatIsMissingBecomes70AndThatIsUsedUpIs483) {
  CallRig r({.targets = 1});
  RequestText invite = CallRig::invite();
  invite.max_forwards.clear();
  r.say(invite);
  EXPECT_EQ(r.take(target_at(0)).get("max-forwards"), "70");
  invite.max_forwards = "0";
  invite.via += "2";
  r.say(invite);
  EXPECT_EQ(r.all_to(target_at(0)), "");
  EXPECT_EQ(r.all_to(kCaller), "100 483");
  invite.max_forwards = "256";
  invite.via += "3";
  r.say(invite);
  EXPECT_EQ(r.all_to(kCaller), "400");
}

// RFC 5393 5.3.3: every request that is proxied says how wide it may still be forked.
TEST(Call, EveryProxiedRequestCarriesMaxBreadth) {
  CallRig r({.targets = 1});
  RequestText invite = CallRig::invite();
  Seen there, answer;
  ASSERT_EQ(r.call_target(invite, &there, &answer), 0);
  EXPECT_EQ(there.get("max-breadth"), "60");
  Dialog caller = support::caller_dialog(invite, answer);
  r.say(caller.request("INFO"));
  EXPECT_EQ(r.take(target_at(0)).get("max-breadth"), "60");
  RequestText narrow = CallRig::invite(), wide = CallRig::invite();
  narrow.call_id = "narrow";
  narrow.via += "n";
  r.say(narrow.with("Max-Breadth: 5"));
  EXPECT_EQ(r.take(target_at(0)).get("max-breadth"), "5");
  wide.call_id = "wide";
  wide.via += "w";
  r.say(wide.with("Max-Breadth: 5000"));
  EXPECT_EQ(r.take(target_at(0)).get("max-breadth"), "60");
}

TEST(Call, MaxBreadthIsSharedByTheForksAnd440WhenItDoesNotGoRound) {
  CallRig r;
  r.registers("101", kCallee);
  const Endpoint second{kCallee.ip, 5066};
  r.registers("101", second);
  RequestText invite = CallRig::invite("101");
  r.say(invite.with("Max-Breadth: 7"));
  EXPECT_EQ(r.take(kCallee).get("max-breadth"), "3");
  EXPECT_EQ(r.take(second).get("max-breadth"), "3");
  for (const char* breadth : {"Max-Breadth: 1", "Max-Breadth: 0"}) {
    RequestText more = CallRig::invite("101");
    more.call_id = breadth;
    std::erase_if(more.call_id, [](char c) { return c == ' ' || c == ':'; });
    more.via += more.call_id;
    r.seen.clear();
    r.say(more.with(breadth));
    EXPECT_EQ(r.all_to(kCaller), "440");
    EXPECT_EQ(r.all_to(kCallee), "");
  }
}

// 16.3 step 5
TEST(Call, ProxyRequireIs420WithWhatIsNotUnderstood) {
  CallRig r({.targets = 1});
  r.say(CallRig::invite().with("Proxy-Require: privacy, x-magic"));
  const Seen answer = r.take(kCaller);
  EXPECT_EQ(answer.what(), "420");
  EXPECT_EQ(answer.get("unsupported"), "privacy, x-magic");
  RequestText other = CallRig::invite();
  other.via += "r";
  r.say(other.with("Require: 100rel"));  // of the callee, not of us
  EXPECT_EQ(r.take(target_at(0)).get("require"), "100rel");
}

TEST(Call, TwoListenersAreRecordedTwiceAndBothAreTakenOff) {
  const Endpoint inner{IpAddress::v4(10, 0, 0, 1), 5080};
  CallRig r({.endpoints = {support::kEdge, inner}});
  r.registers("101", kCallee, {}, 1);  // came by the inner socket: is reached by it
  RequestText invite = CallRig::invite("101");
  r.say(invite, kCaller, 0);
  const Seen there = r.take(kCallee);
  EXPECT_EQ(there.socket, 1);
  EXPECT_THAT(there.get("via"), StartsWith("SIP/2.0/UDP 10.0.0.1:5080;"));
  const auto record = there.sip.all("record-route");
  ASSERT_EQ(record.size(), 2u);
  EXPECT_THAT(std::string{record[0]}, StartsWith("<sip:10.0.0.1:5080;lr"));   // the side of the callee on top (RFC 5658 3)
  EXPECT_THAT(std::string{record[1]}, StartsWith("<sip:192.0.2.10:5060;lr"));
  r.say(response_to(there, 200, {.contact = "sip:101@192.0.2.8:5064"}), kCallee, 1);
  EXPECT_EQ(r.take(kCaller).what(), "100");
  const Seen answer = r.take(kCaller);
  ASSERT_EQ(answer.what(), "200");
  EXPECT_EQ(answer.socket, 0);
  Dialog caller = support::caller_dialog(invite, answer), callee = support::callee_dialog(there, "callee1", kCallee);
  r.say(caller.request("ACK"), kCaller, 0);
  const Seen ack = r.take(kCallee);
  EXPECT_EQ(ack.what(), "ACK");
  EXPECT_EQ(ack.socket, 1);
  EXPECT_FALSE(ack.sip.has("route"));
  r.say(callee.request("BYE"), kCallee, 1);
  const Seen bye = r.take(kCaller);
  EXPECT_EQ(bye.what(), "BYE");
  EXPECT_EQ(bye.socket, 0);
  EXPECT_FALSE(bye.sip.has("route"));
}

TEST(Call, CrossesFromIpv4ToIpv6AndBack) {
  const Endpoint six{*parse_ip("2001:db8::10"), 5060}, phone{*parse_ip("2001:db8::8"), 5064};
  CallRig r({.endpoints = {support::kEdge, six}});
  r.registers("101", phone, {}, 1);
  RequestText invite = CallRig::invite("101");
  r.say(invite, kCaller, 0);
  const Seen there = r.take(phone);
  ASSERT_EQ(there.what(), "INVITE");
  EXPECT_EQ(there.socket, 1);
  const auto record = there.sip.all("record-route");
  ASSERT_EQ(record.size(), 2u);
  EXPECT_THAT(std::string{record[0]}, StartsWith("<sip:[2001:db8::10]:5060;lr"));
  r.say(response_to(there, 200, {.contact = "sip:101@[2001:db8::8]:5064"}), phone, 1);
  r.take(kCaller);
  const Seen answer = r.take(kCaller);
  ASSERT_EQ(answer.what(), "200");
  Dialog caller = support::caller_dialog(invite, answer), callee = support::callee_dialog(there, "callee1", phone);
  r.say(caller.request("ACK"), kCaller, 0);
  EXPECT_EQ(r.all_to(phone), "ACK");
  r.say(callee.request("BYE"), phone, 1);
  EXPECT_EQ(r.all_to(kCaller), "BYE");
}

TEST(Call, ARetransmittedInviteGetsTheLastAnswerAgainAndGoesNowhere) {
  CallRig r({.targets = 1});
  const RequestText invite = CallRig::invite();
  r.say(invite);
  const Seen there = r.take(target_at(0));
  EXPECT_EQ(r.all_to(kCaller), "100");
  r.say(invite);
  EXPECT_EQ(r.all_to(kCaller), "100");
  r.say(response_to(there, 180), target_at(0));
  r.say(invite);
  EXPECT_EQ(r.all_to(kCaller), "180 180");
  r.say(response_to(there, 486), target_at(0));
  r.say(invite);
  EXPECT_EQ(r.all_to(kCaller), "486 486");
  EXPECT_EQ(r.all_to(target_at(0)), "ACK");
}

// RFC 6026 7.1: after a 2xx the INVITE again is absorbed, and the callee's 2xx again goes through.
TEST(Call, ARetransmitted200GoesThroughAndTheInviteAgainIsAbsorbed) {
  CallRig r({.targets = 1});
  const RequestText invite = CallRig::invite();
  Seen there;
  ASSERT_EQ(r.call_target(invite, &there), 0);
  r.say(invite);
  EXPECT_EQ(r.all_to(kCaller), "");
  EXPECT_EQ(r.all_to(target_at(0)), "");
  for (int i = 0; i < 3; ++i) r.say(response_to(there, 200), target_at(0));
  EXPECT_EQ(r.all_to(kCaller), "200 200 200");
  EXPECT_EQ(r.leftovers(), "");
}

TEST(Call, ARetransmittedByeIsAnsweredFromMemory) {
  CallRig r({.targets = 1});
  RequestText invite = CallRig::invite();
  Seen there, answer;
  ASSERT_EQ(r.call_target(invite, &there, &answer), 0);
  Dialog caller = support::caller_dialog(invite, answer);
  const RequestText bye = caller.request("BYE");
  r.say(bye);
  r.say(bye);
  const Seen bye_there = r.take(target_at(0));
  EXPECT_EQ(r.all_to(target_at(0)), "");
  EXPECT_EQ(r.all_to(kCaller), "");
  r.say(response_to(bye_there, 200), target_at(0));
  r.say(bye);
  EXPECT_EQ(r.all_to(kCaller), "200 200");
  r.say(response_to(bye_there, 200), target_at(0));  // late twin
  EXPECT_EQ(r.all_to(kCaller), "");
  EXPECT_EQ(r.leftovers(), "");
}

// 17.1.1.3: with the branch of the INVITE as it was sent; 17.2.1: the caller's ACK ends Timer G.
TEST(Call, AnAckToAnotherFinalThan2xxIsOneHops) {
  CallRig r({.targets = 1});
  const RequestText invite = CallRig::invite();
  r.say(invite);
  const Seen there = r.take(target_at(0));
  r.say(response_to(there, 486, {.to_tag = "busy"}), target_at(0));
  const Seen ack = r.take(target_at(0));
  EXPECT_EQ(ack.what(), "ACK");
  EXPECT_EQ(ack.branch(), there.branch());
  EXPECT_EQ(ack.sip.all("via").size(), 1u);
  EXPECT_EQ(ack.uri(), there.uri());
  EXPECT_THAT(ack.get("to"), HasSubstr("tag=busy"));
  EXPECT_EQ(ack.get("cseq"), "1 ACK");
  r.say(response_to(there, 486, {.to_tag = "busy"}), target_at(0));
  EXPECT_EQ(r.all_to(target_at(0)), "ACK");  // again, each time
  r.take(kCaller);
  const Seen busy = r.take(kCaller);
  EXPECT_EQ(busy.what(), "486");
  r.say(support::ack_of(invite, busy));
  r.pass(3s);
  EXPECT_EQ(r.all_to(kCaller), "");
  EXPECT_EQ(r.all_to(target_at(0)), "");
  EXPECT_EQ(r.leftovers(), "");
}

// Without a magic cookie nothing but the fields together tells transactions apart (17.2.3).
TEST(Call, AnOldStyleCallIsRetransmittedCancelledAndAcknowledged) {
  for (const char* branch : {"", ";branch=1", ";branch=z9hG4bK"}) {
    CallRig r({.targets = 1});
    RequestText invite = CallRig::invite();
    invite.via = std::string{"SIP/2.0/UDP 192.0.2.7:5062"} + branch;
    r.say(invite);
    const Seen there = r.take(target_at(0));
    ASSERT_EQ(there.what(), "INVITE") << branch;
    r.say(invite);
    EXPECT_EQ(r.all_to(target_at(0)), "") << branch;
    r.say(response_to(there, 180), target_at(0));
    r.seen.clear();
    r.say(support::cancel_of(invite));
    EXPECT_EQ(r.all_to(kCaller), "200") << branch;
    const Seen cancel = r.take(target_at(0));
    EXPECT_EQ(cancel.what(), "CANCEL");
    r.say(response_to(cancel, 200), target_at(0));
    r.say(response_to(there, 487), target_at(0));
    EXPECT_EQ(r.all_to(target_at(0)), "ACK");
    const Seen terminated = r.take(kCaller);
    EXPECT_EQ(terminated.what(), "487");
    r.say(support::ack_of(invite, terminated));
    EXPECT_EQ(r.all_to(target_at(0)), "") << branch;  // one hop's, not passed on
    r.pass(5s);
    EXPECT_EQ(r.all_to(kCaller), "") << branch;       // not repeated: it was acknowledged
    EXPECT_EQ(r.leftovers(), "");
  }
}

TEST(Call, StripAndPrefixChangeTheUserThatTheTargetSees) {
  CallRig r({.targets = 1, .strip = 1, .prefix = "00"});
  const RequestText invite = CallRig::invite("9123");
  r.say(invite);
  const Seen there = r.take(target_at(0));
  EXPECT_EQ(there.uri(), "sip:00123@example.com");
  EXPECT_EQ(there.get("to"), "<sip:9123@example.com>");
  r.say(response_to(there, 486), target_at(0));
  EXPECT_EQ(r.take(target_at(0)).uri(), "sip:00123@example.com");  // the ACK
}

TEST(Call, OtherMethodsPassToAUserAndToAnUpstream) {
  for (const char* method : {"MESSAGE", "OPTIONS", "REFER", "SUBSCRIBE", "NOTIFY", "INFO", "UPDATE", "PRACK", "PUBLISH", "X-OWN"}) {
    for (const bool farm : {false, true}) {
      CallRig r({.targets = 1});
      r.registers("101", kCallee);
      RequestText request = CallRig::invite(farm ? "9001" : "101");
      request.method = method;
      request.body = "text";
      r.say(request);
      const Endpoint to = farm ? target_at(0) : kCallee;
      const Seen there = r.take(to);
      EXPECT_EQ(there.what(), method);
      EXPECT_EQ(there.sip.body, "text");
      EXPECT_EQ(r.all_to(kCaller), "") << method;  // no 100: not an INVITE
      r.say(response_to(there, 202), to);
      EXPECT_EQ(r.all_to(kCaller), "202") << method;
      EXPECT_EQ(r.leftovers(), "") << method;
    }
  }
}

TEST(Call, RegisterGoesToAnUpstreamThatARouteNames) {
  CallRig r({.targets = 1, .routes = [](support::SnapshotOptions& options) {
    options.routes.front().match.methods = {"REGISTER"};
    options.routes.front().match.has_user = false;
  }});
  RequestText request;
  request.with("Contact: <sip:100@192.0.2.7:5062>").with("Authorization: Digest username=\"100\", realm=\"example.com\"");
  r.say(request);
  const Seen there = r.take(target_at(0));
  ASSERT_EQ(there.what(), "REGISTER");
  EXPECT_FALSE(there.sip.has("record-route"));
  EXPECT_TRUE(there.sip.has("authorization"));  // the registrar's business
  r.say(request);
  EXPECT_EQ(r.all_to(target_at(0)), "");
  r.say(response_to(there, 200), target_at(0));
  r.say(request);
  EXPECT_EQ(r.all_to(kCaller), "200 200");
  request.via += "p";
  r.say(request.with("Proxy-Require: x-magic"));
  const Seen refused = r.take(kCaller);
  EXPECT_EQ(refused.what(), "420");
  EXPECT_EQ(refused.get("unsupported"), "x-magic");
  EXPECT_EQ(r.leftovers(), "");
}

TEST(Call, NobodyRegisteredIs480OrWhatTheRouteSays) {
  CallRig r;
  r.say(CallRig::invite("101"));
  EXPECT_EQ(r.all_to(kCaller), "480");
  CallRig other({.routes = [](support::SnapshotOptions& options) { options.routes.back().action.code = 404; }});
  other.say(CallRig::invite("101"));
  EXPECT_EQ(other.all_to(kCaller), "404");
}

TEST(Call, AForeignDomainIs403) {
  CallRig r;
  RequestText invite = CallRig::invite("101");
  invite.uri = "sip:101@elsewhere.example.org";
  r.say(invite);
  EXPECT_EQ(r.all_to(kCaller), "403");
  EXPECT_EQ(r.seen.size(), 0u);
}

// 16.4: an address of ours as maddr was for finding us; it goes.
TEST(Call, OurMaddrIsTakenOffTheRequestUri) {
  CallRig r({.targets = 1});
  RequestText invite = CallRig::invite();
  invite.uri = "sip:9001@example.com;maddr=192.0.2.10;user=phone";
  r.say(invite);
  EXPECT_EQ(r.take(target_at(0)).uri(), "sip:9001@example.com;user=phone");
  invite.uri = "sip:9001@example.com;maddr=203.0.113.5";
  invite.via += "m";
  r.say(invite);
  EXPECT_EQ(r.take(target_at(0)).uri(), invite.uri);  // somebody else's stays
}

// Whatever the size of the buffers it goes through: the small one, the large one, and what is just too much for the small.
TEST(Call, MessagesOfAnySizeGoThrough) {
  for (const bool stateless : {false, true}) {
    CallOptions options;
    options.targets = 1;
    options.stateless = stateless;
    options.rig.driver.octets_each = 8'192;
    CallRig r(options);
    for (std::size_t size = 6'000; size < 8'000; size += 13) {
      RequestText message = CallRig::invite();
      message.method = "MESSAGE";
      message.via += std::to_string(size);
      message.body = std::string(size, 'b');
      if (message.text().size() > 8'192) break;
      r.say(message);
      const Seen there = r.take(target_at(0));
      ASSERT_EQ(there.sip.body, message.body);
      const std::string answer = response_to(there, 200, {.body = std::string(size, 'a')});
      if (answer.size() > 8'192) break;
      r.say(answer, target_at(0));
      ASSERT_EQ(r.take(kCaller).sip.body.size(), size) << stateless;
    }
  }
}

// A 302 with the contacts (8.3), the most wanted first by q; nothing is forwarded and the ACK ends here.
TEST(Call, RedirectNamesTheContactsOrTheTarget) {
  const auto redirect = [](proxy::Action::Kind kind) {
    return [kind](support::SnapshotOptions& options) {
      for (auto& route : options.routes) {
        if (route.action.kind != proxy::Action::Kind::register_local) route.action.kind = kind;
      }
    };
  };
  CallRig users({.routes = redirect(proxy::Action::Kind::redirect_location)});
  users.registers("101", kCallee, "q=0.3");
  users.registers("101", {kCallee.ip, 5070}, "q=0.9");
  const RequestText invite = CallRig::invite("101");
  users.say(invite);
  const Seen answer = users.take(kCaller);
  EXPECT_EQ(answer.what(), "302");
  const auto contacts = answer.sip.all("contact");
  ASSERT_EQ(contacts.size(), 2u);
  std::string both{contacts[0]};
  both += contacts[1];
  EXPECT_THAT(both, HasSubstr("<sip:101@192.0.2.8:5064>;q=0.3"));
  EXPECT_THAT(both, HasSubstr("<sip:101@192.0.2.8:5070>;q=0.9"));
  users.say(support::ack_of(invite, answer));
  EXPECT_EQ(users.seen.size(), 0u);
  users.say([] { RequestText other = CallRig::invite("102"); other.via += "n"; return other; }());
  EXPECT_EQ(users.all_to(kCaller), "480");

  CallRig farm({.targets = 1, .routes = redirect(proxy::Action::Kind::redirect_upstream)});
  farm.say(CallRig::invite());
  const Seen elsewhere = farm.take(kCaller);
  EXPECT_EQ(elsewhere.what(), "302");
  EXPECT_EQ(elsewhere.get("contact"), "<sip:9001@10.0.0.11:5060>;q=1.0");
}

// 17.1.1.3: the ACK of an answer of our own ends here; by the routes it would reach whoever was to be called.
TEST(Call, TheAckOfOurOwnRefusalGoesNoFurther) {
  struct Case {
    const char* status;
    RequestText invite;
  };
  std::vector<Case> cases{{"483", CallRig::invite()}, {"420", CallRig::invite().with("Proxy-Require: x")},
                          {"482", CallRig::invite()}, {"440", CallRig::invite().with("Max-Breadth: 0")}};
  cases[0].invite.max_forwards = "0";
  for (Case& one : cases) {
    CallRig r({.targets = 1});
    if (std::string_view{one.status} == "482") {
      RequestText once = CallRig::invite();
      r.say(once);
      const Seen there = r.take(target_at(0));
      r.seen.clear();
      std::string looped = there.raw;
      r.say(looped, target_at(0));
      const Seen refused = r.take(target_at(0));
      ASSERT_EQ(refused.what(), "482");
      std::string ack = "ACK " + there.uri() + " SIP/2.0\r\nVia: " + there.get("via") + "\r\nFrom: " + there.get("from") + "\r\nTo: " +
                        refused.get("to") + "\r\nCall-ID: " + there.get("call-id") + "\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n";
      r.say(ack, target_at(0));
      EXPECT_EQ(r.seen.size(), 0u);
      continue;
    }
    r.say(one.invite);
    const Seen refused = r.take(kCaller);
    ASSERT_EQ(refused.what(), one.status);
    r.say(support::ack_of(one.invite, refused));
    EXPECT_EQ(r.seen.size(), 0u) << one.status << ": " << r.seen.front().raw;
  }
}

}  // namespace
}  // namespace ringweir::shard
