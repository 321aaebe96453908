// What a peer or a target may send that it should not: counted, answered where the RFC says so, never passed on blindly, never a leak.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ringweir/proxy/via_branch.h"
#include "support/call_rig.h"

namespace ringweir::shard {
namespace {

using proxy::Stray;
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

// A call under way, and a response to it that a test spoils.
struct Ringing {
  Ringing() : r({.targets = 1}) {
    r.say(CallRig::invite());
    there = r.take(target_at(0));
    r.seen.clear();
    good = response_to(there, 200);
  }
  // The spoiled response leads nowhere and is counted; the good one still does its work.
  void expect_stray(const std::string& bad, Stray why) {
    r.say(bad, target_at(0));
    EXPECT_EQ(r.seen.size(), 0u) << bad;
    EXPECT_EQ(r.stray(why), 1u) << bad;
    r.say(good, target_at(0));
    EXPECT_EQ(r.all_to(kCaller), "200");
    EXPECT_EQ(r.leftovers(), "");
  }
  std::string with(std::string_view from, std::string_view to) const {
    std::string bad = good;
    const std::size_t at = bad.find(from);
    check(at != bad.npos, "text of the response");
    return bad.replace(at, from.size(), to);
  }
  CallRig r;
  Seen there;
  std::string good;
};

TEST(CallHostile, AResponseWithAForeignBranchGoesNowhere) {
  Ringing c;
  c.expect_stray(c.with(c.there.branch(), "z9hG4bK-somebody"), Stray::foreign_branch);
}

TEST(CallHostile, ABranchThatWasGuessedGoesNowhere) {
  Ringing c;
  auto names = proxy::parse_stateful_branch(c.there.branch());
  ASSERT_TRUE(names);
  ++names->tag;  // right in all else
  std::array<char, proxy::kBranchCharsMax> text;
  c.expect_stray(c.with(c.there.branch(), proxy::write_branch(*names, text.data())), Stray::no_transaction);
}

TEST(CallHostile, ABranchOfAnotherShardOrBeyondAllSlotsGoesNowhere) {
  for (const bool shard : {true, false}) {
    Ringing c;
    auto names = proxy::parse_stateful_branch(c.there.branch());
    ASSERT_TRUE(names);
    (shard ? names->shard = 7 : names->slot = 0xffffffff);
    std::array<char, proxy::kBranchCharsMax> text;
    c.expect_stray(c.with(c.there.branch(), proxy::write_branch(*names, text.data())), Stray::no_transaction);
  }
}

TEST(CallHostile, AResponseOfAnotherMethodCSeqOrCallGoesNowhere) {
  {
    Ringing c;
    c.expect_stray(c.with("CSeq: 1 INVITE", "CSeq: 1 BYE"), Stray::wrong_method);
  }
  {
    Ringing c;
    c.expect_stray(c.with("CSeq: 1 INVITE", "CSeq: 2 INVITE"), Stray::other_call);
  }
  {
    Ringing c;
    c.expect_stray(c.with("Call-ID: call-1", "Call-ID: call-2"), Stray::other_call);
  }
  {
    Ringing c;  // nobody sent a CANCEL
    c.expect_stray(c.with("CSeq: 1 INVITE", "CSeq: 1 CANCEL"), Stray::no_transaction);
  }
}

// 16.7 step 3: it was meant for us.
TEST(CallHostile, AResponseWithoutAViaBelowOursGoesNowhere) {
  Ringing c;
  const std::size_t second = c.good.find("Via:", c.good.find("Via:") + 1);
  std::string bad = c.good;
  bad.erase(second, bad.find("\r\n", second) + 2 - second);
  c.expect_stray(bad, Stray::no_way_back);
}

// Where the answer goes was settled when the request came: other Vias below ours change nothing.
TEST(CallHostile, SpoofedViasBelowOursDoNotRedirectAnAnswer) {
  Ringing c;
  c.r.say(c.with("received=192.0.2.7", "received=203.0.113.5"), target_at(0));
  EXPECT_EQ(c.r.all_to({IpAddress::v4(203, 0, 113, 5), 5062}), "");
  EXPECT_EQ(c.r.all_to(kCaller), "200");
}

TEST(CallHostile, GarbageFromATargetIsSilentlyDropped) {
  Ringing c;
  const std::string good = c.good;
  std::vector<std::string> bad{"", "SIP/2.0 200\r\n\r\n", "SIP/2.0 99 OK\r\n" + good.substr(good.find("Via")),
                               "SIP/2.0 700 OK\r\n" + good.substr(good.find("Via")), c.with("From: <", "From: <<"), c.with("Via: SIP/2.0", "Via: SIP/3.0"),
                               c.with("CSeq: 1 INVITE", "CSeq: x"), c.with("Content-Length: 0", "Content-Length: 4000")};
  for (std::size_t i = 1; i < good.size(); i += 7) bad.push_back(good.substr(0, i));
  for (const std::string& text : bad) {
    c.r.say(text, target_at(0));
    EXPECT_EQ(c.r.seen.size(), 0u) << text;
  }
  EXPECT_EQ(c.r.engine().contexts(), 1u);
  c.r.say(good, target_at(0));
  EXPECT_EQ(c.r.all_to(kCaller), "200");
  EXPECT_EQ(c.r.leftovers(), "");
}

// A target that answers everything at once, in every order, changes its mind and never stops.
TEST(CallHostile, ATargetThatNeverStopsAnsweringGetsOneFinalAnswerThrough) {
  for (const int first : {200, 302, 486, 503, 603}) {
    CallRig r({.targets = 1});
    r.say(CallRig::invite());
    const Seen there = r.take(target_at(0));
    r.seen.clear();
    for (int round = 0; round < 3; ++round) {
      for (const int status : {first, 100, 180, 486, 200, 603, 302, 503}) r.say(response_to(there, status), target_at(0));
    }
    std::string all = r.all_to(kCaller);
    int finals = 0;
    for (const char* each : {"302", "486", "500", "503", "603"}) finals += all.find(each) != all.npos;
    finals += first == 200 ? 0 : all.find("200") != all.npos;
    EXPECT_EQ(finals, first == 200 ? 0 : 1) << first << ": " << all;
    EXPECT_EQ(r.leftovers(), "") << first;
  }
}

TEST(CallHostile, ALateAnswerToAMessageThatIsOverGoesNowhere) {
  CallRig r({.targets = 1});
  RequestText message = CallRig::invite();
  message.method = "MESSAGE";
  r.say(message);
  const Seen there = r.take(target_at(0));
  r.pass(40s);
  r.seen.clear();
  r.say(response_to(there, 200), target_at(0));
  EXPECT_EQ(r.seen.size(), 0u);
  EXPECT_EQ(r.stray(Stray::no_transaction), 1u);
}

TEST(CallHostile, AnAckForNothingReachesNobodysPhone) {
  CallRig r;
  r.registers("101", kCallee);
  RequestText ack = CallRig::invite("101");
  ack.method = "ACK";
  ack.uri = "sip:101@elsewhere.example.org";
  r.say(ack, kStranger);
  EXPECT_EQ(r.seen.size(), 0u);
  EXPECT_EQ(r.dropped(Dropped::stray_ack), 1u);
}

TEST(CallHostile, ACancelFloodCostsOneAnswerEachAndNothingElse) {
  CallRig r({.targets = 1});
  r.say(CallRig::invite());
  r.seen.clear();
  for (int i = 0; i < 1'000; ++i) {
    RequestText cancel = support::cancel_of(CallRig::invite());
    cancel.via += std::to_string(i);
    r.say(cancel, kStranger);
  }
  EXPECT_EQ(r.seen.size(), 1'000u);
  EXPECT_EQ(r.take(kStranger).what(), "481");
  EXPECT_EQ(r.engine().contexts(), 1u);
  EXPECT_EQ(r.engine().branches(), 1u);
}

// Whatever shard the datagrams come to, the call is one.
TEST(CallHostile, ACallWhoseMessagesArriveOnAnyShardIsOneCall) {
  CallOptions options;
  options.targets = 1;
  options.rig.shards = 3;
  CallRig r(options);
  for (int n = 0; n < 12; ++n) {
    RequestText invite = CallRig::invite();
    invite.call_id = "call-" + std::to_string(n);
    invite.via += invite.call_id;
    const auto shard = [n](int step) { return static_cast<std::uint32_t>((n + step) % 3); };
    r.say(invite.text(), kCaller, 0, shard(0));
    const Seen there = r.take(target_at(0));
    ASSERT_EQ(there.what(), "INVITE");
    r.say(response_to(there, 200, {.contact = "sip:pbx@10.0.0.11"}), target_at(0), 0, shard(1));
    r.take(kCaller);
    const Seen answer = r.take(kCaller);
    ASSERT_EQ(answer.what(), "200");
    Dialog caller = support::caller_dialog(invite, answer);
    r.say(caller.request("ACK").text(), kCaller, 0, shard(2));
    EXPECT_EQ(r.all_to(target_at(0)), "ACK");
    RequestText bye = caller.request("BYE");
    bye.via += invite.call_id;
    r.say(bye.text(), kCaller, 0, shard(0));
    const Seen ended = r.take(target_at(0));
    EXPECT_EQ(ended.what(), "BYE");
    r.say(response_to(ended, 200), target_at(0), 0, shard(1));
    EXPECT_EQ(r.all_to(kCaller), "200");
  }
  EXPECT_EQ(r.state(0).calls(), 0u);
  EXPECT_EQ(r.leftovers(), "");
  EXPECT_EQ(r.rig->parcels_out(), 0u);
}

}  // namespace
}  // namespace ringweir::shard
