// Targets that say nothing, refuse or are gone, and what time does to a call (RFC 3261 16.6 to 16.9, 17; RFC 4320).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/call_rig.h"

namespace ringweir::shard {
namespace {

using support::ack_of;
using support::CallOptions;
using support::CallRig;
using support::Dialog;
using support::kCallee;
using support::kCaller;
using support::RequestText;
using support::response_to;
using support::Seen;
using support::target_at;
using testing::EndsWith;
using testing::StartsWith;

// Who has the request: the number of the target, or -1.
int target_of(CallRig& r, Seen& there, std::uint8_t targets = 2) {
  for (std::uint8_t i = 0; i < targets; ++i) {
    there = r.take(target_at(i));
    if (there) return i;
  }
  return -1;
}
Endpoint at(int i) { return target_at(static_cast<std::uint8_t>(i)); }

TEST(CallFailover, ASilentTargetIsPassedOverAfterTwoSeconds) {
  for (const char* method : {"INVITE", "MESSAGE"}) {
    CallRig r;
    RequestText request = CallRig::invite();
    request.method = method;
    r.say(request);
    Seen first, second;
    const int silent = target_of(r, first);
    ASSERT_GE(silent, 0);
    r.pass(1'990ms);
    EXPECT_EQ(r.all_to(at(1 - silent)), "");
    r.pass(20ms);
    second = r.take(at(1 - silent));
    ASSERT_EQ(second.what(), method);
    EXPECT_NE(second.branch(), first.branch());
    r.say(response_to(second, 200), at(1 - silent));
    EXPECT_THAT(r.all_to(kCaller), EndsWith("200"));
    EXPECT_EQ(r.state(static_cast<std::size_t>(silent)).tallies().failovers, 1u);
    EXPECT_EQ(r.counters().proxy.failovers.read(), 1u);
    EXPECT_EQ(r.leftovers(), "");
  }
}

// The caller does not wait for who was passed over.
TEST(CallFailover, TheSecondTargetsRefusalIsTheAnswer) {
  for (const char* method : {"INVITE", "MESSAGE"}) {
    CallRig r;
    RequestText request = CallRig::invite();
    request.method = method;
    r.say(request);
    Seen first, second;
    const int silent = target_of(r, first);
    r.pass(2'100ms);
    second = r.take(at(1 - silent));
    r.say(response_to(second, 486), at(1 - silent));
    EXPECT_THAT(r.all_to(kCaller), EndsWith("486")) << method;
    EXPECT_EQ(r.leftovers(), "");
  }
}

TEST(CallFailover, WhoWasPassedOverAndRingsAfterAllIsCancelled) {
  CallRig r;
  r.say(CallRig::invite());
  Seen first, second;
  const int late = target_of(r, first);
  r.pass(2'100ms);
  second = r.take(at(1 - late));
  r.say(response_to(second, 180), at(1 - late));
  r.seen.clear();
  r.say(response_to(first, 180), at(late));
  const Seen cancel = r.take(at(late));
  EXPECT_EQ(cancel.what(), "CANCEL");
  r.say(response_to(cancel, 200), at(late));
  r.say(response_to(first, 487), at(late));
  r.seen.clear();
  r.say(response_to(second, 200), at(1 - late));
  EXPECT_EQ(r.all_to(kCaller), "200");
  EXPECT_EQ(r.leftovers(), "");
}

// Whoever answers first has the call; in-dialog requests find them with a Route and without.
TEST(CallFailover, ALate200OfTheFirstTargetWinsAndTheSecondIsCancelled) {
  CallRig r;
  RequestText invite = CallRig::invite();
  r.say(invite);
  Seen first, second;
  const int late = target_of(r, first);
  r.pass(2'100ms);
  second = r.take(at(1 - late));
  r.say(response_to(second, 180), at(1 - late));
  r.seen.clear();
  r.say(response_to(first, 200, {.contact = "sip:pbx@10.0.0.11"}), at(late));
  const Seen answer = r.take(kCaller);
  EXPECT_EQ(answer.what(), "200");
  EXPECT_EQ(r.all_to(at(1 - late)), "CANCEL");
  r.say(response_to(second, 487), at(1 - late));
  EXPECT_EQ(r.state(static_cast<std::size_t>(late)).calls(), 1u);
  EXPECT_EQ(r.state(static_cast<std::size_t>(1 - late)).calls(), 0u);
  r.seen.clear();
  Dialog caller = support::caller_dialog(invite, answer);
  r.say(caller.request("ACK"));
  caller.routes.clear();
  r.say(caller.request("INFO"));
  RequestText plain = caller.request("BYE");
  plain.uri = invite.uri;
  r.say(plain);
  EXPECT_EQ(r.all_to(at(late)), "ACK BYE");
  EXPECT_EQ(r.leftovers(), "");
}

TEST(CallFailover, A503GoesToTheNextAtOnce) {
  CallRig r;
  r.say(CallRig::invite());
  Seen first, second;
  const int refused = target_of(r, first);
  r.say(response_to(first, 503), at(refused));
  EXPECT_EQ(r.all_to(at(refused)), "ACK");
  second = r.take(at(1 - refused));
  ASSERT_EQ(second.what(), "INVITE");
  r.say(response_to(second, 200), at(1 - refused));
  EXPECT_EQ(r.all_to(kCaller), "100 200");
  EXPECT_EQ(r.state(static_cast<std::size_t>(refused)).calls(), 0u);
  EXPECT_EQ(r.state(static_cast<std::size_t>(1 - refused)).calls(), 1u);
  EXPECT_EQ(r.leftovers(), "");
}

// 16.7 step 6: a 503 says that *this* server is overloaded.
TEST(CallFailover, A503FromEveryTargetIsA500) {
  CallRig r;
  RequestText invite = CallRig::invite();
  r.say(invite);
  for (int n = 0; n < 2; ++n) {
    Seen there;
    const int i = target_of(r, there);
    r.say(response_to(there, 503), at(i));
    r.take(at(i));
  }
  EXPECT_EQ(r.all_to(kCaller), "100 500");
  EXPECT_EQ(r.state(0).tallies().failovers + r.state(1).tallies().failovers, 1u);
  EXPECT_EQ(r.leftovers(), "");
}

TEST(CallFailover, TriesAreLimited) {
  CallOptions options;
  options.targets = 5;
  options.failover.tries = 3;
  CallRig r(options);
  r.say(CallRig::invite());
  for (int n = 0; n < 3; ++n) {
    Seen there;
    const int i = target_of(r, there, 5);
    ASSERT_GE(i, 0) << n;
    ASSERT_EQ(there.what(), "INVITE");
    r.say(response_to(there, 503), at(i));
    EXPECT_EQ(r.all_to(at(i)), "ACK");
  }
  EXPECT_EQ(r.all_to(kCaller), "100 500");
  EXPECT_EQ(r.seen.size(), 0u);
}

TEST(CallFailover, WhatTheKernelSaysMovesACallAtOnce) {
  CallRig r;
  r.say(CallRig::invite());
  Seen first, second;
  const int gone = target_of(r, first);
  r.unreachable(at(gone));
  second = r.take(at(1 - gone));
  ASSERT_EQ(second.what(), "INVITE");
  EXPECT_FALSE(r.state(static_cast<std::size_t>(gone)).usable(r.rig->clock.now));
  r.say(response_to(second, 200), at(1 - gone));
  EXPECT_EQ(r.all_to(kCaller), "100 200");
  EXPECT_EQ(r.leftovers(), "");
}

// The kernel reports to any of the sockets that share a port, so to any shard: the owner of the call hears of it.
TEST(CallFailover, AReportThatReachesAnotherShardCountsAsWell) {
  std::uint64_t others = 0;
  for (int call = 0; call < 8; ++call) {  // whoever owns it
    CallRig r({.rig = {.shards = 2}});
    RequestText invite = CallRig::invite();
    invite.call_id = "call-" + std::to_string(call);
    r.say(invite);
    Seen first, second;
    const int gone = target_of(r, first);
    others += r.rig->shards[1]->engine().unanswered();
    r.unreachable(at(gone));  // told to shard 0
    second = r.take(at(1 - gone));
    ASSERT_EQ(second.what(), "INVITE") << call;
    r.say(response_to(second, 200), at(1 - gone));
    EXPECT_EQ(r.all_to(kCaller), "100 200");
    EXPECT_EQ(r.leftovers(), "");
  }
  EXPECT_GT(others, 0u) << "no call belonged to the other shard";
}

TEST(CallFailover, NothingReachableIs503WithRetryAfter) {
  CallRig r;
  RequestText invite = CallRig::invite();
  r.say(invite);
  Seen there;
  const int first = target_of(r, there);
  r.unreachable(at(first));
  r.pass(60ms);
  r.unreachable(at(1 - first));
  EXPECT_EQ(r.take(kCaller).what(), "100");
  Seen answer = r.take(kCaller);
  EXPECT_EQ(answer.what(), "503");
  EXPECT_TRUE(answer.sip.has("retry-after"));
  invite.via += "2";
  invite.call_id = "next";
  r.say(invite);  // refused at once
  answer = r.take(kCaller);
  EXPECT_EQ(answer.what(), "503");
  EXPECT_TRUE(answer.sip.has("retry-after"));
  EXPECT_EQ(r.counters().proxy.no_target.read(), 1u);
}

// ICMP can be forged: only who is being asked and has not answered is believed gone.
TEST(CallFailover, WhoHasAnsweredIsNotCalledUnreachable) {
  CallRig r;
  r.say(CallRig::invite());
  Seen first;
  const int ringing = target_of(r, first);
  r.say(response_to(first, 180), at(ringing));
  r.unreachable(at(ringing));
  r.pass(100ms);
  r.unreachable(at(1 - ringing));
  EXPECT_EQ(r.all_to(at(1 - ringing)), "");
  EXPECT_TRUE(r.state(0).usable(r.rig->clock.now));
  EXPECT_TRUE(r.state(1).usable(r.rig->clock.now));
}

// One call that nobody answers is one timeout, not one a retransmission: alone it ejects nobody.
TEST(CallFailover, OneSilentTransactionIsOneTimeout) {
  for (const std::size_t targets : {std::size_t{1}, std::size_t{2}}) {
    CallRig r({.targets = targets});
    r.say(CallRig::invite());
    Seen first;
    const int silent = target_of(r, first, static_cast<std::uint8_t>(targets));
    r.pass(40s);
    EXPECT_EQ(r.state(static_cast<std::size_t>(silent)).tallies().timeouts, 1u);
    EXPECT_TRUE(r.state(static_cast<std::size_t>(silent)).usable(r.rig->clock.now));
    EXPECT_EQ(r.state(static_cast<std::size_t>(silent)).tallies().failovers, targets - 1);
  }
}

// Timer A doubles, Timer B ends it (17.1.1.2); no failover where there is nobody else.
TEST(CallTimer, AnInviteIsSentAgainUntilTimerBAndThenThereIsA408) {
  CallRig r({.targets = 1});
  RequestText invite = CallRig::invite();
  r.say(invite);
  EXPECT_EQ(r.all_to(target_at(0)), "INVITE");
  std::vector<std::int64_t> sent_ms;
  const Instant begin = r.rig->clock.now;
  while (r.rig->clock.now < begin + 31'900ms) {
    r.pass(100ms);
    if (r.take(target_at(0))) sent_ms.push_back(to_ms(r.rig->clock.now - begin));
  }
  EXPECT_THAT(sent_ms, testing::ElementsAre(500, 1500, 3500, 7500, 15500, 31500));
  r.seen.clear();
  r.pass(150ms);
  EXPECT_EQ(r.all_to(kCaller), "408");
  r.pass(5s);
  EXPECT_EQ(r.all_to(kCaller), "408 408 408");  // Timer G: 0.5 s, 1.5 s, 3.5 s
  EXPECT_EQ(r.leftovers(), "");
  EXPECT_EQ(r.counters().proxy.acks_missing.read(), 1u);  // Timer H
}

// 16.8
TEST(CallTimer, TimerCCancelsACallThatRingsTooLong) {
  CallRig r({.targets = 1});
  RequestText invite = CallRig::invite();
  r.say(invite);
  const Seen there = r.take(target_at(0));
  r.say(response_to(there, 180), target_at(0));
  r.pass(170s);
  r.say(response_to(there, 180), target_at(0));  // rings still: 16.7 step 2
  r.pass(184s);
  r.seen.clear();
  r.pass(1100ms);
  const Seen cancel = r.take(target_at(0));
  ASSERT_EQ(cancel.what(), "CANCEL");
  r.say(response_to(cancel, 200), target_at(0));
  r.say(response_to(there, 487), target_at(0));
  EXPECT_EQ(r.all_to(kCaller), "487");
  EXPECT_EQ(r.counters().proxy.timer_c.read(), 1u);
  EXPECT_EQ(r.leftovers(), "");
}

// RFC 4320 4.2: too late to be of use, so not said at all; 4.1: but a 100 is due when Timer E has reached T2.
TEST(CallTimer, AnotherRequestIsGivenUpInSilenceAfterA100) {
  CallRig r({.targets = 1});
  RequestText message = CallRig::invite();
  message.method = "MESSAGE";
  r.say(message);
  r.pass(3'400ms);
  EXPECT_EQ(r.all_to(kCaller), "");
  r.pass(200ms);
  EXPECT_EQ(r.all_to(kCaller), "100");
  r.say(message);
  EXPECT_EQ(r.all_to(kCaller), "100");
  r.pass(40s);
  EXPECT_EQ(r.all_to(kCaller), "");
  EXPECT_EQ(r.counters().proxy.timeouts.read(), 1u);
  EXPECT_EQ(r.leftovers(), "");
}

TEST(CallTimer, AnAnswerAfterThe100StillComesThrough) {
  CallRig r({.targets = 1});
  RequestText message = CallRig::invite();
  message.method = "MESSAGE";
  r.say(message);
  const Seen there = r.take(target_at(0));
  r.say(response_to(there, 100), target_at(0));
  r.pass(10s);
  EXPECT_EQ(r.all_to(kCaller), "100");
  r.say(response_to(there, 200), target_at(0));
  EXPECT_EQ(r.all_to(kCaller), "200");
  EXPECT_EQ(r.leftovers(), "");
}

// RFC 4320 4.1: nothing but 100 is provisional outside of INVITE.
TEST(CallTimer, AProvisionalAnswerToAnotherRequestIsNotForwarded) {
  CallRig r({.targets = 1});
  RequestText message = CallRig::invite();
  message.method = "MESSAGE";
  r.say(message);
  const Seen there = r.take(target_at(0));
  r.say(response_to(there, 183), target_at(0));
  EXPECT_EQ(r.all_to(kCaller), "");
  r.say(response_to(there, 200), target_at(0));
  EXPECT_EQ(r.all_to(kCaller), "200");
}

// A call's in-dialog requests stay with its target: no failover, whatever happens to it.
TEST(CallFailover, ARequestOfACallDoesNotMoveToAnotherTarget) {
  CallRig r;
  RequestText invite = CallRig::invite();
  Seen there, answer;
  const int i = r.call_target(invite, &there, &answer);
  r.seen.clear();
  Dialog caller = support::caller_dialog(invite, answer);
  r.say(caller.request("INFO"));
  r.pass(20s);
  EXPECT_EQ(r.all_to(at(1 - i)), "");
  EXPECT_THAT(r.all_to(at(i)), StartsWith("INFO INFO"));
}

TEST(CallFailover, DrainedTargetsGetNoNewCallsAndKeepTheirOldOnes) {
  CallRig r;
  RequestText invite = CallRig::invite();
  Seen there, answer;
  const int i = r.call_target(invite, &there, &answer);
  r.state(static_cast<std::size_t>(i)).drain();
  r.seen.clear();
  for (int n = 0; n < 8; ++n) {
    RequestText other = CallRig::invite();
    other.call_id = "other-" + std::to_string(n);
    other.via += other.call_id;
    r.say(other);
  }
  EXPECT_EQ(r.all_to(at(i)), "");
  Dialog caller = support::caller_dialog(invite, answer);
  r.say(caller.request("INFO"));
  caller.routes.clear();
  RequestText plain = caller.request("INFO");
  plain.uri = invite.uri;
  r.say(plain);
  EXPECT_EQ(r.all_to(at(i)), "INFO INFO");
}

// Timer A's next firing would be late; a reload in between changes the farm's order.
TEST(CallFailover, SurvivesAReloadInBetween) {
  CallOptions options;
  options.targets = 3;
  CallRig r(options);
  r.say(CallRig::invite());
  Seen first;
  const int silent = target_of(r, first, 3);
  CallOptions changed = options;
  changed.change = [](Snapshot& s) {
    balance::Upstream::Settings front{.name = "new"};
    balance::Upstream old = std::move(s.upstreams[0]);
    s.upstreams.clear();
    s.upstreams.emplace_back(std::move(front));
    s.upstreams.emplace_back(std::move(old));
  };
  r.reload(changed);
  r.pass(2'100ms);
  Seen second;
  r.all_to(at(silent));
  const int next = target_of(r, second, 3);
  EXPECT_GE(next, 0);
  EXPECT_NE(next, silent);
  // And one whose upstream is gone ends as if there were nobody else.
  CallOptions none = options;
  none.change = [](Snapshot& s) { s.upstreams.clear(); };
  none.routes = [](support::SnapshotOptions& o) { o.routes.clear(); };
  r.reload(none);
  r.say(response_to(second, 503), at(next));
  EXPECT_EQ(r.leftovers(), "");
}

}  // namespace
}  // namespace ringweir::shard
