#include "ringweir/shard/mailbox.h"

#include <gtest/gtest.h>

#include <string>

namespace ringweir::shard {
namespace {

io::Received received(std::string_view bytes) {
  io::Received in{};
  in.bytes = bytes;
  in.peer = {IpAddress::v4(192, 0, 2, 1), 5060};
  in.socket = 3;
  return in;
}

TEST(ParcelStore, CopiesWhatWasReceived) {
  ParcelStore store(2, 1);
  std::string text = "OPTIONS";
  Parcel* parcel = store.pack(received(text), 42);
  text = "changed";
  ASSERT_NE(parcel, nullptr);
  EXPECT_EQ(parcel->received.bytes, "OPTIONS");
  EXPECT_EQ(parcel->call_id_hash, 42u);
  EXPECT_EQ(parcel->received.socket, 3);
  EXPECT_EQ(parcel->received.peer.port, 5060);
  EXPECT_FALSE(parcel->large);
  store.release(parcel);
  EXPECT_EQ(store.out(), 0u);
}

TEST(ParcelStore, RemembersWhenItWasHandedOverAndHowLongItHadWaited) {
  ParcelStore store(1, 1);
  io::Received in = received("OPTIONS");
  in.waited = 3ms;
  Parcel* parcel = store.pack(in, 42, Instant{7s});
  ASSERT_NE(parcel, nullptr);
  EXPECT_EQ(parcel->received.waited, 3ms);
  EXPECT_EQ(parcel->handed_at, Instant{7s});
  store.release(parcel);
}

TEST(ParcelStore, IsNullWhenExhaustedAndServesAgainAfterARelease) {
  ParcelStore store(2, 1);
  Parcel* a = store.pack(received("a"), 1);
  Parcel* b = store.pack(received("b"), 1);
  EXPECT_EQ(store.pack(received("c"), 1), nullptr);
  store.release(a);
  EXPECT_NE(store.pack(received("c"), 1), nullptr);
  EXPECT_EQ(b->received.bytes, "b");
  EXPECT_EQ(store.out(), 2u);
}

TEST(ParcelStore, KeepsLargeMessagesApart) {
  ParcelStore store(1, 1);
  const std::string fits(limits::kParcelBytes, 'x'), large(limits::kParcelBytes + 1, 'y'), most(limits::kMessageBytesMax, 'z');
  Parcel* small = store.pack(received(fits), 1);
  Parcel* big = store.pack(received(large), 1);
  ASSERT_TRUE(small && big);
  EXPECT_FALSE(small->large);
  EXPECT_TRUE(big->large);
  EXPECT_EQ(big->received.bytes, large);
  EXPECT_EQ(store.pack(received(large), 1), nullptr);
  store.release(big);
  big = store.pack(received(most), 1);
  ASSERT_TRUE(big);
  EXPECT_EQ(big->received.bytes, most);
  EXPECT_EQ(store.pack(received(most + 'z'), 1), nullptr);
}

TEST(Lane, KeepsOrderAndSaysWhenItIsFull) {
  ParcelStore store(8, 1);
  Lane lane(4, 9);
  EXPECT_FALSE(lane.has_mail());
  for (std::uint64_t i = 0; i < 4; ++i) EXPECT_TRUE(lane.push(store.pack(received("m"), i)));
  Parcel* fifth = store.pack(received("m"), 5);
  EXPECT_FALSE(lane.push(fifth));
  store.release(fifth);
  EXPECT_TRUE(lane.has_mail());
  for (std::uint64_t i = 0; i < 4; ++i) {
    Parcel* parcel = lane.pop();
    ASSERT_TRUE(parcel);
    EXPECT_EQ(parcel->call_id_hash, i);
    lane.give_back(parcel);
  }
  EXPECT_EQ(lane.pop(), nullptr);
  while (Parcel* empty = lane.take_empty()) store.release(empty);
  EXPECT_EQ(store.out(), 0u);
}

TEST(Exchange, HasALaneForEveryOrderedPair) {
  Exchange exchange(3, 16);
  EXPECT_NE(&exchange.lane(0, 1), &exchange.lane(1, 0));
  EXPECT_EQ(exchange.parcels_small(), 32u);
  EXPECT_EQ(Exchange(1, 16).parcels_small(), 16u);
  EXPECT_EQ(Exchange(4, 4'096).parcels_small(), 8'192u);
}

}  // namespace
}  // namespace ringweir::shard
