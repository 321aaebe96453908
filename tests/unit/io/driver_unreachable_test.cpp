// ICMP: what comes back from a closed port reaches the handler, and costs nobody else a datagram.
#include <sched.h>

#include <thread>

#include "ringweir/io/sim.h"
#include "unit/io/driver_kit.h"

namespace ringweir::io {
namespace {

template <class D>
class DriverUnreachableTest : public DriverTest<D> {};
TYPED_TEST_SUITE(DriverUnreachableTest, SocketDrivers);

// A port that was somebody's a moment ago.
Endpoint closed_port(const char* bind) {
  return Phone(bind).at();
}

TYPED_TEST(DriverUnreachableTest, AClosedPortIsReportedWithItsSocket) {
  for (const char* bind : {"127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"}) {
    const bool is_v6 = bind == std::string_view("[::1]:0");
    std::vector<UdpSocket> sockets;
    sockets.push_back(opened(is_v6 ? "127.0.0.1:0" : "[::1]:0"));
    sockets.push_back(opened(bind));
    auto driver = driver_on<TypeParam>(std::move(sockets));
    ASSERT_TRUE(driver->start());
    const Endpoint nobody = closed_port(is_v6 ? "[::1]:0" : "127.0.0.1:0");
    Inbox inbox;
    send_text(*driver, "anybody?", nobody, 1);
    ASSERT_TRUE(turn_until(*driver, inbox, [&] { return !inbox.unreachable.empty(); })) << bind;
    EXPECT_EQ(inbox.unreachable[0].peer, nobody) << bind;
    EXPECT_EQ(inbox.unreachable[0].socket, 1) << bind;
    EXPECT_EQ(driver->counters().unreachable.read(), 1u);
    EXPECT_EQ(driver->counters().receive_errors.read(), 0u);
  }
}

TYPED_TEST(DriverUnreachableTest, ADualStackSocketReportsTheSixthVersionToo) {
  auto driver = driver_on<TypeParam>("[::]:0");
  const Endpoint nobody = closed_port("[::1]:0");
  Inbox inbox;
  send_text(*driver, "anybody?", nobody);
  ASSERT_TRUE(turn_until(*driver, inbox, [&] { return !inbox.unreachable.empty(); }));
  EXPECT_EQ(inbox.unreachable[0].peer, nobody);
}

// The kernel fails the next send on the socket with the report about the one before: it has to go again.
TYPED_TEST(DriverUnreachableTest, DatagramsBetweenThoseToADeadPeerAllArrive) {
  for (const char* bind : {"127.0.0.1:0", "[::1]:0", "0.0.0.0:0"}) {
    auto driver = driver_on<TypeParam>(bind);
    const char* there = bind == std::string_view("[::1]:0") ? "[::1]:0" : "127.0.0.1:0";
    const IpAddress from = bind == std::string_view("0.0.0.0:0") ? *parse_ip("127.0.0.1") : IpAddress{};
    Phone alive(there);
    const Endpoint nobody = closed_port(there);
    Inbox inbox;
    std::vector<std::string> sent;
    for (int round = 0; round < 20; ++round) {
      for (int i = 0; i < 5; ++i) {
        sent.push_back(std::to_string(round) + "." + std::to_string(i));
        send_text(*driver, "dead", nobody, 0, from);
        send_text(*driver, sent.back(), alive.at(), 0, from);
        send_text(*driver, "dead", nobody, 0, from);
      }
      driver->turn(inbox, driver->now());
    }
    std::vector<std::string> came;
    ASSERT_TRUE(turn_until(*driver, inbox,
                           [&] {
                             while (auto letter = alive.look()) came.push_back(letter->text);
                             return came.size() >= sent.size();
                           }))
        << bind << ": " << came.size() << " of " << sent.size();
    std::ranges::sort(came);
    std::ranges::sort(sent);
    EXPECT_EQ(came, sent);
    if constexpr (std::is_same_v<TypeParam, Uring>) {  // sendmmsg stops in front of what failed: called on,
                                                       // it goes again
      EXPECT_GT(driver->counters().send_retries.read(), 0u) << "the trap this is about was never met";
    }
  }
}

TYPED_TEST(DriverUnreachableTest, DatagramsThatArriveBesideReportsAllCome) {
  auto driver = driver_on<TypeParam>("127.0.0.1:0");
  Phone phone("127.0.0.1:0");
  const Endpoint nobody = closed_port("127.0.0.1:0");
  Inbox inbox;
  std::vector<std::string> sent;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 4; ++i) {
      sent.push_back(std::to_string(round) + "." + std::to_string(i));
      phone.send(sent.back(), address_of(*driver));
      send_text(*driver, "dead", nobody);
    }
    driver->turn(inbox, driver->now());
  }
  ASSERT_TRUE(turn_until(*driver, inbox, [&] { return inbox.texts.size() >= sent.size(); }));
  EXPECT_EQ(inbox.texts, sent) << "also in their order";
  EXPECT_EQ(driver->counters().receive_errors.read(), 0u);
  EXPECT_FALSE(inbox.unreachable.empty());
}

TYPED_TEST(DriverUnreachableTest, AStormIsReportedInBoundedPortionsWhileDatagramsFlow) {
  auto driver = driver_on<TypeParam>("127.0.0.1:0");
  constexpr std::size_t kDead = 3 * ErrorQueue::kReportsPerTurn + 7;
  std::vector<Endpoint> dead;
  {
    std::vector<std::unique_ptr<Phone>> phones;
    for (std::size_t i = 0; i < kDead; ++i) phones.push_back(std::make_unique<Phone>("127.0.0.1:0"));
    for (const auto& phone : phones) dead.push_back(phone->at());
  }
  Phone phone("127.0.0.1:0");
  Inbox inbox;
  for (const Endpoint& each : dead) send_text(*driver, "anybody?", each);
  phone.send("amid the storm", address_of(*driver));
  std::size_t before = 0, most = 0;
  ASSERT_TRUE(turn_until(*driver, inbox,
                         [&] {
                           most = std::max(most, inbox.unreachable.size() - before);
                           before = inbox.unreachable.size();
                           return before >= kDead;
                         }))
      << before << " of " << kDead;
  EXPECT_LE(most, std::size_t{ErrorQueue::kReportsPerTurn});
  EXPECT_EQ(inbox.texts, std::vector<std::string>{"amid the storm"});
  std::vector<Endpoint> reported;
  for (const Unreachable& each : inbox.unreachable) reported.push_back(each.peer);
  std::ranges::sort(reported);
  std::ranges::sort(dead);
  EXPECT_EQ(reported, dead);
}

TYPED_TEST(DriverUnreachableTest, ManyReportsOfOnePeerAreOneReportATurn) {
  auto driver = driver_on<TypeParam>("127.0.0.1:0");
  const Endpoint nobody = closed_port("127.0.0.1:0");
  Inbox inbox;
  for (int i = 0; i < 20; ++i) send_text(*driver, "anybody?", nobody);
  for (std::size_t turns = 0; turns < 10; ++turns) {
    const std::size_t before = inbox.unreachable.size();
    driver->turn(inbox, driver->now());
    EXPECT_LE(inbox.unreachable.size() - before, 1u);
  }
  EXPECT_FALSE(inbox.unreachable.empty());
  Phone phone("127.0.0.1:0");
  EXPECT_TRUE(ask(*driver, phone, "still here", address_of(*driver)));
}

// In a network of its own, where not even loopback is up.
TYPED_TEST(DriverUnreachableTest, WhatHasNoRouteIsReportedWhenItHasFailedForGood) {
  bool is_permitted = true;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0) {
      is_permitted = false;
      return;
    }
    auto driver = driver_on<TypeParam>("0.0.0.0:0");
    const Endpoint nowhere{*parse_ip("192.0.2.1"), 5060};
    Inbox inbox;
    send_text(*driver, "hello", nowhere);
    ASSERT_TRUE(turn_until(*driver, inbox, [&] { return !inbox.unreachable.empty(); }));
    EXPECT_EQ(inbox.unreachable[0].peer, nowhere);
    EXPECT_EQ(driver->counters().send_errors.read(), 1u);
    EXPECT_EQ(driver->counters().send_retries.read(), ErrorQueue::kTries - 1);
    driver->stop();
  }).join();
  if (!is_permitted) GTEST_SKIP() << "no right to make a network namespace";
}

TEST(SimUnreachable, IsReportedAfterTheTurnsDatagrams) {
  SimClock clock;
  Sim sim(clock, {});
  const Endpoint peer{IpAddress::v4(192, 0, 2, 1), 5060};
  sim.report_unreachable(peer, 3);
  EXPECT_TRUE(sim.has_input());
  Inbox inbox;
  sim.turn(inbox, Instant{});
  ASSERT_EQ(inbox.unreachable.size(), 1u);
  EXPECT_EQ(inbox.unreachable[0].peer, peer);
  EXPECT_EQ(inbox.unreachable[0].socket, 3);
  EXPECT_FALSE(sim.has_input());
  sim.turn(inbox, Instant{});
  EXPECT_EQ(inbox.unreachable.size(), 1u);
  EXPECT_EQ(sim.counters().unreachable.read(), 1u);
}

}  // namespace
}  // namespace ringweir::io
