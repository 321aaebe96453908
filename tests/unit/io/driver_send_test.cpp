// Sending when things go wrong: no buffer, nobody there, the wrong family, too large, and leaving early.
#include "unit/io/driver_kit.h"

namespace ringweir::io {
namespace {

template <class D>
class DriverSendTest : public DriverTest<D> {};
TYPED_TEST_SUITE(DriverSendTest, SocketDrivers);

TYPED_TEST(DriverSendTest, ShedsWhenEveryBufferIsTakenAndRecovers) {
  typename TypeParam::Options options;
  options.send_slots = 3;
  options.send_slots_large = 1;
  auto driver = driver_on<TypeParam>("127.0.0.1:0", options);
  std::vector<SendBuffer> taken;
  for (int i = 0; i < 3; ++i) {
    taken.push_back(driver->take_buffer(100));
    ASSERT_NE(taken.back().data, nullptr);
    std::memset(taken.back().data, i, taken.back().capacity);
  }
  EXPECT_EQ(driver->take_buffer(100).data, nullptr);
  EXPECT_EQ(driver->counters().send_buffers_exhausted.read(), 1u);
  const SendBuffer large = driver->take_buffer(5'000);
  ASSERT_NE(large.data, nullptr);
  EXPECT_GE(large.capacity, 65'507u);
  EXPECT_EQ(driver->take_buffer(5'000).data, nullptr);
  EXPECT_EQ(driver->take_buffer(70'000).data, nullptr) << "larger than any datagram";
  driver->drop_buffer(large);
  for (const SendBuffer& buffer : taken) driver->drop_buffer(buffer);
  Phone phone("127.0.0.1:0");
  EXPECT_TRUE(ask(*driver, phone, "still here", address_of(*driver)));
}

TYPED_TEST(DriverSendTest, ATurnMaySendMoreThanThereAreBuffers) {
  typename TypeParam::Options options;
  options.send_slots = 4;
  auto driver = driver_on<TypeParam>("127.0.0.1:0", options);
  Phone phone("127.0.0.1:0");
  for (int i = 0; i < 50; ++i) send_text(*driver, std::to_string(i), phone.at());
  NullHandler nobody;
  driver->turn(nobody, driver->now());
  for (int i = 0; i < 50; ++i) {
    const auto letter = phone.look();
    ASSERT_TRUE(letter);
    EXPECT_EQ(letter->text, std::to_string(i));
  }
  EXPECT_EQ(driver->counters().send_buffers_exhausted.read(), 0u);
}

TYPED_TEST(DriverSendTest, AClosedPortDoesNotWedgeTheSocket) {
  for (const char* bind : {"127.0.0.1:0", "[::1]:0"}) {
    auto driver = driver_on<TypeParam>(bind);
    const Endpoint nobody = Phone(bind).at();
    NullHandler none;
    for (int i = 0; i < 100; ++i) {
      send_text(*driver, "anybody?", nobody);
      driver->turn(none, driver->now());
    }
    Phone phone(bind);
    EXPECT_TRUE(ask(*driver, phone, "still here", address_of(*driver)));
    EXPECT_EQ(driver->counters().receive_errors.read(), 0u);
  }
}

TYPED_TEST(DriverSendTest, WhatTheKernelRefusesIsCountedAndTheBufferComesBack) {
  typename TypeParam::Options options;
  options.send_slots = 1;
  options.send_slots_large = 1;
  auto driver = driver_on<TypeParam>("127.0.0.1:0", options);
  NullHandler none;
  for (std::uint64_t i = 1; i <= 5; ++i) {
    send_text(*driver, "other family", *parse_endpoint("[::1]:9"));
    send_text(*driver, std::string(65'520, 'x'), *parse_endpoint("127.0.0.1:9"));  // EMSGSIZE
    ASSERT_TRUE(turn_until(*driver, none, [&] { return driver->counters().send_errors.read() >= 2 * i; }));
    EXPECT_EQ(driver->counters().send_errors.read(), 2 * i);
  }
  Phone phone("127.0.0.1:0");
  EXPECT_TRUE(ask(*driver, phone, "still here", address_of(*driver)));
}

TYPED_TEST(DriverSendTest, GoesAwayWithSendsStillQueued) {
  Phone phone("127.0.0.1:0");
  for (int round = 0; round < 20; ++round) {
    auto driver = driver_on<TypeParam>("127.0.0.1:0");
    phone.send("unread", address_of(*driver));
    for (int i = 0; i < 10; ++i) send_text(*driver, std::string(1'000, 'q'), phone.at());
  }
}

TYPED_TEST(DriverSendTest, StopSendsWhatIsQueuedAndFreesThePort) {
  Phone phone("127.0.0.1:0");
  auto driver = driver_on<TypeParam>("127.0.0.1:0");
  const Endpoint at = address_of(*driver);
  send_text(*driver, "last words", phone.at());
  driver->stop();
  const auto letter = phone.look();
  ASSERT_TRUE(letter);
  EXPECT_EQ(letter->text, "last words");
  driver.reset();
  UdpOptions again;
  again.bind = at;
  EXPECT_TRUE(open_udp(again));
}

}  // namespace
}  // namespace ringweir::io
