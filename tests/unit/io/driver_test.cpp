// What both socket drivers promise (io/driver.h), over loopback.
#include "unit/io/driver_kit.h"

namespace ringweir::io {
namespace {

TYPED_TEST_SUITE(DriverTest, SocketDrivers);

TYPED_TEST(DriverTest, EchoesToItsSenderOverBothFamilies) {
  for (const char* bind : {"127.0.0.1:0", "[::1]:0"}) {
    auto driver = driver_on<TypeParam>(bind);
    Phone phone(bind), other(bind);
    EXPECT_NE(address_of(*driver).port, 0);
    for (int i = 0; i < 50; ++i) {
      const std::string text = "datagram " + std::to_string(i);
      const auto answer = ask(*driver, phone, text, address_of(*driver));
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->text, text);
      EXPECT_EQ(answer->from, address_of(*driver));
    }
    EXPECT_FALSE(other.look());
    NullHandler nobody;
    driver->turn(nobody, driver->now());
    EXPECT_EQ(driver->counters().datagrams_in.read(), 50u);
    EXPECT_EQ(driver->counters().datagrams_out.read(), 50u);
    EXPECT_EQ(driver->counters().bytes_in.read(), driver->counters().bytes_out.read());
    EXPECT_EQ(driver->counters().send_errors.read(), 0u);
    EXPECT_GT(driver->memory_bytes(), 0u);
  }
}

TYPED_TEST(DriverTest, ThePreciseClockMovesWhileTheTurnsClockStandsStill) {
  struct Watch {
    TypeParam& driver;
    bool moved = false, stood = true;
    void on_datagram(const Received&) {
      const Instant turn = driver.now(), deadline = turn + kPatience;
      Instant precise = driver.precise_now();
      stood = precise >= turn;
      const Instant first = precise;
      while (precise == first && precise < deadline) precise = driver.precise_now();
      moved = precise > first;
      stood = stood && driver.now() == turn;
    }
    void on_batch_end() {}
    void on_unreachable(const Endpoint&, SocketIndex) {}
  };
  auto driver = driver_on<TypeParam>("127.0.0.1:0");
  Phone phone("127.0.0.1:0");
  phone.send("x", address_of(*driver));
  Watch watch{*driver};
  const Instant deadline = monotonic_now() + kPatience;
  while (!watch.moved && monotonic_now() < deadline) driver->turn(watch, driver->now() + 50ms);
  EXPECT_TRUE(watch.moved);
  EXPECT_TRUE(watch.stood);
}

TYPED_TEST(DriverTest, SaysWhoSentAndInWhichOrder) {
  auto driver = driver_on<TypeParam>("127.0.0.1:0");
  Phone first("127.0.0.1:0"), second("127.0.0.1:0");
  first.send("one", address_of(*driver));
  second.send("two", address_of(*driver));
  first.send("three", address_of(*driver));
  Inbox inbox;
  ASSERT_TRUE(turn_until(*driver, inbox, [&] { return inbox.texts.size() == 3; }));
  EXPECT_EQ(inbox.texts, (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_EQ(inbox.peers, (std::vector<Endpoint>{first.at(), second.at(), first.at()}));
  EXPECT_EQ(inbox.locals[0], IpAddress{}) << "a socket bound to one address has nothing to say";
}

TYPED_TEST(DriverTest, ABurstLargerThanTheBuffersLosesNothing) {
  typename TypeParam::Options options;
  options.receive_buffers = 4;
  auto driver = driver_on<TypeParam>("127.0.0.1:0", options);
  Phone phone("127.0.0.1:0");
  std::vector<std::string> sent;
  for (int i = 0; i < 100; ++i) {
    sent.push_back("burst " + std::to_string(i));
    phone.send(sent.back(), address_of(*driver));
  }
  Inbox inbox;
  ASSERT_TRUE(turn_until(*driver, inbox, [&] { return inbox.texts.size() >= sent.size(); }));
  EXPECT_EQ(inbox.texts, sent);
  if constexpr (std::is_same_v<TypeParam, Uring>) {
    EXPECT_GT(driver->counters().receive_buffers_exhausted.read(), 0u);
  }
  EXPECT_EQ(driver->counters().receive_errors.read(), 0u);
}

TYPED_TEST(DriverTest, ATurnDecidesABoundedBatch) {
  typename TypeParam::Options options;
  options.receive_buffers = limits::kTurnBatchMax;
  if constexpr (std::is_same_v<TypeParam, Uring>) options.receive_buffers = 2 * limits::kTurnBatchMax;
  auto driver = driver_on<TypeParam>("127.0.0.1:0", options);
  Phone phone("127.0.0.1:0");
  Inbox inbox;
  std::size_t sent = 0;
  for (; sent < 3 * limits::kTurnBatchMax; ++sent) phone.send(std::to_string(sent), address_of(*driver));
  ASSERT_TRUE(turn_until(*driver, inbox, [&, before = std::size_t{0}]() mutable {
    EXPECT_LE(inbox.texts.size() - before, limits::kTurnBatchMax);
    before = inbox.texts.size();
    return before >= sent;
  }));
  for (std::size_t i = 0; i < sent; ++i) ASSERT_EQ(inbox.texts[i], std::to_string(i));
}

TYPED_TEST(DriverTest, TheLargestDatagramComesAndGoesWhole) {
  for (const char* bind : {"127.0.0.1:0", "[::1]:0"}) {
    auto driver = driver_on<TypeParam>(bind);
    Phone phone(bind);
    std::string text(65'507, 'x');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31);
    const auto answer = ask(*driver, phone, text, address_of(*driver));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->text, text);
    EXPECT_EQ(driver->counters().truncated.read(), 0u);
  }
}

TYPED_TEST(DriverTest, ADatagramLargerThanTheBuffersIsMarkedTruncated) {
  typename TypeParam::Options options;
  options.receive_octets = 512;
  auto driver = driver_on<TypeParam>("127.0.0.1:0", options);
  Phone phone("127.0.0.1:0");
  const std::string text(3'000, 't');
  phone.send(text, address_of(*driver));
  phone.send("after", address_of(*driver));
  Inbox inbox;
  ASSERT_TRUE(turn_until(*driver, inbox, [&] { return inbox.texts.size() == 2; }));
  EXPECT_GE(inbox.texts[0].size(), 512u);
  EXPECT_LT(inbox.texts[0].size(), text.size());
  EXPECT_TRUE(text.starts_with(inbox.texts[0]));
  EXPECT_EQ(inbox.truncated, (std::vector<bool>{true, false}));
  EXPECT_EQ(inbox.peers[0], phone.at());
  EXPECT_EQ(inbox.texts[1], "after");
  EXPECT_EQ(driver->counters().truncated.read(), 1u);
}

TYPED_TEST(DriverTest, AnEmptyDatagramDoesNotStopTheSocket) {
  auto driver = driver_on<TypeParam>("127.0.0.1:0");
  Phone phone("127.0.0.1:0");
  for (const char* text : {"", "", "a", "", "b"}) phone.send(text, address_of(*driver));
  Inbox inbox;
  ASSERT_TRUE(turn_until(*driver, inbox, [&] { return inbox.texts.size() == 5; }));
  EXPECT_EQ(inbox.texts, (std::vector<std::string>{"", "", "a", "", "b"}));
}

TYPED_TEST(DriverTest, ManySmallTurnsLeakNoBuffer) {
  typename TypeParam::Options options;
  options.receive_buffers = 8;
  options.send_slots = 4;
  auto driver = driver_on<TypeParam>("127.0.0.1:0", options);
  Phone phone("127.0.0.1:0");
  for (int i = 0; i < 2'000; ++i) ASSERT_TRUE(ask(*driver, phone, "small", address_of(*driver))) << i;
  EXPECT_EQ(driver->counters().send_buffers_exhausted.read(), 0u);
  EXPECT_EQ(driver->counters().receive_buffers_exhausted.read(), 0u);
}

TYPED_TEST(DriverTest, SeveralSocketsKeepTheirPlaces) {
  std::vector<UdpSocket> sockets;
  sockets.push_back(opened("127.0.0.1:0"));
  sockets.push_back(opened("[::1]:0"));
  sockets.push_back(opened("127.0.0.1:0"));
  auto driver = driver_on<TypeParam>(std::move(sockets));
  ASSERT_TRUE(driver->start());
  Phone v4("127.0.0.1:0"), v6("[::1]:0");
  for (const std::size_t socket : {2u, 0u, 1u}) {
    Phone& phone = socket == 1 ? v6 : v4;
    Inbox inbox;
    phone.send("hello", address_of(*driver, socket));
    ASSERT_TRUE(turn_until(*driver, inbox, [&] { return inbox.texts.size() == 1; }));
    EXPECT_EQ(inbox.sockets[0], socket);
    EXPECT_EQ(inbox.peers[0], phone.at());
    const auto answer = ask(*driver, phone, "back", address_of(*driver, socket));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->from, address_of(*driver, socket));
  }
}

TYPED_TEST(DriverTest, AnswersLeaveFromTheAddressTheQuestionCameTo) {
  for (const char* bind : {"0.0.0.0:0", "[::]:0"}) {
    auto driver = driver_on<TypeParam>(bind);
    Phone phone("127.0.0.1:0");
    for (const char* ip : {"127.0.0.1", "127.0.0.2", "127.9.9.9"}) {
      const Endpoint to{*parse_ip(ip), address_of(*driver).port};
      const auto answer = ask(*driver, phone, "from where?", to);
      ASSERT_TRUE(answer) << bind << ' ' << ip;
      EXPECT_EQ(answer->from, to);
    }
  }
  auto driver = driver_on<TypeParam>("[::]:0");
  Phone phone("[::1]:0");
  const Endpoint to{*parse_ip("::1"), address_of(*driver).port};
  Inbox inbox;
  phone.send("to ::1", to);
  ASSERT_TRUE(turn_until(*driver, inbox, [&] { return inbox.texts.size() == 1; }));
  EXPECT_EQ(inbox.locals[0], to.ip);
  const auto answer = ask(*driver, phone, "again", to);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->from, to);
}

}  // namespace
}  // namespace ringweir::io
