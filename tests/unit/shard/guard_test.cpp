// What a shard does not take on: more than one source may ask, attempts after too many wrong passwords, new work under overload.
#include <gtest/gtest.h>

#include "support/conversation.h"

namespace ringweir::shard {
namespace {

using support::Conversation;
using support::RequestText;
using support::SnapshotOptions;

const Endpoint kOther{IpAddress::v4(192, 0, 2, 99), 5060};

RequestText options_request(int n = 0) {
  RequestText request;
  request.method = "OPTIONS";
  request.via += std::to_string(n);
  return request;
}
RequestText register_request() {
  RequestText request;
  request.with("Contact: <sip:100@192.0.2.7:5062>;expires=600");
  return request;
}
int status_of(Conversation& c, const RequestText& request, const Endpoint& from = support::kPhone) {
  const auto answer = c.say(request.text(), from);
  return answer ? answer->status : 0;
}
// Begins a call to somebody who is not registered: 480 where it is taken on.
RequestText invite(int n) {
  RequestText request;
  request.method = "INVITE";
  request.uri = "sip:102@example.com";
  request.to = "<sip:102@example.com>";
  request.cseq_method = "INVITE";
  request.via += std::to_string(n);
  request.call_id = "call-" + std::to_string(n) + "@192.0.2.7";
  return request;
}

struct Limited : Conversation {
  explicit Limited(std::vector<Network> trusted = {}) {
    LimitsPolicy& limits = edit().limits;
    limits.per_source = TokenRate::per_second(10, 20);
    limits.trusted = std::move(trusted);
  }
};

TEST(SourceLimit, OneSourceIsHeardAsOftenAsItMayAsk) {
  Limited c;
  int answered = 0;
  for (int i = 0; i < 100; ++i) answered += status_of(c, options_request(i)) == 200;
  EXPECT_EQ(answered, 20);
  EXPECT_EQ(c.dropped(Dropped::source_limit), 80u);
  EXPECT_EQ(status_of(c, options_request(), kOther), 200) << "another source has its own";
  c.rig.clock.advance(1s);
  answered = 0;
  for (int i = 0; i < 100; ++i) answered += status_of(c, options_request(i)) == 200;
  EXPECT_EQ(answered, 10);
}

TEST(SourceLimit, ResponsesAndKeepAlivesAreNoRequests) {
  Limited c;
  for (int i = 0; i < 100; ++i) {
    c.say("SIP/2.0 200 OK\r\nCall-ID: x\r\n\r\n");
    c.say("\r\n\r\n");
  }
  EXPECT_EQ(c.dropped(Dropped::source_limit), 0u);
}

TEST(SourceLimit, TrustedNetworksAreNotCounted) {
  Limited c({*parse_network("192.0.2.0/28")});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(status_of(c, options_request(i)), 200);
  for (int i = 0; i < 100; ++i) status_of(c, options_request(i), kOther);
  EXPECT_EQ(c.dropped(Dropped::source_limit), 80u);
}

// One attempt with a wrong password: the status of what came back.
int wrong_password(Conversation& c, int n, const Endpoint& from = support::kPhone, std::string_view user = "100") {
  RequestText request = register_request();
  request.via += "w" + std::to_string(n);
  const auto challenge = c.say(request.text(), from);
  if (!challenge || challenge->status != 401) return challenge ? challenge->status : 0;
  request.with(answer_to(*challenge, request, user, "wrong"));
  ++request.cseq;
  request.via += "x";
  return status_of(c, request, from);
}

SnapshotOptions throttling() {
  SnapshotOptions options;
  options.throttles_failures = true;
  return options;
}

TEST(FailedAuth, AfterFiveWrongPasswordsTheAnswerIs403WithATimeToComeBack) {
  Conversation c(throttling());
  c.rig.clock.advance(1h);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(wrong_password(c, i), 401) << i;
  EXPECT_EQ(wrong_password(c, 5), 403);
  const auto answer = support::read_sip(c.raw);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->get("retry-after"), "30");
  EXPECT_EQ(c.counters().throttled.read(), 1u);
  // Neither another user there nor the same user elsewhere has to do with it.
  RequestText good = register_request();
  good.via += "good";
  good.call_id = "elsewhere@192.0.2.99";
  const auto challenge = c.say(good.text(), kOther);
  ASSERT_TRUE(challenge && challenge->status == 401);
  good.with(answer_to(*challenge, good, "100", "100"));
  ++good.cseq;
  good.via += "y";
  EXPECT_EQ(status_of(c, good, kOther), 200);
  c.rig.clock.advance(31s);
  EXPECT_EQ(wrong_password(c, 6), 401) << "one more guess";
  EXPECT_EQ(wrong_password(c, 7), 403);
}

TEST(FailedAuth, AScannerOfNamesIsAnsweredNoMore) {
  Conversation c(throttling());
  c.rig.clock.advance(1h);
  int challenged = 0, silent = 0;
  for (int i = 0; i < 80; ++i) {
    const int status = wrong_password(c, i, kOther, "u" + std::to_string(i));
    challenged += status == 401;
    silent += status == 0;
  }
  EXPECT_EQ(challenged, 50);
  EXPECT_EQ(silent, 30);
  EXPECT_EQ(c.dropped(Dropped::failed_source), 30u);
}

TEST(FailedAuth, SwitchedOffOrTrustedNobodyIsThrottled) {
  Conversation off(throttling()), trusted(throttling());
  off.edit().limits.failed_auth = false;
  trusted.edit().limits.trusted = {*parse_network("192.0.2.0/24")};
  for (Conversation* c : {&off, &trusted}) {
    c->rig.clock.advance(1h);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(wrong_password(*c, i), 401);
  }
}

// Lets what is delivered wait, for longer than a burst would.
void overload(Conversation& c) {
  for (int i = 0; i < 30; ++i) {
    check(c.rig.drivers[0]->deliver(options_request(i).text(), support::kPhone, 0), "room for one datagram");
    c.rig.clock.advance(8ms);
    c.rig.turn_all();
    for (const auto& driver : c.rig.drivers) driver->clear_sent();
  }
}
std::optional<support::SipText> say_late(Conversation& c, const RequestText& request, Duration wait) {
  check(c.rig.drivers[0]->deliver(request.text(), support::kPhone, 0), "room for one datagram");
  c.rig.clock.advance(wait);
  c.rig.turn_all();
  std::optional<support::SipText> answer;
  for (const io::SimSent& sent : c.rig.drivers[0]->sent()) answer = support::read_sip(sent.bytes);
  c.rig.drivers[0]->clear_sent();
  return answer;
}

TEST(Overload, NewCallsGetA503AndWhatIsKnownOrUnderWayIsServed) {
  Conversation c;
  RequestText registered = register_request();
  ASSERT_EQ(c.authorised(registered).status, 200);
  overload(c);
  const auto shed = say_late(c, invite(1), 8ms);
  ASSERT_TRUE(shed);
  EXPECT_EQ(shed->status, 503);
  EXPECT_FALSE(shed->get("retry-after").empty());
  RequestText within = invite(2);
  within.to += ";tag=there";
  const auto under_way = say_late(c, within, 8ms);
  ASSERT_TRUE(under_way);
  EXPECT_NE(under_way->status, 503) << "in a dialog";
  RequestText refresh = register_request();
  refresh.via += "refresh";
  const auto kept = say_late(c, refresh, 15ms);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->status, 401) << "a phone that is registered";
  // One that is not: some are admitted all the same, so that a storm does not keep everybody out.
  int refused = 0;
  for (int i = 0; i < 5; ++i) {
    RequestText first = register_request();
    first.via += "first" + std::to_string(i);
    first.from = "<sip:101@example.com>;tag=x";
    first.to = "<sip:101@example.com>";
    const auto answer = say_late(c, first, 15ms);
    ASSERT_TRUE(answer);
    refused += answer->status == 503;
  }
  EXPECT_GE(refused, 4);
  EXPECT_EQ(c.counters().shed[static_cast<std::size_t>(Load::dialog)].read(), 1u);
  EXPECT_EQ(c.counters().shed[static_cast<std::size_t>(Load::registration)].read(), static_cast<std::uint64_t>(refused));
  const auto probe = say_late(c, options_request(99), 15ms);
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->status, 200) << "who asks whether we live is told";
}

TEST(Overload, WaitsAreCounted) {
  Conversation c;
  say_late(c, options_request(1), 3ms);
  say_late(c, options_request(2), 30ms);
  say_late(c, options_request(3), 0ms);
  EXPECT_EQ(c.counters().waits[0].read(), 1u);
  EXPECT_EQ(c.counters().waits[2].read(), 1u);  // up to 5 ms
  EXPECT_EQ(c.counters().waits[5].read(), 1u);  // up to 50 ms
  EXPECT_EQ(c.counters().waits_us.read(), 33'000u);
}

}  // namespace
}  // namespace ringweir::shard
