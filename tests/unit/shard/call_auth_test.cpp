// Who may call: 407 for our own users, and what becomes of credentials on the way (RFC 3261 22.3).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/call_rig.h"
#include "support/conversation.h"

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

const CallOptions kAuthenticated{.targets = 1, .authenticate = {sip::Method::invite, sip::Method::message}};

// Challenge and answer; `request` is left as it was accepted.
void authorise(CallRig& r, RequestText& request, const char* user = "100") {
  r.say(request);
  const Seen challenge = r.take(kCaller);
  ASSERT_EQ(challenge.what(), "407");
  ASSERT_TRUE(challenge.sip.has("proxy-authenticate"));
  r.say(support::ack_of(request, challenge));
  ASSERT_EQ(r.seen.size(), 0u) << "the ACK of a challenge is for us";
  request.with(support::answer_to(challenge.sip, request, user, user));
  ++request.cseq;
  request.via += "x";
  r.say(request);
}

TEST(CallAuth, AUsersInviteIsChallengedAndThenGoesOnWithoutItsCredentials) {
  for (const bool farm : {false, true}) {
    CallRig r(kAuthenticated);
    r.registers("101", kCallee);
    RequestText invite = CallRig::invite(farm ? "9001" : "101");
    invite.with("Proxy-Authorization: Digest username=\"100\", realm=\"other.example.org\", nonce=\"n\", uri=\"sip:x\", response=\"00000000000000000000000000000000\"");
    invite.with("Authorization: Digest username=\"100\", realm=\"example.com\", nonce=\"of the PBX\", uri=\"sip:x\", response=\"00000000000000000000000000000000\"");
    authorise(r, invite);
    EXPECT_EQ(r.all_to(kCaller), "100");
    const Seen there = r.take(farm ? target_at(0) : kCallee);
    ASSERT_EQ(there.what(), "INVITE");
    const auto left = there.sip.all("proxy-authorization");
    ASSERT_EQ(left.size(), 1u);
    EXPECT_THAT(std::string{left[0]}, HasSubstr("other.example.org"));
    EXPECT_TRUE(there.sip.has("authorization"));  // we challenge by Proxy-Authenticate: this one is the callee's
  }
}

TEST(CallAuth, ThePasswordsDigestDoesNotTravelInTheDialogEither) {
  CallRig r(kAuthenticated);
  RequestText invite = CallRig::invite();
  authorise(r, invite);
  const Seen there = r.take(target_at(0));
  r.say(response_to(there, 200, {.contact = "sip:pbx@10.0.0.11"}), target_at(0));
  r.take(kCaller);
  Dialog caller = support::caller_dialog(invite, r.take(kCaller));
  const std::string credentials = invite.lines.back();  // 22.1: the ACK repeats the INVITE's
  ASSERT_THAT(credentials, HasSubstr("Proxy-Authorization"));
  for (const char* method : {"ACK", "INVITE", "BYE"}) {
    r.say(caller.request(method).with(credentials));
    const Seen in_dialog = r.take(target_at(0));
    EXPECT_EQ(in_dialog.what(), method);
    EXPECT_FALSE(in_dialog.sip.has("proxy-authorization")) << method;
  }
}

TEST(CallAuth, AFromThatIsNotTheirsIs403) {
  CallRig r(kAuthenticated);
  RequestText invite = CallRig::invite();
  invite.from = "<sip:101@example.com>;tag=caller1";
  authorise(r, invite, "100");
  EXPECT_EQ(r.all_to(kCaller), "403");
  EXPECT_EQ(r.all_to(target_at(0)), "");
}

TEST(CallAuth, ATargetOfAnUpstreamIsNotChallenged) {
  CallRig r(kAuthenticated);
  r.registers("101", kCallee);
  RequestText invite = CallRig::invite("101");
  invite.via = "SIP/2.0/UDP 10.0.0.11:5060;branch=z9hG4bK-pbx";
  r.say(invite, target_at(0));
  EXPECT_EQ(r.all_to(target_at(0)), "100");
  EXPECT_EQ(r.all_to(kCallee), "INVITE");
}

TEST(CallAuth, OnlyTheMethodsThatAreNamedAreChallenged) {
  CallRig r(kAuthenticated);
  for (const char* method : {"MESSAGE", "INFO"}) {
    RequestText request = CallRig::invite();
    request.method = method;
    request.via += method;
    r.say(request);
    EXPECT_EQ(r.all_to(kCaller), std::string_view{method} == "MESSAGE" ? "407" : "") << method;
  }
  EXPECT_EQ(r.all_to(target_at(0)), "INFO");
}

TEST(CallAuth, AWrongPasswordIsChallengedAgainAndNothingGoesOn) {
  CallRig r(kAuthenticated);
  RequestText invite = CallRig::invite();
  r.say(invite);
  const Seen challenge = r.take(kCaller);
  invite.with(support::answer_to(challenge.sip, invite, "100", "wrong"));
  invite.via += "x";
  r.say(invite);
  EXPECT_EQ(r.all_to(kCaller), "407");
  EXPECT_EQ(r.seen.size(), 0u);
  EXPECT_EQ(r.leftovers(), "");
}

}  // namespace
}  // namespace ringweir::shard
