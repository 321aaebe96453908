// One request, several phones: parallel, serial, and which answer is the caller's (RFC 3261 16.6, 16.7).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/call_rig.h"

namespace ringweir::shard {
namespace {

using support::CallOptions;
using support::CallRig;
using support::Dialog;
using support::kCaller;
using support::RequestText;
using support::response_to;
using support::Seen;
using testing::EndsWith;
using testing::HasSubstr;

Endpoint phone(int i) { return {IpAddress::v4(192, 0, 2, static_cast<std::uint8_t>(100 + i)), 5060}; }

// User 101 with a phone for each q, called.
struct Forked {
  explicit Forked(const std::vector<std::string>& qs, CallOptions options = {}) : r(std::move(options)) {
    for (std::size_t i = 0; i < qs.size(); ++i) r.registers("101", phone(static_cast<int>(i)), qs[i]);
    r.say(invite);
    look();
  }
  // Keeps the INVITEs that have come; returns who has one by now: "0 2".
  std::string look() {
    for (int i = 0; i < 12; ++i) {
      if (Seen one = r.take(phone(i)); one.what() == "INVITE" && !invites[i]) {
        invites[i] = std::move(one);
        if (!order.empty()) order += ' ';
        order += std::to_string(i);
      }
    }
    return order;
  }
  void answer(int i, int status, const support::ResponseParts& parts = {}) {
    support::ResponseParts own = parts;
    if (parts.to_tag == "callee1") own.to_tag = "phone" + std::to_string(i);
    r.say(response_to(invites[i], status, own), phone(i));
  }
  CallRig r;
  RequestText invite = CallRig::invite("101");
  Seen invites[12];
  std::string order;
};

TEST(CallFork, PhonesOfOneQRingTogether) {
  Forked f({"q=0.5", "q=0.5", "q=0.5"});
  EXPECT_EQ(f.look(), "0 1 2");
  EXPECT_NE(f.invites[0].branch(), f.invites[1].branch());
  EXPECT_EQ(f.invites[0].uri(), "sip:101@192.0.2.100:5060");
  EXPECT_EQ(f.r.counters().proxy.forks.read(), 2u);
  f.answer(0, 180);
  f.answer(1, 180);
  EXPECT_EQ(f.r.all_to(kCaller), "100 180 180");
}

TEST(CallFork, QsAreTriedFromTheHighestDown) {
  Forked f({"q=0.1", "q=0.9", "q=0.5", ""});  // none: 1.0
  EXPECT_EQ(f.look(), "3");
  for (const auto& [who, next] : {std::pair{3, "3 1"}, std::pair{1, "3 1 2"}, std::pair{2, "3 1 2 0"}}) {
    f.answer(who, 486);
    EXPECT_EQ(f.look(), next);
    EXPECT_THAT(f.r.all_to(kCaller), testing::Not(HasSubstr("486")));
  }
  f.answer(0, 480);
  EXPECT_EQ(f.r.all_to(kCaller), "486");  // the first of the better kind
  EXPECT_EQ(f.r.leftovers(), "");
}

TEST(CallFork, ASilentPhonesTurnEndsByTimerBAndALowerQIsTried) {
  Forked f({"q=0.9", "q=0.1"});
  f.r.pass(32s);
  EXPECT_EQ(f.look(), "0 1");
  f.answer(1, 200);
  EXPECT_THAT(f.r.all_to(kCaller), EndsWith("200"));
  EXPECT_EQ(f.r.leftovers(), "");
}

TEST(CallFork, TheFirst2xxIsForwardedAndTheOthersAreCancelled) {
  Forked f({"", "", ""});
  f.answer(0, 180);
  f.answer(1, 180);
  f.answer(1, 200);
  EXPECT_EQ(f.r.all_to(kCaller), "100 180 180 200");
  const Seen cancel = f.r.take(phone(0));
  EXPECT_EQ(cancel.what(), "CANCEL");
  EXPECT_EQ(cancel.branch(), f.invites[0].branch());
  EXPECT_EQ(f.r.all_to(phone(1)), "");
  EXPECT_EQ(f.r.all_to(phone(2)), "");  // has said nothing yet
  f.answer(2, 180);
  EXPECT_EQ(f.r.all_to(phone(2)), "CANCEL");
  f.answer(0, 487);
  f.answer(2, 487);
  EXPECT_EQ(f.r.all_to(phone(0)), "ACK");
  EXPECT_EQ(f.r.all_to(phone(2)), "ACK");
  EXPECT_EQ(f.r.all_to(kCaller), "");
  EXPECT_EQ(f.r.leftovers(), "");
}

// 16.7 step 5: every 2xx; each has a dialog of its own, whose Route leads to its own phone.
TEST(CallFork, ALate2xxOfAnotherForkIsForwardedToo) {
  Forked f({"", ""});
  f.answer(0, 200, {.contact = "sip:101@192.0.2.100"});
  f.r.take(kCaller);
  const Seen first = f.r.take(kCaller);
  f.answer(1, 200, {.contact = "sip:101@192.0.2.101"});
  const Seen second = f.r.take(kCaller);
  ASSERT_EQ(second.what(), "200");
  EXPECT_THAT(second.get("to"), HasSubstr("tag=phone1"));
  f.r.seen.clear();
  Dialog one = support::caller_dialog(f.invite, first), two = support::caller_dialog(f.invite, second);
  f.r.say(one.request("ACK"));
  RequestText ack = two.request("ACK"), bye = two.request("BYE");
  ack.via += "second";
  bye.via += "second";
  f.r.say(ack);
  f.r.say(bye);
  EXPECT_EQ(f.r.all_to(phone(0)), "ACK");
  EXPECT_EQ(f.r.all_to(phone(1)), "ACK BYE");
  EXPECT_EQ(f.r.leftovers(), "");
}

// 16.7 step 5: a 6xx ends the search; it is forwarded when the other branches have ended.
TEST(CallFork, A6xxEndsItAll) {
  Forked f({"q=0.9", "q=0.9", "q=0.1"});
  f.answer(0, 180);
  f.answer(1, 603);
  EXPECT_EQ(f.r.take(phone(0)).what(), "CANCEL");
  EXPECT_EQ(f.r.all_to(kCaller), "100 180");
  f.answer(0, 487);
  EXPECT_EQ(f.r.all_to(kCaller), "603");
  EXPECT_EQ(f.look(), "0 1");  // nobody below was tried
  EXPECT_EQ(f.r.leftovers(), "");
}

TEST(CallFork, A200ThatCrossesThe6xxsCancelWins) {
  Forked f({"", ""});
  f.answer(0, 180);
  f.answer(1, 603);
  f.answer(0, 200);
  EXPECT_EQ(f.r.all_to(kCaller), "100 180 200");
  EXPECT_EQ(f.r.leftovers(), "");
}

// 16.7 step 6
TEST(CallFork, TheBestAnswerIsChosenWhateverTheOrder) {
  struct Case {
    int a, b, c;
    const char* best;
  };
  for (const Case& one : {Case{486, 404, 503, "486"}, Case{503, 500, 486, "486"}, Case{302, 404, 486, "302"}, Case{480, 486, 408, "486"},
                          Case{407, 404, 486, "407"}, Case{503, 503, 503, "500"}, Case{604, 404, 302, "604"}, Case{500, 503, 503, "500"},
                          Case{415, 486, 404, "415"}, Case{484, 302, 600, "600"}}) {
    std::array<int, 3> answers{one.a, one.b, one.c};
    std::sort(answers.begin(), answers.end());
    do {
      Forked f({"", "", ""});
      for (int i = 0; i < 3; ++i) f.answer(i, answers[static_cast<std::size_t>(i)]);
      // What rings when a 6xx comes is cancelled, silent ones answer as they do here.
      EXPECT_THAT(f.r.all_to(kCaller), EndsWith(one.best)) << answers[0] << ' ' << answers[1] << ' ' << answers[2];
    } while (std::next_permutation(answers.begin(), answers.end()));
  }
}

// 16.7 step 7
TEST(CallFork, TheChallengesOfAllBranchesAreGathered) {
  Forked f({"", "", "", "q=0.1"});
  f.answer(0, 401, {.lines = {"WWW-Authenticate: Digest realm=\"zero\""}});
  f.answer(1, 404);
  f.answer(2, 407, {.lines = {"Proxy-Authenticate: Digest realm=\"two\"", "Proxy-Authenticate: Digest realm=\"two and a half\""}});
  EXPECT_EQ(f.look(), "0 1 2 3");
  f.answer(3, 401, {.lines = {"WWW-Authenticate: Digest realm=\"three\""}});
  f.r.take(kCaller);
  const Seen answer = f.r.take(kCaller);
  EXPECT_EQ(answer.what(), "401");
  const auto www = answer.sip.all("www-authenticate"), proxy = answer.sip.all("proxy-authenticate");
  EXPECT_THAT(www, testing::ElementsAre("Digest realm=\"zero\"", "Digest realm=\"three\""));
  EXPECT_THAT(proxy, testing::ElementsAre("Digest realm=\"two\"", "Digest realm=\"two and a half\""));
  EXPECT_EQ(f.r.leftovers(), "");
}

TEST(CallFork, OtherRequestsForkTooAndOneAnswerIsEnough) {
  CallRig r;
  r.registers("101", phone(0));
  r.registers("101", phone(1));
  RequestText message = CallRig::invite("101");
  message.method = "MESSAGE";
  r.say(message);
  const Seen zero = r.take(phone(0)), one = r.take(phone(1));
  ASSERT_EQ(one.what(), "MESSAGE");
  r.say(response_to(zero, 486), phone(0));
  EXPECT_EQ(r.all_to(kCaller), "");
  r.say(response_to(one, 200), phone(1));
  EXPECT_EQ(r.all_to(kCaller), "200");
  EXPECT_EQ(r.all_to(phone(0)), "");
  EXPECT_EQ(r.leftovers(), "");
}

// A name with a hundred contacts is no amplifier.
TEST(CallFork, NoMoreBranchesThanThePolicySays) {
  CallOptions options;
  options.change = [](Snapshot& s) { s.proxy.forks_max = 3; };
  Forked f({"", "", "", "", "", "", ""}, std::move(options));
  EXPECT_EQ(f.order.size(), 5u) << f.order;  // three numbers
  EXPECT_EQ(f.r.counters().proxy.forwarded_requests.read(), 3u);
}

// The contact's host is the phone's own claim: it does not say where datagrams go.
TEST(CallFork, AContactThatNamesAVictimSendsNothingThere) {
  CallRig r;
  RequestText registration;
  registration.via = "SIP/2.0/UDP " + to_string(phone(0)) + ";rport;branch=z9hG4bK-v";
  registration.from = registration.to = "<sip:101@example.com>";
  registration.from += ";tag=r";
  registration.with("Contact: <sip:101@203.0.113.99:5060>");
  r.say(registration, phone(0));
  ASSERT_EQ(r.all_to(phone(0)), "200");
  r.say(CallRig::invite("101"));
  const Seen there = r.take(phone(0));
  EXPECT_EQ(there.what(), "INVITE");
  EXPECT_EQ(there.uri(), "sip:101@203.0.113.99:5060");
  EXPECT_EQ(r.all_to(Endpoint{IpAddress::v4(203, 0, 113, 99), 5060}), "");
}

// A serial search reads the request again as it was kept; from a strict router the user is not in the Request-URI it came with.
TEST(CallFork, LowerQsAreFoundByTheUriThatWasMeant) {
  CallRig r;
  r.registers("101", phone(0), "q=0.9");
  r.registers("101", phone(1), "q=0.1");
  RequestText invite = CallRig::invite("101");
  invite.uri = "sip:101@example.com;maddr=192.0.2.10";
  r.say(invite);
  r.say(response_to(r.take(phone(0)), 486), phone(0));
  EXPECT_EQ(r.take(phone(1)).what(), "INVITE");
}

}  // namespace
}  // namespace ringweir::shard
