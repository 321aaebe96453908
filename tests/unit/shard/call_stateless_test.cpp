// Forwarding without state (RFC 3261 16.11): nothing is kept, and still what belongs together stays together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "support/call_rig.h"

namespace ringweir::shard {
namespace {

using support::CallOptions;
using support::CallRig;
using support::Dialog;
using support::kCaller;
using support::kStranger;
using support::RequestText;
using support::response_to;
using support::Seen;
using support::target_at;
using testing::StartsWith;

CallOptions stateless(balance::Algorithm algorithm) {
  CallOptions options;
  options.targets = 3;
  options.algorithm = algorithm;
  options.stateless = true;
  return options;
}
constexpr balance::Algorithm kAll[] = {balance::Algorithm::call_id_hash, balance::Algorithm::round_robin, balance::Algorithm::weighted,
                                       balance::Algorithm::least_calls, balance::Algorithm::least_outstanding,
                                       balance::Algorithm::peak_ewma, balance::Algorithm::hash_from, balance::Algorithm::hash_to};

Seen anywhere(CallRig& r) {
  for (std::uint8_t i = 0; i < 3; ++i) {
    if (Seen one = r.take(target_at(i))) return one;
  }
  return {};
}

TEST(CallStateless, ACallGoesThroughAndNothingIsKept) {
  CallRig r(stateless(balance::Algorithm::call_id_hash));
  RequestText invite = CallRig::invite();
  r.say(invite);
  const Seen there = anywhere(r);
  ASSERT_EQ(there.what(), "INVITE");
  EXPECT_THAT(there.branch(), StartsWith("z9hG4bKl"));
  EXPECT_EQ(r.all_to(kCaller), "");  // no 100 of ours: there is no transaction
  for (const int status : {100, 180, 200}) r.say(response_to(there, status, {.contact = "sip:pbx@10.0.0.11"}), there.to);
  EXPECT_EQ(r.take(kCaller).what(), "100");  // the target's goes through
  EXPECT_EQ(r.take(kCaller).what(), "180");
  const Seen answer = r.take(kCaller);
  EXPECT_EQ(answer.what(), "200");
  EXPECT_EQ(answer.sip.all("via").size(), 1u);
  EXPECT_EQ(r.engine().contexts(), 0u);
  EXPECT_EQ(r.engine().texts().counters().texts.read(), 0u);

  Dialog caller = support::caller_dialog(invite, answer), callee = support::callee_dialog(there, "callee1", there.to);
  r.say(caller.request("ACK"));
  EXPECT_EQ(r.all_to(there.to), "ACK");
  r.say(callee.request("BYE"), there.to);
  const Seen bye = r.take(kCaller);
  EXPECT_EQ(bye.what(), "BYE");
  EXPECT_THAT(bye.branch(), StartsWith("z9hG4bKl"));  // the token says how the call began
  EXPECT_EQ(r.engine().contexts(), 0u);
  r.say(response_to(bye, 200), kCaller);
  EXPECT_EQ(r.all_to(there.to), "200");
}

TEST(CallStateless, ARetransmissionACancelAndAnAckGoTheSameWayWithTheSameBranch) {
  for (const auto algorithm : kAll) {
    CallRig r(stateless(algorithm));
    for (int n = 0; n < 5; ++n) {
      RequestText invite = CallRig::invite();
      invite.call_id = "call-" + std::to_string(n);
      invite.via += invite.call_id;
      r.say(invite);
      const Seen first = anywhere(r);
      ASSERT_EQ(first.what(), "INVITE");
      r.pass(500ms);
      r.say(invite);
      const Seen again = anywhere(r);
      EXPECT_EQ(again.to, first.to) << to_string(algorithm);
      EXPECT_EQ(again.branch(), first.branch());
      r.say(support::cancel_of(invite));
      const Seen cancel = anywhere(r);
      EXPECT_EQ(cancel.what(), "CANCEL");
      EXPECT_EQ(cancel.to, first.to) << to_string(algorithm);
      EXPECT_EQ(cancel.branch(), first.branch());
      EXPECT_EQ(cancel.uri(), first.uri());
      r.say(response_to(cancel, 200), first.to);
      r.say(response_to(first, 487), first.to);
      EXPECT_EQ(r.take(kCaller).what(), "200");
      const Seen terminated = r.take(kCaller);
      EXPECT_EQ(terminated.what(), "487");
      r.say(support::ack_of(invite, terminated));
      const Seen ack = anywhere(r);
      EXPECT_EQ(ack.what(), "ACK");
      EXPECT_EQ(ack.to, first.to) << to_string(algorithm);
      EXPECT_EQ(ack.branch(), first.branch());
    }
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(r.state(i).calls(), 0u) << to_string(algorithm);
  }
}

TEST(CallStateless, ARoundRobinStillTakesTurns) {
  CallRig r(stateless(balance::Algorithm::round_robin));
  std::map<Endpoint, int> calls;
  for (int n = 0; n < 9; ++n) {
    RequestText invite = CallRig::invite();
    invite.call_id = "call-" + std::to_string(n);
    invite.via += invite.call_id;
    r.say(invite);
    ++calls[anywhere(r).to];
  }
  for (std::uint8_t i = 0; i < 3; ++i) EXPECT_EQ(calls[target_at(i)], 3);
}

// The CANCEL of an INVITE in a dialog follows the same signed Route.
TEST(CallStateless, ACancelOfARefreshFollowsItsRoute) {
  CallRig r(stateless(balance::Algorithm::round_robin));
  RequestText invite = CallRig::invite();
  r.say(invite);
  const Seen there = anywhere(r);
  r.say(response_to(there, 200, {.contact = "sip:pbx@10.0.0.11"}), there.to);
  Dialog caller = support::caller_dialog(invite, r.take(kCaller)), callee = support::callee_dialog(there, "callee1", there.to);
  const RequestText refresh = callee.request("INVITE");
  r.say(refresh, there.to);
  const Seen at_caller = r.take(kCaller);
  ASSERT_EQ(at_caller.what(), "INVITE");
  RequestText cancel = refresh;
  cancel.method = "CANCEL";
  r.say(cancel, there.to);
  const Seen cancelled = r.take(kCaller);
  EXPECT_EQ(cancelled.what(), "CANCEL");
  EXPECT_EQ(cancelled.branch(), at_caller.branch());
  EXPECT_EQ(r.all_to(there.to), "");
}

// Nobody's responses are relayed to where their Vias say.
TEST(CallStateless, AResponseWhoseViasWereChangedIsDropped) {
  CallRig r(stateless(balance::Algorithm::call_id_hash));
  r.say(CallRig::invite());
  const Seen there = anywhere(r);
  const std::string good = response_to(there, 200);
  const auto dropped = [&](std::string_view from, std::string_view to, proxy::Stray why) {
    std::string bad = good;
    const std::size_t at = bad.rfind(from, bad.find("From:"));
    ASSERT_NE(at, bad.npos) << from;
    bad.replace(at, from.size(), to);
    const std::uint64_t before = r.stray(why);
    r.say(bad, kStranger);
    EXPECT_EQ(r.seen.size(), 0u) << to;
    EXPECT_EQ(r.stray(why), before + 1) << to;
  };
  dropped("received=192.0.2.7", "received=203.0.113.5", proxy::Stray::forged);
  dropped("rport=5062", "rport=99", proxy::Stray::forged);
  dropped("branch=z9hG4bK-1", "branch=z9hG4bK-2", proxy::Stray::forged);
  std::string other = good;
  other.replace(other.find("CSeq: 1 "), 8, "CSeq: 2 ");
  r.say(other, kStranger);
  other = good;
  other.replace(other.find("call-1@"), 7, "call-2@");
  r.say(other, kStranger);
  other = good;
  other.erase(other.find("Via: SIP/2.0/UDP 192.0.2.7"), other.find("From:") - other.find("Via: SIP/2.0/UDP 192.0.2.7"));
  r.say(other, kStranger);
  EXPECT_EQ(r.seen.size(), 0u);
  EXPECT_EQ(r.stray(proxy::Stray::no_way_back), 1u);
  r.say(good, there.to);
  EXPECT_EQ(r.all_to(kCaller), "200");
}

// 17.2.3 has no branch to go by there; 16.11 wants the same one all the same.
TEST(CallStateless, OldStyleRequestsStayTogetherToo) {
  CallRig r(stateless(balance::Algorithm::round_robin));
  RequestText invite = CallRig::invite();
  invite.via = "SIP/2.0/UDP 192.0.2.7:5062";
  r.say(invite);
  const Seen first = anywhere(r);
  r.say(invite);
  const Seen again = anywhere(r);
  EXPECT_EQ(again.branch(), first.branch());
  EXPECT_EQ(again.to, first.to);
  r.say(support::cancel_of(invite));
  EXPECT_EQ(anywhere(r).branch(), first.branch());
  invite.cseq = 2;
  r.say(invite);
  EXPECT_NE(anywhere(r).branch(), first.branch());
}

TEST(CallStateless, WithNothingUsable503IsAnsweredAndItsAckEndsHere) {
  CallRig r(stateless(balance::Algorithm::call_id_hash));
  for (std::size_t i = 0; i < 3; ++i) r.state(i).drain();
  const RequestText invite = CallRig::invite();
  r.say(invite);
  const Seen refused = r.take(kCaller);
  EXPECT_EQ(refused.what(), "503");
  EXPECT_TRUE(refused.sip.has("retry-after"));
  for (std::size_t i = 0; i < 3; ++i) r.state(i).undrain(r.rig->clock.now);
  r.say(support::ack_of(invite, refused));
  EXPECT_EQ(r.seen.size(), 0u);
}

}  // namespace
}  // namespace ringweir::shard
