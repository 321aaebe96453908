// What each kind of message gets from the edge, one decision a test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/conversation.h"

namespace ringweir::shard {
namespace {

using support::Conversation;
using support::RequestText;
using support::SnapshotOptions;
using testing::HasSubstr;
using testing::StartsWith;

RequestText options_request() {
  RequestText request;
  request.method = "OPTIONS";
  return request;
}
RequestText register_request() {
  RequestText request;
  request.with("Contact: <sip:100@192.0.2.7:5062>;expires=600");
  return request;
}
int status_of(Conversation& c, const RequestText& request) {
  const auto answer = c.say(request);
  return answer ? answer->status : 0;
}

TEST(Edge, AnswersOptionsWithWhatItCanDo) {
  Conversation c;
  const auto answer = c.say(options_request());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(std::string{answer->get("allow")}, HasSubstr("REGISTER"));
  EXPECT_EQ(answer->get("accept"), "application/sdp");
  EXPECT_TRUE(answer->has("supported"));
  EXPECT_EQ(answer->get("content-length"), "0");
  EXPECT_EQ(answer->get("call-id"), "call-1@192.0.2.7");
  EXPECT_EQ(answer->get("cseq"), "1 OPTIONS");
  EXPECT_THAT(std::string{answer->get("via")}, HasSubstr("received=192.0.2.7"));
  EXPECT_THAT(std::string{answer->get("via")}, HasSubstr("rport=5062"));
  EXPECT_FALSE(support::parameter_of(answer->get("to"), "tag").empty());
  EXPECT_EQ(c.went_to, support::kPhone);
}

// RFC 3581 4: without rport the response goes to the port of sent-by, at the address it came from.
TEST(Edge, AnswersToSentBysPortWithoutRport) {
  Conversation c;
  RequestText request = options_request();
  request.via = "SIP/2.0/UDP 10.1.1.1:7000;branch=z9hG4bK-1";
  ASSERT_TRUE(c.say(request));
  EXPECT_EQ(c.went_to, (Endpoint{support::kPhone.ip, 7000}));
}

TEST(Edge, NamesTheHeaderInA400) {
  struct Case {
    const char* reason;
    void (*spoil)(RequestText&);
  };
  const Case cases[] = {
      {"From", [](RequestText& r) { r.from.clear(); }},
      {"To", [](RequestText& r) { r.to.clear(); }},
      {"From", [](RequestText& r) { r.from = "<sip:100@example.com"; }},
      {"CSeq", [](RequestText& r) { r.cseq_method = "INVITE"; }},
  };
  for (const Case& one : cases) {
    Conversation c;
    RequestText request = options_request();
    one.spoil(request);
    const auto answer = c.say(request);
    ASSERT_TRUE(answer) << request.text();
    EXPECT_EQ(answer->status, 400);
    EXPECT_THAT(answer->start_line, HasSubstr(one.reason));
    EXPECT_EQ(c.counters().malformed.read(), 1u);
  }
}

TEST(Edge, RefusesHeadersThatContradictEachOther) {
  Conversation c;
  EXPECT_EQ(status_of(c, options_request().with("Content-Length: 10")), 400);
  EXPECT_EQ(status_of(c, options_request().with("CSeq: 2 OPTIONS")), 400);
}

TEST(Edge, RefusesAForeignDomainWith404) {
  Conversation c;
  RequestText request = register_request();
  request.uri = "sip:elsewhere.example.org";
  EXPECT_EQ(status_of(c, request), 404);
}

TEST(Edge, RefusesAForeignAorWith404) {
  Conversation c;
  RequestText request = register_request();
  request.to = "<sip:100@elsewhere.example.org>";
  EXPECT_EQ(c.authorised(request).status, 404);
}

TEST(Edge, RefusesToBindSomebodyElsesAorWith403) {
  Conversation c;
  RequestText request = register_request();
  request.to = "<sip:101@example.com>";
  EXPECT_EQ(c.authorised(request, "100", "100").status, 403);
  EXPECT_EQ(c.rig.live(), 0u);
}

TEST(Edge, RefusesWhatNoRouteWantsWith403) {
  Conversation c;
  RequestText request = options_request();
  request.uri = "sip:9@elsewhere.example.org";
  EXPECT_EQ(status_of(c, request), 403);
}

TEST(Edge, RefusesAMethodItDoesNotServeWith405AndAllow) {
  Conversation c;
  RequestText request;
  request.method = "SUBSCRIBE";
  const auto answer = c.say(request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 405);
  EXPECT_THAT(std::string{answer->get("allow")}, HasSubstr("OPTIONS"));
}

TEST(Edge, RefusesAnUnknownSchemeWith416) {
  Conversation c;
  RequestText request = options_request();
  request.uri = "mailto:100@example.com";
  EXPECT_EQ(status_of(c, request), 416);
}

TEST(Edge, NamesTheExtensionsItDoesNotKnowIn420) {
  for (const char* method : {"OPTIONS", "REGISTER"}) {
    Conversation c;
    RequestText request;
    request.method = method;
    const auto answer = c.say(request.with("Require: 100rel, teleport"));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 420);
    EXPECT_EQ(answer->get("unsupported"), "100rel, teleport");
  }
}

TEST(Edge, TellsTheMinimumIn423) {
  Conversation c;
  RequestText request;
  request.with("Contact: <sip:100@192.0.2.7:5062>;expires=5");
  const support::SipText answer = c.authorised(request);
  EXPECT_EQ(answer.status, 423);
  EXPECT_EQ(answer.get("min-expires"), "60");
}

TEST(Edge, AnswersACancelOfNothingWith481) {
  Conversation c;
  RequestText request = options_request();
  request.method = "CANCEL";
  EXPECT_EQ(status_of(c, request), 481);
}

TEST(Edge, AnswersAnotherVersionWith505) {
  Conversation c;
  RequestText request = options_request();
  request.version = "SIP/3.0";
  EXPECT_EQ(status_of(c, request), 505);
}

TEST(Edge, AnswersWhatIsTooLargeWith513) {
  Conversation c;
  RequestText request = options_request();
  request.with("Subject: " + std::string(6'000, 'x'));  // over the driver's 4 KiB: cut off
  EXPECT_EQ(status_of(c, request), 513);
}

TEST(Edge, IsSilentToAnAckAndCountsIt) {
  Conversation c;
  RequestText request = options_request();
  request.method = "ACK";
  EXPECT_EQ(status_of(c, request), 0);
  EXPECT_EQ(c.dropped(Dropped::stray_ack), 1u);
}

TEST(Edge, IsSilentToAnAckThatIsMalformed) {
  Conversation c;
  RequestText request = options_request();
  request.method = "ACK";
  request.from.clear();
  EXPECT_EQ(status_of(c, request), 0);
}

TEST(Edge, IsSilentToAStrayResponse) {
  Conversation c;
  const auto own = c.say(options_request());
  ASSERT_TRUE(own);
  EXPECT_FALSE(c.say(std::string{c.raw}));
  EXPECT_EQ(c.dropped(Dropped::stray_response), 1u);
}

TEST(Edge, IsSilentWithoutAUsableVia) {
  Conversation c;
  RequestText request = options_request();
  request.via = "nonsense";
  EXPECT_EQ(status_of(c, request), 0);
  EXPECT_EQ(c.dropped(Dropped::unanswerable), 1u);
}

TEST(Edge, IsSilentToGarbageAndToTextWithoutACallId) {
  Conversation c;
  EXPECT_FALSE(c.say(std::string_view("\x00\xff\x17\x03\x01", 5)));
  EXPECT_EQ(c.dropped(Dropped::garbage), 1u);
  RequestText request = options_request();
  request.call_id.clear();
  EXPECT_FALSE(c.say(request));
  EXPECT_EQ(c.dropped(Dropped::no_call_id), 1u);
  EXPECT_EQ(c.rig.drivers[0]->buffers_taken(), 0u);
}

// RFC 5626 4.4.1.
TEST(Edge, AnswersADoubleCrlfWithOne) {
  Conversation c;
  c.say("\r\n\r\n");
  EXPECT_EQ(c.raw, "\r\n");
  c.say("\r\n");
  EXPECT_EQ(c.raw, "");
}

TEST(Edge, ChallengesByWwwAuthenticate) {
  Conversation c;
  const auto answer = c.say(register_request());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 401);
  const std::string challenge{answer->get("www-authenticate")};
  EXPECT_THAT(challenge, StartsWith("Digest "));
  EXPECT_THAT(challenge, HasSubstr("realm=\"example.com\""));
  EXPECT_THAT(challenge, HasSubstr("algorithm=MD5"));
  EXPECT_THAT(challenge, HasSubstr("qop=\"auth\""));
  EXPECT_EQ(support::parameter_of(challenge, "nonce").size(), auth::kNonceChars);
  EXPECT_FALSE(answer->has("proxy-authenticate"));
}

TEST(Edge, ChallengesInTheConfiguredOrderByProxyAuthenticateWhenToldTo) {
  SnapshotOptions options;
  options.proxy = true;
  options.algorithms = {auth::Algorithm::sha256, auth::Algorithm::md5};
  Conversation c(options);
  const auto answer = c.say(register_request());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 407);
  const auto challenges = answer->all("proxy-authenticate");
  ASSERT_EQ(challenges.size(), 2u);
  EXPECT_THAT(std::string{challenges[0]}, HasSubstr("SHA-256"));
  EXPECT_THAT(std::string{challenges[1]}, HasSubstr("MD5"));
}

TEST(Edge, AnUnknownUserAndAWrongPasswordLookTheSame) {
  Conversation c;
  RequestText unknown = register_request(), wrong = register_request();
  support::SipText a = c.authorised(unknown, "nobody", "x"), b = c.authorised(wrong, "100", "x");
  EXPECT_EQ(a.status, 401);
  EXPECT_EQ(b.status, 401);
  EXPECT_EQ(support::parameter_of(a.get("www-authenticate"), "stale"), support::parameter_of(b.get("www-authenticate"), "stale"));
}

TEST(Edge, ARetransmissionGetsTheSameAnswerAndChangesNothing) {
  Conversation c;
  RequestText request = register_request();
  const support::SipText first = c.authorised(request);
  ASSERT_EQ(first.status, 200);
  c.rig.clock.advance(31s);
  const auto again = c.say(request);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->status, 200);
  EXPECT_EQ(again->get("to"), first.get("to"));
  EXPECT_THAT(std::string{again->get("contact")}, HasSubstr("expires=569"));  // not refreshed
  EXPECT_EQ(c.counters().retransmissions.read(), 1u);
  EXPECT_EQ(c.rig.live(), 1u);
}

// RFC 3261 17.2.2: a retransmission gets the same answer, so also one that refused.
TEST(Edge, ARetransmissionOfWhatWasRefusedIsToldTheSameReason) {
  SnapshotOptions options;
  options.registrar.contacts_max = 1;
  Conversation c(options);
  RequestText request = register_request();
  request.with("Contact: <sip:100@192.0.2.8:5062>");
  ASSERT_EQ(c.authorised(request).status, 403);
  const std::string first = c.raw;
  EXPECT_THAT(first, StartsWith("SIP/2.0 403 Too Many Contacts\r\n"));
  ASSERT_TRUE(c.say(request));
  EXPECT_EQ(c.raw, first);
  EXPECT_EQ(c.counters().retransmissions.read(), 1u);
}

TEST(Edge, ARetransmissionFindsTheRegistrarAsFullAsBefore) {
  Conversation c({}, {.bindings_max = 1});
  RequestText first = register_request(), second = register_request();
  ASSERT_EQ(c.authorised(first).status, 200);
  second.call_id = "call-2";
  second.lines = {"Contact: <sip:100@192.0.2.8:5062>"};
  ASSERT_EQ(c.authorised(second).status, 503);
  const std::string answer = c.raw;
  EXPECT_THAT(answer, StartsWith("SIP/2.0 503 Registrar Full\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nRetry-After: "));
  ASSERT_TRUE(c.say(second));
  EXPECT_EQ(c.raw, answer);
}

TEST(Edge, AReplayUnderANewBranchIsRefused) {
  Conversation c;
  RequestText request = register_request();
  ASSERT_EQ(c.authorised(request).status, 200);
  request.via += "y";
  ++request.cseq;
  const auto answer = c.say(request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 401);
  EXPECT_EQ(support::parameter_of(answer->get("www-authenticate"), "stale"), "true");
}

// The transaction memory answers before authentication, so it must not tell one user about another.
TEST(Edge, ARetransmissionWithAnotherToIsNoRetransmission) {
  Conversation c;
  RequestText victim = register_request();
  victim.call_id = "victim";
  victim.from = "<sip:101@example.com>;tag=v";
  victim.to = "<sip:101@example.com>";
  ASSERT_EQ(c.authorised(victim, "101", "101").status, 200);
  RequestText request = register_request();
  ASSERT_EQ(c.authorised(request).status, 200);
  request.to = "<sip:101@example.com>";
  const auto answer = c.say(request);
  ASSERT_TRUE(answer);
  EXPECT_NE(answer->status, 200);
  EXPECT_FALSE(answer->has("contact"));
}

TEST(Edge, AnOldCSeqIsRefused) {
  Conversation c;
  RequestText request = register_request();
  request.cseq = 10;
  ASSERT_EQ(c.authorised(request).status, 200);
  RequestText older = register_request();
  older.via += "old";
  older.cseq = 3;
  EXPECT_EQ(c.authorised(older).status, 500);
}

TEST(Edge, AQueryListsWithoutChangingAnything) {
  Conversation c;
  RequestText request = register_request();
  ASSERT_EQ(c.authorised(request).status, 200);
  RequestText query;
  query.call_id = "query";
  query.via += "q";
  const support::SipText answer = c.authorised(query);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(std::string{answer.get("contact")}, HasSubstr("<sip:100@192.0.2.7:5062>;expires=600"));
  EXPECT_TRUE(answer.has("date"));
}

TEST(Edge, LooksUpTheLocationOfWhoIsCalled) {
  Conversation c;
  RequestText call = options_request();
  call.uri = "sip:100@example.com";
  EXPECT_EQ(status_of(c, call), 480);
  RequestText request = register_request();
  ASSERT_EQ(c.authorised(request).status, 200);
  const auto forwarded = c.say(call.text());
  ASSERT_TRUE(forwarded);
  EXPECT_EQ(forwarded->status, 0);  // the request itself, on its way to who is present
  EXPECT_EQ(c.went_to, support::kPhone);
  c.rig.clock.advance(601s);
  call.via += "-later";
  EXPECT_EQ(status_of(c, call), 480);
}

// The owner's queue is full: 503 with Retry-After from the shard that received it.
TEST(Edge, ShedsWith503WhatItsOwnerHasNoRoomFor) {
  support::RigOptions rig;
  rig.shards = 2;
  rig.mailbox_depth = 1;
  Conversation c({}, rig);
  int shed = 0;
  for (int i = 0; i < 64; ++i) {
    RequestText request = options_request();
    request.call_id = "call-" + std::to_string(i);
    ASSERT_TRUE(c.rig.drivers[0]->deliver(request.text(), support::kPhone, 0));
  }
  c.rig.turn(0);
  for (const io::SimSent& sent : c.rig.drivers[0]->sent()) {
    const auto answer = support::read_sip(sent.bytes);
    ASSERT_TRUE(answer);
    if (answer->status == 503) {
      ++shed;
      EXPECT_TRUE(answer->has("retry-after"));
    }
  }
  EXPECT_GT(shed, 10);
  EXPECT_EQ(c.counters().mailbox_full.read(), static_cast<std::uint64_t>(shed));
  c.rig.turn_all();
  EXPECT_EQ(c.rig.parcels_out(), 0u);
}

TEST(Edge, ALargeListFitsTheLargerBuffer) {
  SnapshotOptions options;
  options.registrar.contacts_max = 32;
  support::RigOptions rig;
  rig.driver.octets_each = 2'048;
  Conversation c(options, rig);
  support::SipText answer;
  for (int i = 0; i < 20; ++i) {
    RequestText request;
    request.call_id = "call-" + std::to_string(i);
    request.with("Contact: <sip:100@192.0.2.7:5062;line=" + std::to_string(i) + ";x=" + std::string(100, 'x') + ">");
    answer = c.authorised(request);
    ASSERT_EQ(answer.status, 200);
  }
  EXPECT_EQ(answer.all("contact").size(), 20u);
  EXPECT_GT(c.raw.size(), 2'048u);
  EXPECT_EQ(c.rig.drivers[0]->buffers_taken(), 0u);
}

TEST(Edge, WithoutASendBufferItIsSilentAndTheRetransmissionIsAnswered) {
  Conversation c;
  RequestText request = register_request();
  const auto challenge = c.say(request);
  request.with(answer_to(*challenge, request, "100", "100"));
  ++request.cseq;
  request.via += "x";
  c.rig.drivers[0]->fail_buffers(true);
  EXPECT_FALSE(c.say(request));
  EXPECT_EQ(c.dropped(Dropped::no_send_buffer), 1u);
  c.rig.drivers[0]->fail_buffers(false);
  EXPECT_EQ(status_of(c, request), 200);
  EXPECT_EQ(c.rig.live(), 1u);
}

}  // namespace
}  // namespace ringweir::shard
