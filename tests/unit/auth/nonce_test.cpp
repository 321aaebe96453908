#include "ringweir/auth/nonce.h"

#include <gtest/gtest.h>

#include <string>

namespace ringweir::auth {
namespace {

constexpr Key128 kKey{0x0123456789abcdef, 0xfedcba9876543210};
constexpr WallMs kStart = 1'760'000'000'000;
constexpr std::int64_t kLifetime = 300'000;

std::string minted(NonceMint& mint, WallMs now) {
  std::string text(kNonceChars, '?');
  mint.mint(now, text.data());
  return text;
}

TEST(Nonce, is_valid_through_its_lifetime_and_stale_after) {
  NonceMint mint(kKey, 3, 8, kStart);
  const std::string nonce = minted(mint, kStart + 5);
  EXPECT_EQ(mint.check(nonce, kStart + 5, kLifetime).state, NonceState::valid);
  EXPECT_EQ(mint.check(nonce, kStart + 5 + kLifetime, kLifetime).state, NonceState::valid);
  EXPECT_EQ(mint.check(nonce, kStart + 6 + kLifetime, kLifetime).state, NonceState::stale);
}

TEST(Nonce, names_its_shard_and_its_place_for_every_shard_of_the_process) {
  NonceMint third(kKey, 3, 8, kStart), seventh(kKey, 7, 8, kStart);
  minted(third, kStart);
  const NonceCheck check = seventh.check(minted(third, kStart), kStart, kLifetime);
  EXPECT_EQ(check.state, NonceState::valid);
  EXPECT_EQ(check.id.shard, 3u);
  EXPECT_EQ(check.id.count, 1u);
}

TEST(Nonce, of_another_run_is_stale_and_under_another_key_forged) {
  NonceMint before(kKey, 0, 1, kStart), after(kKey, 0, 1, kStart + 60'000), other({1, 2}, 0, 1, kStart);
  NonceMint twin(kKey, 0, 1, kStart, 77);  // started in the same millisecond
  const std::string nonce = minted(before, kStart + 59'000);
  EXPECT_EQ(after.check(nonce, kStart + 61'000, kLifetime).state, NonceState::stale);
  EXPECT_EQ(twin.check(nonce, kStart + 61'000, kLifetime).state, NonceState::stale);
  EXPECT_EQ(other.check(nonce, kStart + 61'000, kLifetime).state, NonceState::forged);
}

TEST(Nonce, works_on_while_the_clock_is_behind_the_start_and_is_stale_when_it_was_set_back) {
  NonceMint mint(kKey, 0, 1, kStart);
  EXPECT_EQ(mint.check(minted(mint, kStart - 3'600'000), kStart - 3'500'000, kLifetime).state,
            NonceState::valid);
  const std::string nonce = minted(mint, kStart + 3'600'000);
  EXPECT_EQ(mint.check(nonce, kStart + 3'600'000 - 1, kLifetime).state,
            NonceState::valid);  // two shards' clocks
  EXPECT_EQ(mint.check(nonce, kStart + 100, kLifetime).state, NonceState::stale);
}

TEST(Nonce, that_is_no_nonce_is_forged) {
  NonceMint mint(kKey, 0, 1, kStart);
  const std::string nonce = minted(mint, kStart);
  for (const std::string& text : {std::string(), nonce.substr(1), nonce + "A", std::string(28, '"'),
                                  std::string(28, '\xff'), std::string("18bf67854ae23d6d2cd772af69535f91")}) {
    EXPECT_EQ(mint.check(text, kStart, kLifetime).state, NonceState::forged) << text;
  }
}

}  // namespace
}  // namespace ringweir::auth
