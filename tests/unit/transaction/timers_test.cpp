// When each machine sends again and when it ends, to the millisecond, through a wheel as a shard has it.
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "ringweir/transaction/transaction.h"

namespace ringweir::transaction {
namespace {

using invite_server::Trying;

struct Fired {
  Tick at;
  Action action;
  friend bool operator==(const Fired&, const Fired&) = default;
};
void PrintTo(const Fired& fired, std::ostream* out) {
  *out << fired.at << " ms: action " << static_cast<int>(fired.action);
}

// Everything that happens by time alone up to `until`, a millisecond at a time; times count from `zero`.
template <class T>
std::vector<Fired> run(T& transaction, TimerWheel& wheel, Tick until, Tick zero = 0) {
  std::vector<Fired> all;
  for (Tick now = wheel.now(); now <= until; ++now) {
    wheel.advance(now, 1000, [&](TimerNode& node) {
      EXPECT_EQ(&node, &transaction);
      const Action action = transaction.fire(now, wheel);
      if (action != Action::none) all.push_back({now - zero, action});
    });
  }
  return all;
}

std::vector<Fired> at(Action action, std::initializer_list<Tick> ticks_ms) {
  std::vector<Fired> all;
  for (const Tick tick : ticks_ms) all.push_back({tick, action});
  return all;
}
std::vector<Fired> operator+(std::vector<Fired> a, const std::vector<Fired>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

constexpr Schedule kUdp{};
constexpr Schedule kStream{.reliable = true};
constexpr Action kTimeout = Action::tell_timeout | Action::destroy;
constexpr Text kSome{1, 1};  // stands for a response that is kept

TEST(InviteClientTimers, TimerADoublesUntilTimerBEndsItAt32Seconds) {
  TimerWheel wheel;
  ClientTransaction t(Machine::invite_client);
  EXPECT_EQ(t.begin(kUdp, 0, wheel), Action::send_request);
  EXPECT_EQ(run(t, wheel, 100'000),
            at(Action::send_request, {500, 1'500, 3'500, 7'500, 15'500, 31'500}) + at(kTimeout, {32'000}));
  EXPECT_TRUE(t.terminated());
  EXPECT_FALSE(t.armed());
}

TEST(InviteClientTimers, AStreamSendsOnceAndTimerBIsTheSame) {
  TimerWheel wheel;
  ClientTransaction t(Machine::invite_client);
  t.begin(kStream, 0, wheel);
  EXPECT_EQ(run(t, wheel, 100'000), at(kTimeout, {32'000}));
}

TEST(InviteClientTimers, AProvisionalResponseEndsTimerAAndTimerCCounts) {
  TimerWheel wheel;
  ClientTransaction t(Machine::invite_client);
  t.begin(kUdp, 0, wheel);
  run(t, wheel, 600);
  EXPECT_EQ(t.response(180, 700, wheel), Action::pass_provisional);
  EXPECT_EQ(run(t, wheel, 400'000), at(Action::tell_timer_c, {700 + 181'000}));
  EXPECT_FALSE(t.armed());  // the user was told: what comes now is its CANCEL
  EXPECT_EQ(t.cancelled(400'000, wheel), Action::none);
  EXPECT_EQ(run(t, wheel, 500'000), at(kTimeout, {432'000}));
}

TEST(InviteClientTimers, TimerCStartsAgainWithEvery101To199ButNotWith100) {
  TimerWheel wheel;
  ClientTransaction t(Machine::invite_client);
  t.begin({.timer_c_ms = 200'000}, 0, wheel);
  t.response(100, 10, wheel);
  run(t, wheel, 50'000);
  t.response(100, 50'000, wheel);
  EXPECT_EQ(t.schedule.end, 200'010u);
  t.response(183, 60'000, wheel);
  EXPECT_EQ(run(t, wheel, 300'000), at(Action::tell_timer_c, {260'000}));
}

TEST(InviteClientTimers, AfterACancel32SecondsAreLeftWhateverRings) {
  TimerWheel wheel;
  ClientTransaction t(Machine::invite_client);
  t.begin(kUdp, 0, wheel);
  t.response(180, 100, wheel);
  t.cancelled(1'000, wheel);
  t.response(180, 5'000, wheel);
  t.cancelled(6'000, wheel);  // twice is once
  EXPECT_EQ(run(t, wheel, 100'000), at(kTimeout, {33'000}));
}

TEST(InviteClientTimers, TimerDAbsorbsAndIsNothingOnAStream) {
  for (const bool reliable : {false, true}) {
    TimerWheel wheel;
    ClientTransaction t(Machine::invite_client);
    t.begin({.reliable = reliable}, 0, wheel);
    EXPECT_EQ(t.response(486, 100, wheel), Action::send_ack | Action::pass_final);
    EXPECT_EQ(run(t, wheel, 100'000), at(Action::destroy, {reliable ? Tick{100} : 32'100}));
  }
}

TEST(InviteClientTimers, TimerMIs32SecondsOnAStreamToo) {
  for (const bool reliable : {false, true}) {
    TimerWheel wheel;
    ClientTransaction t(Machine::invite_client);
    t.begin({.reliable = reliable}, 0, wheel);
    EXPECT_EQ(t.response(200, 100, wheel), Action::pass_final);
    run(t, wheel, 20'000);
    EXPECT_EQ(t.response(200, 20'000, wheel), Action::pass_more_2xx);  // does not prolong it
    EXPECT_EQ(run(t, wheel, 100'000), at(Action::destroy, {32'100}));
  }
}

TEST(NonInviteClientTimers, TimerEDoublesUpToT2UntilTimerF) {
  TimerWheel wheel;
  ClientTransaction t(Machine::non_invite_client);
  EXPECT_EQ(t.begin(kUdp, 0, wheel), Action::send_request);
  EXPECT_EQ(run(t, wheel, 100'000), at(Action::send_request, {500, 1'500, 3'500, 7'500, 11'500, 15'500,
                                                              19'500, 23'500, 27'500, 31'500}) +
                                        at(kTimeout, {32'000}));
}

TEST(NonInviteClientTimers, InProceedingTimerEIsT2AndTimerFGoesOn) {
  TimerWheel wheel;
  ClientTransaction t(Machine::non_invite_client);
  t.begin(kUdp, 0, wheel);
  EXPECT_EQ(t.response(100, 100, wheel), Action::pass_provisional);
  EXPECT_EQ(run(t, wheel, 100'000),
            at(Action::send_request, {500, 4'500, 8'500, 12'500, 16'500, 20'500, 24'500, 28'500}) +
                at(kTimeout, {32'000}));
}

TEST(NonInviteClientTimers, AStreamSendsOnce) {
  TimerWheel wheel;
  ClientTransaction t(Machine::non_invite_client);
  t.begin(kStream, 0, wheel);
  EXPECT_EQ(run(t, wheel, 100'000), at(kTimeout, {32'000}));
}

TEST(NonInviteClientTimers, TimerKIsT4AndNothingOnAStream) {
  for (const bool reliable : {false, true}) {
    TimerWheel wheel;
    ClientTransaction t(Machine::non_invite_client);
    t.begin({.reliable = reliable}, 0, wheel);
    EXPECT_EQ(t.response(404, 100, wheel), Action::pass_final);
    EXPECT_EQ(t.response(404, 100, wheel), Action::none);
    EXPECT_EQ(run(t, wheel, 100'000), at(Action::destroy, {reliable ? Tick{100} : 5'100}));
  }
}

TEST(InviteServerTimers, TheUserHas200MillisecondsBefore100IsSentForIt) {
  TimerWheel wheel;
  ServerTransaction late(Machine::invite_server);
  EXPECT_EQ(late.begin(Trying::after_200_ms, kUdp, 0, wheel), Action::pass_request);
  EXPECT_EQ(run(late, wheel, 10'000), at(Action::send_trying, {200}));
  ServerTransaction prompt(Machine::invite_server);
  prompt.begin(Trying::after_200_ms, kUdp, 10'000, wheel);
  EXPECT_EQ(prompt.respond(180, 10'100, wheel), Action::send_response);
  EXPECT_EQ(run(prompt, wheel, 20'000), at(Action::none, {}));
  ServerTransaction proxied(Machine::invite_server);
  EXPECT_EQ(proxied.begin(Trying::at_once, kUdp, 20'000, wheel), Action::pass_request | Action::send_trying);
  EXPECT_FALSE(proxied.armed());
}

TEST(InviteServerTimers, TimerGDoublesUpToT2UntilTimerH) {
  TimerWheel wheel;
  ServerTransaction t(Machine::invite_server);
  t.begin(Trying::at_once, kUdp, 0, wheel);
  EXPECT_EQ(t.respond(486, 0, wheel), Action::send_response);
  t.text = kSome;
  EXPECT_EQ(run(t, wheel, 100'000), at(Action::resend_response, {500, 1'500, 3'500, 7'500, 11'500, 15'500,
                                                                 19'500, 23'500, 27'500, 31'500}) +
                                        at(kTimeout, {32'000}));
}

TEST(InviteServerTimers, OnAStreamOnlyTimerHRuns) {
  TimerWheel wheel;
  ServerTransaction t(Machine::invite_server);
  t.begin(Trying::at_once, kStream, 0, wheel);
  t.respond(486, 0, wheel);
  t.text = kSome;
  EXPECT_EQ(run(t, wheel, 100'000), at(kTimeout, {32'000}));
}

TEST(InviteServerTimers, TheAckStopsTimerGAndTimerIAbsorbsItsRepetitions) {
  for (const bool reliable : {false, true}) {
    TimerWheel wheel;
    ServerTransaction t(Machine::invite_server);
    t.begin(Trying::at_once, {.reliable = reliable}, 0, wheel);
    t.respond(486, 0, wheel);
    t.text = kSome;
    EXPECT_EQ(t.ack(100, wheel), Action::none);
    EXPECT_EQ(t.request_again(100, wheel), Action::none);
    EXPECT_EQ(run(t, wheel, 100'000), at(Action::destroy, {reliable ? Tick{100} : 5'100}));
  }
}

TEST(InviteServerTimers, AfterA2xxTimerLAbsorbsTheInviteAndLetsMore2xxThrough) {
  TimerWheel wheel;
  ServerTransaction t(Machine::invite_server);
  t.begin(Trying::at_once, kUdp, 0, wheel);
  EXPECT_EQ(t.respond(200, 50, wheel), Action::send_response);
  t.text = kSome;
  EXPECT_EQ(t.request_again(60, wheel), Action::none);
  EXPECT_EQ(t.respond(200, 70, wheel), Action::send_response);
  EXPECT_EQ(t.respond(486, 80, wheel), Action::none);
  EXPECT_EQ(t.ack(90, wheel), Action::pass_ack);
  EXPECT_EQ(run(t, wheel, 100'000), at(Action::destroy, {32'050}));
}

TEST(NonInviteServerTimers, TimerJIs32SecondsAndNothingOnAStream) {
  for (const bool reliable : {false, true}) {
    TimerWheel wheel;
    ServerTransaction t(Machine::non_invite_server);
    EXPECT_EQ(t.begin(Trying::at_once, {.reliable = reliable}, 0, wheel), Action::pass_request);
    EXPECT_FALSE(t.armed());
    EXPECT_EQ(t.request_again(10, wheel), Action::none);
    EXPECT_EQ(t.respond(200, 100, wheel), Action::send_response);
    t.text = kSome;
    EXPECT_EQ(t.request_again(110, wheel), Action::resend_response);
    EXPECT_EQ(t.respond(500, 120, wheel), Action::none);
    EXPECT_EQ(run(t, wheel, 100'000), at(Action::destroy, {reliable ? Tick{100} : 32'100}));
  }
}

TEST(ServerTransaction, WithNothingKeptNothingIsSentAgain) {
  TimerWheel wheel;
  ServerTransaction t(Machine::invite_server);
  t.begin(Trying::after_200_ms, kUdp, 0, wheel);
  EXPECT_EQ(t.request_again(10, wheel), Action::none);
  t.respond(503, 20, wheel);  // and the pool was empty
  EXPECT_EQ(t.request_again(30, wheel), Action::none);
  EXPECT_EQ(run(t, wheel, 100'000), at(kTimeout, {32'020}));
}

TEST(Transaction, ALateTurnSendsOnceAndTheEndGoesFirst) {
  TimerWheel wheel;
  ClientTransaction t(Machine::non_invite_client);
  t.begin(kUdp, 0, wheel);
  std::vector<Action> seen;
  wheel.advance(10'000, 1000, [&](TimerNode&) { seen.push_back(t.fire(10'000, wheel)); });
  wheel.advance(10'500, 1000, [&](TimerNode&) { seen.push_back(t.fire(10'500, wheel)); });
  EXPECT_EQ(seen, std::vector{Action::send_request});
  EXPECT_EQ(t.schedule.resend, 11'000u);
  wheel.advance(40'000, 1000, [&](TimerNode&) { seen.push_back(t.fire(40'000, wheel)); });
  EXPECT_EQ(seen.back(), kTimeout);
  EXPECT_EQ(wheel.size(), 0u);
}

TEST(Transaction, CanBeTerminatedFromOutsideInAnyState) {
  TimerWheel wheel;
  for (const Machine machine : {Machine::invite_client, Machine::non_invite_client}) {
    ClientTransaction t(machine);
    t.begin(kUdp, 0, wheel);
    EXPECT_FALSE(t.terminated());
    terminate(t, wheel);
    EXPECT_TRUE(t.terminated());
    EXPECT_EQ(t.response(200, 1, wheel), Action::none);
  }
  for (const Machine machine : {Machine::invite_server, Machine::non_invite_server}) {
    ServerTransaction t(machine);
    t.begin(Trying::after_200_ms, kUdp, 0, wheel);
    terminate(t, wheel);
    EXPECT_TRUE(t.terminated());
    EXPECT_EQ(t.respond(200, 1, wheel), Action::none);
  }
  EXPECT_EQ(wheel.size(), 0u);
}

TEST(Transaction, AServerAndAClientTakeFourCacheLinesTogether) {
  EXPECT_LE(sizeof(ServerTransaction) + sizeof(ClientTransaction), 256u);
}

}  // namespace
}  // namespace ringweir::transaction
