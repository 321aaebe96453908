#include "ringweir/transaction/answered.h"

#include <gtest/gtest.h>

namespace ringweir::transaction {
namespace {

constexpr Instant kStart{1'000s};

int status_of(std::optional<Answered::Answer> answer) { return answer ? answer->status : 0; }

TEST(Answered, RemembersUntilTimerJ) {
  Answered answered(1'024);
  EXPECT_FALSE(answered.find(1, kStart));
  answered.remember(1, {200}, kStart);
  EXPECT_EQ(status_of(answered.find(1, kStart)), 200);
  EXPECT_EQ(status_of(answered.find(1, kStart + kTimerJ - 1ms)), 200);
  EXPECT_FALSE(answered.find(1, kStart + kTimerJ));
  EXPECT_FALSE(answered.find(2, kStart));
}

TEST(Answered, KeepsWhatTheCallerAddsToAStatus) {
  Answered answered(1'024);
  answered.remember(1, {403, 0xfffe}, kStart);
  answered.remember(2, {403, 0}, kStart);
  EXPECT_EQ(answered.find(1, kStart)->detail, 0xfffe);
  EXPECT_EQ(answered.find(2, kStart)->detail, 0);
}

TEST(Answered, TheLastAnswerToAKeyIsTheOne) {
  Answered answered(4);
  answered.remember(7, {200}, kStart);
  answered.remember(7, {423}, kStart + 1s);
  EXPECT_EQ(status_of(answered.find(7, kStart + 1s)), 423);
}

TEST(Answered, AFullBucketForgetsTheOldest) {
  Answered answered(4);  // one bucket
  for (std::uint64_t key = 1; key <= 4; ++key) answered.remember(key, {200}, kStart + key * 1s);
  answered.remember(5, {200}, kStart + 5s);
  EXPECT_FALSE(answered.find(1, kStart + 5s));
  for (std::uint64_t key = 2; key <= 5; ++key) EXPECT_TRUE(answered.find(key, kStart + 5s)) << key;
}

TEST(Answered, ReusesWhatHasPassedBeforeForgettingWhatHasNot) {
  Answered answered(4);
  answered.remember(1, {200}, kStart);
  for (std::uint64_t key = 2; key <= 4; ++key) answered.remember(key, {200}, kStart + 20s);
  answered.remember(5, {200}, kStart + 33s);
  for (std::uint64_t key = 2; key <= 5; ++key) EXPECT_TRUE(answered.find(key, kStart + 33s)) << key;
}

// An entry that has passed stands before the key's own: the key must not end up twice.
TEST(Answered, RememberingAgainLeavesNoSecondEntry) {
  Answered answered(4);
  answered.remember(1, {200}, kStart);
  answered.remember(2, {200}, kStart + 10s);
  answered.remember(2, {500}, kStart + 35s);
  EXPECT_EQ(status_of(answered.find(2, kStart + 35s)), 500);
}

// Milliseconds wrap after 49 days.
TEST(Answered, HoldsAcrossTheWrapOfItsClock) {
  Answered answered(64);
  const Instant wrap{std::chrono::milliseconds(std::uint64_t{1} << 32)};
  answered.remember(1, {200}, wrap - 10s);
  EXPECT_EQ(status_of(answered.find(1, wrap - 1ms)), 200);
  EXPECT_EQ(status_of(answered.find(1, wrap + 10s)), 200);
  EXPECT_FALSE(answered.find(1, wrap + 23s));
  answered.remember(2, {200}, wrap);
  EXPECT_EQ(status_of(answered.find(2, wrap + 1s)), 200);
}

}  // namespace
}  // namespace ringweir::transaction
