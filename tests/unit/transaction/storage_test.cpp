// Bounds and reuse of what transactions are kept in.
#include <gtest/gtest.h>

#include <new>
#include <string>
#include <vector>

#include "ringweir/base/slab.h"
#include "ringweir/transaction/key_table.h"
#include "ringweir/transaction/text_pool.h"
#include "ringweir/transaction/transaction.h"

namespace ringweir::transaction {
namespace {

class Texts : public testing::Test {
 protected:
  static constexpr std::size_t kChunks = 4;
  struct Free {
    void operator()(std::byte* at) const { ::operator delete (at, std::align_val_t{64}); }
  };
  std::unique_ptr<std::byte, Free> memory_{
      static_cast<std::byte*>(::operator new (kChunks* TextPool::kChunkBytes, std::align_val_t{64}))};
  TextPool pool_{std::span(memory_.get(), kChunks* TextPool::kChunkBytes)};
};

TEST_F(Texts, AreKeptOctetByOctetUpToTheLongestMessage) {
  for (const std::size_t size : {0u, 1u, 248u, 249u, 1'016u, 4'088u, 4'089u, 16'384u, 65'535u}) {
    const std::string octets(size, 'x');
    Text text = pool_.keep(octets);
    ASSERT_TRUE(text) << size;
    EXPECT_EQ(pool_.view(text), octets);
    pool_.give(text);
    EXPECT_FALSE(text);
  }
  EXPECT_EQ(pool_.counters().bytes.read(), 0u);
}

TEST_F(Texts, AnEmptyHandleIsAnEmptyText) {
  Text none;
  EXPECT_EQ(pool_.view(none), "");
  EXPECT_TRUE(pool_.room(none).empty());
  EXPECT_FALSE(pool_.share(none));
  pool_.give(none);
  EXPECT_EQ(pool_.counters().texts.read(), 0u);
}

TEST_F(Texts, RunningOutIsAnAnswerAndIsCounted) {
  std::vector<Text> kept;
  while (const Text text = pool_.take(1'000)) kept.push_back(text);
  EXPECT_EQ(kept.size(), kChunks * 256);  // blocks of 1,024 octets: all of the region
  EXPECT_EQ(pool_.counters().exhausted.read(), 1u);
  EXPECT_EQ(pool_.counters().bytes.read(), pool_.capacity_bytes());
  EXPECT_FALSE(pool_.keep("small"));
  pool_.give(kept.front());
  EXPECT_TRUE(kept.front() = pool_.take(1'000));
  for (Text& text : kept) pool_.give(text);
  EXPECT_EQ(pool_.counters().texts.read(), 0u);
  EXPECT_EQ(pool_.counters().exhausted.read(), 2u);
}

TEST_F(Texts, AStormOfOneSizeTakesNothingFromTheNext) {
  for (const std::size_t size : {200u, 60'000u, 1'500u, 200u}) {
    std::vector<Text> kept;
    while (const Text text = pool_.take(size)) kept.push_back(text);
    EXPECT_GE(kept.size() * size, pool_.capacity_bytes() * 6 / 10) << size;
    for (Text& text : kept) pool_.give(text);
    EXPECT_EQ(pool_.counters().chunks.read(), 0u);
  }
}

TEST_F(Texts, LiveUntilTheLastOwnerGivesThem) {
  Text one = pool_.keep("INVITE");
  Text two = pool_.share(one);
  pool_.give(one);
  EXPECT_EQ(pool_.view(two), "INVITE");
  EXPECT_EQ(pool_.counters().texts.read(), 1u);
  pool_.give(two);
  EXPECT_EQ(pool_.counters().texts.read(), 0u);
}

TEST_F(Texts, AreReplacedInPlaceUnlessSharedOrTooSmall) {
  Text text = pool_.keep("SIP/2.0 100 Trying");
  const std::uint32_t place = text.at;
  EXPECT_TRUE(pool_.replace(text, "SIP/2.0 180 Ringing"));
  EXPECT_EQ(text.at, place);
  Text other = pool_.share(text);
  EXPECT_TRUE(pool_.replace(text, "SIP/2.0 200 OK"));
  EXPECT_NE(text.at, place);
  EXPECT_EQ(pool_.view(other), "SIP/2.0 180 Ringing");
  EXPECT_EQ(pool_.view(text), "SIP/2.0 200 OK");
  EXPECT_TRUE(pool_.replace(text, std::string(5'000, 'b')));
  EXPECT_EQ(pool_.view(text), std::string(5'000, 'b'));
  EXPECT_EQ(pool_.counters().texts.read(), 2u);
}

TEST_F(Texts, WhatCannotBeReplacedIsGone) {
  Text text = pool_.keep("SIP/2.0 180 Ringing");
  std::vector<Text> rest;
  while (const Text big = pool_.take(60'000)) rest.push_back(big);
  EXPECT_FALSE(pool_.replace(text, std::string(60'000, 'b')));
  EXPECT_FALSE(text);
  for (Text& big : rest) pool_.give(big);
  EXPECT_EQ(pool_.counters().texts.read(), 0u);
}

TEST_F(Texts, AreWrittenIntoByAnOnlyOwner) {
  Text text = pool_.take(3);
  std::copy_n("ACK", 3, pool_.room(text).data());
  EXPECT_EQ(pool_.view(text), "ACK");
  Text other = pool_.share(text);
  EXPECT_DEATH(pool_.room(text), "an only owner writes");
  pool_.give(other);
  pool_.give(text);
}

TEST_F(Texts, GivenTwiceStopTheProcess) {
  Text text = pool_.keep("twice");
  Text same = text;
  Text neighbour = pool_.keep("keeps the chunk");
  pool_.give(text);
  EXPECT_DEATH(pool_.give(same), "a text that is kept");
  pool_.give(neighbour);
}

TEST(KeyTable, HoldsTransactionsOfASlabWithoutAnAllocation) {
  Slab<ServerTransaction> slab(3);
  KeyTable<ServerTransaction> table(3);
  std::vector<ServerTransaction*> all;
  while (ServerTransaction* t = slab.take(Machine::invite_server)) {
    t->key = 77;  // all in one chain
    t->to_tag = static_cast<std::uint32_t>(all.size() + 1);
    table.insert(*t);
    all.push_back(t);
  }
  ASSERT_EQ(all.size(), 3u);
  EXPECT_NE(table.find(77), nullptr);
  EXPECT_EQ(table.find(78), nullptr);
  EXPECT_EQ(table.find(77, [](const ServerTransaction& t) { return t.to_tag == 2; }), all[1]);
  EXPECT_EQ(table.find(77, [](const ServerTransaction& t) { return t.to_tag == 9; }), nullptr);
  for (ServerTransaction* t : {all[1], all[2], all[0]}) {
    table.erase(*t);
    slab.give(t);
  }
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.find(77), nullptr);
  EXPECT_EQ(slab.taken(), 0u);
}

TEST(KeyTable, ErasingWhatIsNotThereStopsTheProcess) {
  KeyTable<ClientTransaction> table(8);
  ClientTransaction stranger(Machine::invite_client);
  EXPECT_DEATH(table.erase(stranger), "an entry of the table");
}

}  // namespace
}  // namespace ringweir::transaction
