// Trains of datagrams: what may join, that nothing is lost or changed, and that calls keep their order.
#include "ringweir/io/send_trains.h"

#include <map>
#include <string>

#include "ringweir/base/random.h"
#include "unit/io/driver_kit.h"

namespace ringweir::io {
namespace {

const Endpoint kPbx{IpAddress::v4(192, 0, 2, 20), 5060}, kPhone{IpAddress::v4(192, 0, 2, 7), 5062};

struct Added {
  std::uint32_t size;
  Endpoint to;
  SocketIndex socket;
  std::uint64_t order;
};

// Everything added leaves once, whole trains hold to the limits, and each order to its order.
void expect_sound(const SendTrains& trains, const std::vector<Added>& added) {
  std::vector<int> left(added.size());
  std::map<std::uint64_t, std::uint32_t> latest;
  for (std::size_t i = 0; i < trains.size(); ++i) {
    const Train& train = trains.train(i);
    std::uint32_t count = 0;
    for (std::uint32_t at = train.first; at != QueuedSend::kLast; at = trains.member(at).next) {
      const std::uint32_t slot = trains.member(at).slot;
      const Added& was = added[slot];
      ++left[slot];
      ++count;
      EXPECT_EQ(trains.member(at).size, was.size);
      EXPECT_EQ(train.size, was.size);
      EXPECT_EQ(train.to, was.to);
      EXPECT_EQ(train.socket, was.socket);
      const auto [before, first] = latest.try_emplace(was.order, slot);
      if (!first) {
        EXPECT_LT(before->second, slot) << "order " << was.order;
        before->second = slot;
      }
    }
    EXPECT_EQ(count, train.count);
    EXPECT_LE(count, SendTrains::kSegmentsMax);
    if (count > 1) {
      EXPECT_LE(train.size, SendTrains::kSegmentOctetsMax);
      EXPECT_LE(count * train.size, SendTrains::kTrainOctetsMax);
    }
  }
  for (const int times : left) EXPECT_EQ(times, 1);
}

TEST(SendTrains, HoldToLimitsAndToTheOrderOfEachCallWhateverIsAdded) {
  Random random(7);
  for (int round = 0; round < 300; ++round) {
    SendTrains trains(512, true);
    std::vector<Added> added;
    const std::uint32_t calls = 1 + random.below(40);
    for (std::uint32_t i = 0, n = random.below(512); i < n; ++i) {
      constexpr std::uint32_t kSizes[] = {0, 2, 300, 450, 451, 1'400, 1'401, 9'000};
      added.push_back({kSizes[random.below(8)], random.below(2) ? kPbx : kPhone, static_cast<SocketIndex>(random.below(2)),
                       random.below(calls)});
      trains.add(i, added.back().size, added.back().socket, added.back().to, {}, added.back().order);
      if (random.below(100) == 0) trains.close();
    }
    expect_sound(trains, added);
  }
}

TEST(SendTrains, WhatGoesTheSameWayAndIsOfOneSizeGoesTogether) {
  SendTrains trains(64, true);
  for (std::uint32_t i = 0; i < 40; ++i) trains.add(i, i % 2 ? 300 : 450, 0, kPbx, {}, i);
  ASSERT_EQ(trains.size(), 2u);
  EXPECT_EQ(trains.train(0).count, 20);
  EXPECT_EQ(trains.train(1).count, 20);
}

TEST(SendTrains, ACallsNextMessageNeverOvertakes) {
  SendTrains trains(8, true);
  trains.add(0, 300, 0, kPbx, {}, 1);  // of another call
  trains.add(1, 450, 0, kPbx, {}, 2);
  trains.add(2, 300, 0, kPbx, {}, 2);  // would be in front of its own 1
  ASSERT_EQ(trains.size(), 3u);
  EXPECT_EQ(trains.member(trains.train(2).first).slot, 2u);
}

TEST(SendTrains, AnotherSourceAddressIsAnotherWay) {
  SendTrains trains(8, true);
  trains.add(0, 300, 0, kPbx, IpAddress::v4(192, 0, 2, 10), 1);
  trains.add(1, 300, 0, kPbx, IpAddress::v4(192, 0, 2, 11), 2);
  EXPECT_EQ(trains.size(), 2u);
}

TEST(SendTrains, GoOneByOneWhereTheyAreSwitchedOffOrRefused) {
  SendTrains off(8, false), on(8, true);
  on.refuse(0);
  for (std::uint32_t i = 0; i < 4; ++i) {
    off.add(i, 300, 0, kPbx, {}, i);
    on.add(i, 300, 0, kPbx, {}, i);
  }
  EXPECT_EQ(off.size(), 4u);
  EXPECT_EQ(on.size(), 4u);
  on.add(4, 300, 1, kPbx, {}, 4);  // by another socket
  on.add(5, 300, 1, kPbx, {}, 5);
  EXPECT_EQ(on.size(), 5u);
}

template <class D>
class DriverTrainsTest : public DriverTest<D> {};
TYPED_TEST_SUITE(DriverTrainsTest, SocketDrivers);

template <class D>
void send_ordered(D& driver, std::string_view text, const Endpoint& to, std::uint64_t order) {
  const SendBuffer buffer = driver.take_buffer(static_cast<std::uint32_t>(text.size()));
  ASSERT_NE(buffer.data, nullptr);
  std::memcpy(buffer.data, text.data(), text.size());
  driver.send(buffer, static_cast<std::uint32_t>(text.size()), 0, to, {}, order);
}

TYPED_TEST(DriverTrainsTest, ArriveAsTheDatagramsTheyWere) {
  for (const char* bind : {"127.0.0.1:0", "[::1]:0", "[::]:0"}) {
    auto driver = driver_on<TypeParam>(bind);
    Phone one(bind[1] == ':' ? "[::1]:0" : "127.0.0.1:0"), other("127.0.0.1:0");
    if (!one.at().ip.is_v4() && bind[2] == ']') continue;
    const bool both = one.at().ip.is_v4();
    for (std::uint32_t i = 0; i < 100; ++i) {
      send_ordered(*driver, "number " + std::to_string(100 + i) + std::string(i % 3 * 50, '.'), one.at(), i);
      if (both && i < 10) send_ordered(*driver, "to the other " + std::to_string(i), other.at(), i);
    }
    NullHandler nobody;
    driver->turn(nobody, driver->now());
    std::vector<std::string> texts;
    while (auto letter = one.look()) texts.push_back(letter->text);
    ASSERT_EQ(texts.size(), 100u) << bind;
    std::sort(texts.begin(), texts.end());
    for (std::uint32_t i = 0; i < 100; ++i) EXPECT_EQ(texts[i].substr(0, 10), "number " + std::to_string(100 + i));
    if (both) {
      for (int i = 0; i < 10; ++i) {
        const auto letter = other.look();
        ASSERT_TRUE(letter);
        EXPECT_EQ(letter->text, "to the other " + std::to_string(i));
      }
    }
    EXPECT_GT(driver->counters().trains.read(), 0u) << bind;
    EXPECT_EQ(driver->counters().trains_refused.read(), 0u);
    EXPECT_EQ(driver->counters().send_errors.read(), 0u);
  }
}

// A report about another peer makes the next send on the socket fail, be it a whole train: none of it may be lost.
TYPED_TEST(DriverTrainsTest, SurviveWhatTheNetworkSaysAboutSomebodyElse) {
  auto driver = driver_on<TypeParam>("127.0.0.1:0");
  const Endpoint nobody = Phone("127.0.0.1:0").at();
  Phone phone("127.0.0.1:0");
  NullHandler none;
  int arrived = 0;
  for (int round = 0; round < 20; ++round) {
    send_ordered(*driver, "anybody?", nobody, 1);
    driver->turn(none, driver->now());
    for (std::uint64_t i = 0; i < 30; ++i) send_ordered(*driver, "of the train", phone.at(), i);
    driver->turn(none, driver->now());
    while (phone.look()) ++arrived;
  }
  driver->turn(none, driver->now());
  while (phone.look()) ++arrived;
  EXPECT_EQ(arrived, 600);
}

}  // namespace
}  // namespace ringweir::io
