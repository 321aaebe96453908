#include "ringweir/auth/nonce_window.h"

#include <gtest/gtest.h>

namespace ringweir::auth {
namespace {

constexpr auto accepted = NonceUse::accepted, replayed = NonceUse::replayed, stale = NonceUse::stale;

TEST(NonceWindow, accepts_each_count_once) {
  NonceWindow window(1);
  for (std::uint32_t nc = 1; nc <= 40; ++nc) {
    EXPECT_EQ(window.use({0, 0}, nc), accepted) << nc;
    EXPECT_EQ(window.use({0, 0}, nc), replayed) << nc;
  }
}

TEST(NonceWindow, accepts_late_counts_within_sixteen_once) {
  NonceWindow window(1);
  EXPECT_EQ(window.use({0, 0}, 30), accepted);
  EXPECT_EQ(window.use({0, 0}, 14), accepted);
  EXPECT_EQ(window.use({0, 0}, 14), replayed);
  EXPECT_EQ(window.use({0, 0}, 13), replayed);  // too far below to know
  EXPECT_EQ(window.use({0, 0}, 46), accepted);
  EXPECT_EQ(window.use({0, 0}, 30), replayed);
  EXPECT_EQ(window.use({0, 0}, 31), accepted);
  EXPECT_EQ(window.use({0, 0}, 1000), accepted);
  EXPECT_EQ(window.use({0, 0}, 46), replayed);
}

TEST(NonceWindow, gives_a_slot_to_a_newer_nonce_and_never_back) {
  NonceWindow window(2, 8192);
  const std::uint32_t row = window.row_slots();
  EXPECT_EQ(window.use({5, 1}, 1), accepted);
  EXPECT_EQ(window.use({5 + row, 1}, 1), accepted);
  EXPECT_EQ(window.use({5, 1}, 2), stale);
  EXPECT_EQ(window.use_once({5, 1}), stale);
  EXPECT_EQ(window.use({5 + row, 0}, 1), accepted);  // another shard's row
}

TEST(NonceWindow, keeps_as_many_consecutive_challenges_of_a_shard_as_a_row_has) {
  NonceWindow window(3, 8192);
  EXPECT_EQ(window.row_slots(), 4096u);
  for (std::uint32_t shard = 0; shard < 3; ++shard) {
    for (std::uint32_t count = 100; count < 100 + window.row_slots(); ++count)
      ASSERT_EQ(window.use({count, shard}, 1), accepted);
    for (std::uint32_t count = 100; count < 100 + window.row_slots(); ++count)
      ASSERT_EQ(window.use({count, shard}, 2), accepted);
  }
}

TEST(NonceWindow, compares_counts_across_their_wrap) {
  NonceWindow window(1, 4096);
  const std::uint32_t last = 0xffffffffu - 4095 + 7;  // the row's last generation, slot 7
  EXPECT_EQ(window.use({last, 0}, 1), accepted);
  EXPECT_EQ(window.use({7, 0}, 1), accepted);  // 4,096 challenges later
  EXPECT_EQ(window.use({last, 0}, 2), stale);
}

TEST(NonceWindow, lets_a_nonce_without_counts_be_used_once) {
  NonceWindow window(1);
  EXPECT_EQ(window.use_once({1, 0}), accepted);
  EXPECT_EQ(window.use_once({1, 0}), stale);
  EXPECT_NE(window.use({1, 0}, 1), accepted);
  EXPECT_NE(window.use({1, 0}, NonceWindow::kCountMax), accepted);
  EXPECT_NE(window.use({1, 0}, NonceWindow::kCountMax - 1), accepted);
  EXPECT_EQ(window.use({2, 0}, 1), accepted);
  EXPECT_EQ(window.use_once({2, 0}), stale);
}

TEST(NonceWindow, ends_with_the_last_count_it_can_keep) {
  NonceWindow window(1);
  EXPECT_EQ(window.use({1, 0}, NonceWindow::kCountMax), accepted);
  EXPECT_EQ(window.use({1, 0}, NonceWindow::kCountMax + 1), stale);
  EXPECT_EQ(window.use({1, 0}, 0xffffffffu), stale);
}

}  // namespace
}  // namespace ringweir::auth
