// CANCEL (RFC 3261 9, 16.10).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/call_rig.h"

namespace ringweir::shard {
namespace {

using support::ack_of;
using support::cancel_of;
using support::CallRig;
using support::kCallee;
using support::kCaller;
using support::RequestText;
using support::response_to;
using support::Seen;
using support::target_at;
using testing::HasSubstr;

TEST(CallCancel, AfterRingingGoesOnAtOnceAndThe487ComesBack) {
  CallRig r({.targets = 1});
  const RequestText invite = CallRig::invite();
  r.say(invite);
  const Seen there = r.take(target_at(0));
  r.say(response_to(there, 180), target_at(0));
  r.seen.clear();
  r.say(cancel_of(invite));
  const Seen ok = r.take(kCaller);
  EXPECT_EQ(ok.what(), "200");
  EXPECT_EQ(ok.get("cseq"), "1 CANCEL");
  const Seen cancel = r.take(target_at(0));
  ASSERT_EQ(cancel.what(), "CANCEL");
  EXPECT_EQ(cancel.branch(), there.branch());  // 9.1
  EXPECT_EQ(cancel.uri(), there.uri());
  EXPECT_EQ(cancel.get("to"), there.get("to"));
  EXPECT_EQ(cancel.sip.all("via").size(), 1u);
  EXPECT_EQ(cancel.get("cseq"), "1 CANCEL");
  r.say(response_to(cancel, 200), target_at(0));
  EXPECT_EQ(r.all_to(kCaller), "");
  r.say(response_to(there, 487), target_at(0));
  EXPECT_EQ(r.all_to(target_at(0)), "ACK");
  const Seen terminated = r.take(kCaller);
  EXPECT_EQ(terminated.what(), "487");
  r.say(ack_of(invite, terminated));
  EXPECT_EQ(r.leftovers(), "");
  EXPECT_EQ(r.state(0).calls(), 0u);
  EXPECT_EQ(r.seen.size(), 0u);
}

TEST(CallCancel, BeforeAProvisionalWaitsForOne) {
  for (const int first : {100, 180}) {
    CallRig r({.targets = 1});
    const RequestText invite = CallRig::invite();
    r.say(invite);
    const Seen there = r.take(target_at(0));
    r.say(cancel_of(invite));
    EXPECT_EQ(r.all_to(kCaller), "100 200");
    EXPECT_EQ(r.all_to(target_at(0)), "");
    r.say(response_to(there, first), target_at(0));
    EXPECT_EQ(r.all_to(target_at(0)), "CANCEL");
    r.say(response_to(there, 487), target_at(0));
    EXPECT_THAT(r.all_to(kCaller), testing::EndsWith("487"));
  }
}

TEST(CallCancel, WithoutAnyAnswerTheCallerGets487When64T1AreOver) {
  CallRig r({.targets = 2});
  const RequestText invite = CallRig::invite();
  r.say(invite);
  r.say(cancel_of(invite));
  r.seen.clear();
  r.pass(33s);
  EXPECT_EQ(r.all_to(kCaller), "487 487");  // and once more: nobody acknowledged it yet
  int invited = 0;
  for (std::uint8_t i = 0; i < 2; ++i) invited += !r.all_to(target_at(i)).empty();
  EXPECT_EQ(invited, 1) << "no other target is tried for a call that nobody wants";
  EXPECT_EQ(r.leftovers(), "");
}

TEST(CallCancel, ACalleeThatNeverEndsItsInviteIsGivenUp64T1Later) {
  CallRig r({.targets = 1});
  const RequestText invite = CallRig::invite();
  r.say(invite);
  const Seen there = r.take(target_at(0));
  r.say(response_to(there, 180), target_at(0));
  r.pass(10s);
  r.say(cancel_of(invite));
  r.seen.clear();
  r.pass(31s);
  EXPECT_EQ(r.all_to(kCaller), "");
  r.pass(1100ms);
  EXPECT_THAT(r.all_to(kCaller), testing::StartsWith("487"));
  EXPECT_EQ(r.leftovers(), "");
}

// 9.1: the answer was on its way; the caller gets it and has a call to end.
TEST(CallCancel, Crossing200Wins) {
  CallRig r({.targets = 1});
  const RequestText invite = CallRig::invite();
  r.say(invite);
  const Seen there = r.take(target_at(0));
  r.say(response_to(there, 180), target_at(0));
  r.say(cancel_of(invite));
  r.seen.clear();
  r.say(response_to(there, 200), target_at(0));
  EXPECT_EQ(r.all_to(kCaller), "200");
  r.say(cancel_of(invite));
  EXPECT_EQ(r.all_to(kCaller), "200");  // to the CANCEL: too late to matter
  EXPECT_EQ(r.all_to(target_at(0)), "");
  EXPECT_EQ(r.leftovers(), "");
}

TEST(CallCancel, ForNothingIs481) {
  CallRig r({.targets = 1});
  RequestText invite = CallRig::invite();
  r.say(cancel_of(invite));
  EXPECT_EQ(r.all_to(kCaller), "481");
  r.say(invite);
  r.seen.clear();
  RequestText other = cancel_of(invite);
  other.via += "other";
  r.say(other);
  EXPECT_EQ(r.all_to(kCaller), "481");
  EXPECT_EQ(r.all_to(target_at(0)), "");
}

// One CANCEL a branch, however often and however late it is asked for.
TEST(CallCancel, AgainIsAnsweredAgainAndSentOnOnce) {
  CallRig r({.targets = 1});
  const RequestText invite = CallRig::invite();
  r.say(invite);
  const Seen there = r.take(target_at(0));
  r.say(response_to(there, 180), target_at(0));
  r.seen.clear();
  for (int i = 0; i < 50; ++i) r.say(cancel_of(invite));
  const Seen cancel = r.take(target_at(0));
  EXPECT_EQ(cancel.what(), "CANCEL");
  EXPECT_EQ(r.all_to(target_at(0)), "");
  for (int i = 0; i < 50; ++i) EXPECT_EQ(r.take(kCaller).what(), "200");
  r.say(response_to(cancel, 200), target_at(0));
  r.pass(8s);  // its transaction is over
  r.say(cancel_of(invite));
  EXPECT_EQ(r.all_to(target_at(0)), "");
  EXPECT_EQ(r.all_to(kCaller), "200");
  EXPECT_EQ(r.counters().proxy.cancels_sent.read(), 1u);
}

TEST(CallCancel, IsRepeatedUntilItIsAnswered) {
  CallRig r({.targets = 1});
  const RequestText invite = CallRig::invite();
  r.say(invite);
  const Seen there = r.take(target_at(0));
  r.say(response_to(there, 180), target_at(0));
  r.say(cancel_of(invite));
  const Seen cancel = r.take(target_at(0));
  r.pass(600ms);
  EXPECT_EQ(r.all_to(target_at(0)), "CANCEL");
  r.say(response_to(cancel, 200), target_at(0));
  r.pass(20s);
  EXPECT_EQ(r.all_to(target_at(0)), "");
}

TEST(CallCancel, OfAForkReachesEachBranchThatRings) {
  CallRig r;
  const Endpoint second{kCallee.ip, 5066};
  r.registers("101", kCallee);
  r.registers("101", second);
  const RequestText invite = CallRig::invite("101");
  r.say(invite);
  const Seen one = r.take(kCallee), two = r.take(second);
  r.say(response_to(one, 180), kCallee);
  r.seen.clear();
  r.say(cancel_of(invite));
  EXPECT_EQ(r.all_to(kCallee), "CANCEL");
  EXPECT_EQ(r.all_to(second), "");
  r.say(response_to(two, 180), second);
  EXPECT_EQ(r.all_to(second), "CANCEL");
  r.say(response_to(one, 487), kCallee);
  EXPECT_EQ(r.all_to(kCaller), "200 180");
  r.say(response_to(two, 487), second);
  EXPECT_THAT(r.all_to(kCaller), testing::EndsWith("487"));
  EXPECT_EQ(r.leftovers(), "");
}

// Lower q is not tried for a call that was given up.
TEST(CallCancel, EndsASerialSearch) {
  CallRig r;
  const Endpoint second{kCallee.ip, 5066};
  r.registers("101", kCallee, "q=0.9");
  r.registers("101", second, "q=0.1");
  const RequestText invite = CallRig::invite("101");
  r.say(invite);
  const Seen one = r.take(kCallee);
  r.say(response_to(one, 180), kCallee);
  r.say(cancel_of(invite));
  r.say(response_to(one, 487), kCallee);
  EXPECT_EQ(r.all_to(second), "");
  EXPECT_THAT(r.all_to(kCaller), testing::EndsWith("487"));
}

}  // namespace
}  // namespace ringweir::shard
