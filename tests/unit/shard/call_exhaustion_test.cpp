// When something is used up: 503 or silence, counted, and all of it back afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/call_rig.h"

namespace ringweir::shard {
namespace {

using support::CallOptions;
using support::CallRig;
using support::kCallee;
using support::kCaller;
using support::RequestText;
using support::response_to;
using support::Seen;
using support::target_at;

CallOptions small(std::uint32_t contexts, std::uint32_t branches) {
  CallOptions options;
  options.targets = 1;
  options.rig.engine.contexts = contexts;
  options.rig.engine.branches = branches;
  return options;
}
RequestText numbered(int n, const char* method = "INVITE") {
  RequestText out = CallRig::invite();
  out.method = method;
  out.call_id = "call-" + std::to_string(n);
  out.via += out.call_id;
  return out;
}

TEST(CallExhaustion, WithoutAContextARequestIsRefusedAndCounted) {
  CallRig r(small(4, 100));
  for (int n = 0; n < 4; ++n) r.say(numbered(n));
  r.seen.clear();
  r.say(numbered(4));
  const Seen refused = r.take(kCaller);
  EXPECT_EQ(refused.what(), "503");
  EXPECT_TRUE(refused.sip.has("retry-after"));
  EXPECT_EQ(r.all_to(target_at(0)), "");
  EXPECT_EQ(r.counters().proxy.no_room.read(), 1u);
  EXPECT_EQ(r.leftovers(), "");
}

TEST(CallExhaustion, WhatIsOnlyRememberedGoesFirstAndTheOldestOfIt) {
  CallRig r(small(4, 100));
  Seen there[5];
  for (int n = 0; n < 4; ++n) {
    r.say(numbered(n, "MESSAGE"));
    there[n] = r.take(target_at(0));
  }
  for (const int n : {2, 1}) r.say(response_to(there[n], 200), target_at(0));
  r.seen.clear();
  r.say(numbered(4));
  EXPECT_EQ(r.all_to(kCaller), "100");
  EXPECT_EQ(r.counters().proxy.forgotten.read(), 1u);
  r.say(numbered(1, "MESSAGE"));  // still remembered
  EXPECT_EQ(r.all_to(kCaller), "200");
  r.seen.clear();
  r.say(numbered(2, "MESSAGE"));  // the first to complete was forgotten: new again, in the place of the other
  EXPECT_EQ(r.take(target_at(0)).what(), "MESSAGE");
  EXPECT_EQ(r.counters().proxy.forgotten.read(), 2u);
  EXPECT_EQ(r.leftovers(), "");
}

TEST(CallExhaustion, WithoutABranchTheRequestIsAnswered503OnceAndAgain) {
  CallRig r(small(100, 3));
  for (int n = 0; n < 3; ++n) r.say(numbered(n));
  r.seen.clear();
  r.say(numbered(3));
  EXPECT_EQ(r.all_to(kCaller), "100 503");
  r.say(numbered(3));
  EXPECT_EQ(r.all_to(kCaller), "503");
  EXPECT_EQ(r.counters().proxy.no_room.read(), 1u);
  EXPECT_EQ(r.leftovers(), "");
}

TEST(CallExhaustion, AForkWithRoomForSomeOfItsBranchesGoesToThose) {
  CallRig r(small(100, 2));
  for (int i = 0; i < 4; ++i) r.registers("101", {kCallee.ip, static_cast<std::uint16_t>(6'000 + i)});
  RequestText invite = CallRig::invite("101");
  r.say(invite);
  EXPECT_EQ(r.all_to(kCaller), "100");
  EXPECT_EQ(r.engine().branches(), 2u);
  EXPECT_EQ(r.leftovers(), "");
}

TEST(CallExhaustion, WithoutABranchForItsCancelTheInviteStillEnds) {
  CallRig r(small(100, 1));
  const RequestText invite = CallRig::invite();
  r.say(invite);
  const Seen there = r.take(target_at(0));
  r.say(response_to(there, 180), target_at(0));
  r.say(support::cancel_of(invite));
  EXPECT_EQ(r.all_to(kCaller), "100 180 200");
  EXPECT_EQ(r.all_to(target_at(0)), "");
  EXPECT_EQ(r.leftovers(), "");
}

TEST(CallExhaustion, WithoutTextsRequestsAreRefusedAndTheRoomComesBack) {
  CallOptions options = small(4'000, 4'000);
  options.rig.texts_bytes = 4 * transaction::TextPool::kChunkBytes;
  CallRig r(options);
  int refused = 0, taken = 0;
  for (int n = 0; n < 1'500; ++n) {
    r.say(numbered(n));
    const std::string answers = r.all_to(kCaller);
    refused += answers.find("503") != answers.npos;
    taken += !r.all_to(target_at(0)).empty();
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(taken, 100);
  EXPECT_EQ(refused + taken, 1'500);
  EXPECT_EQ(r.counters().proxy.no_room.read(), static_cast<std::uint64_t>(refused));
  EXPECT_EQ(r.leftovers(), "");
  r.seen.clear();
  r.say(numbered(9'999));
  EXPECT_EQ(r.all_to(target_at(0)), "INVITE");
}

// What was answered keeps its answer for 32 s: under load it makes room for what is new.
TEST(CallExhaustion, RememberedAnswersMakeRoomForNewTexts) {
  CallOptions options = small(8'000, 8'000);
  options.rig.texts_bytes = 4 * transaction::TextPool::kChunkBytes;
  CallRig r(options);
  for (int n = 0; n < 5'000; ++n) {
    r.say(numbered(n, "MESSAGE"));
    const Seen there = r.take(target_at(0));
    ASSERT_EQ(there.what(), "MESSAGE") << n;
    r.say(response_to(there, 200), target_at(0));
    ASSERT_EQ(r.all_to(kCaller), "200") << n;
  }
  EXPECT_GT(r.counters().proxy.forgotten.read(), 0u);
  EXPECT_EQ(r.leftovers(), "");
}

TEST(CallExhaustion, WithoutASendBufferTheAnswerIsThereForWhoAsksAgain) {
  for (const char* method : {"INVITE", "MESSAGE"}) {
    CallRig r({.targets = 1});
    const RequestText request = numbered(1, method);
    r.say(request);
    const Seen there = r.take(target_at(0));
    r.seen.clear();
    r.rig->drivers[0]->fail_buffers(true);
    r.say(response_to(there, 486), target_at(0));
    EXPECT_EQ(r.seen.size(), 0u);
    r.rig->drivers[0]->fail_buffers(false);
    r.say(request);
    EXPECT_EQ(r.all_to(kCaller), "486") << method;
    EXPECT_EQ(r.all_to(target_at(0)), "");
    r.say(response_to(there, 486), target_at(0));  // the target has had no ACK yet
    EXPECT_EQ(r.all_to(target_at(0)), std::string_view{method} == "INVITE" ? "ACK" : "") << method;
    EXPECT_EQ(r.leftovers(), "");
  }
}

TEST(CallExhaustion, WithoutASendBufferForTheRequestItIsRefusedWhenItComesAgain) {
  CallRig r({.targets = 1});
  const RequestText invite = CallRig::invite();
  r.rig->drivers[0]->fail_buffers(true);
  r.say(invite);
  EXPECT_EQ(r.seen.size(), 0u);
  r.rig->drivers[0]->fail_buffers(false);
  r.say(invite);
  EXPECT_EQ(r.all_to(kCaller), "503");
  EXPECT_EQ(r.state(0).outstanding(), 0u);
  EXPECT_EQ(r.leftovers(), "");
  for (const Seen& each : r.seen) EXPECT_FALSE(each.raw.empty());
}

TEST(CallExhaustion, AnEvictedCallIsCountedAndItsTargetsCountGoesDown) {
  CallOptions options;
  options.targets = 1;
  options.rig.engine.calls = 4;
  CallRig r(options);
  for (int n = 0; n < 10; ++n) r.call_target(numbered(n));
  EXPECT_EQ(r.state(0).calls(), 4u);
  EXPECT_EQ(r.counters().proxy.calls_evicted.read(), 6u);
  r.pass(std::chrono::hours{13});
  EXPECT_EQ(r.state(0).calls(), 0u);  // nobody said a word for half a day
}

}  // namespace
}  // namespace ringweir::shard
