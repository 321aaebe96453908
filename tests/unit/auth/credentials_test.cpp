#include "ringweir/auth/credentials.h"

#include <gmock/gmock.h>

#include "ringweir/auth/digest.h"

namespace ringweir::auth {
namespace {

using testing::ElementsAre;

constexpr Key128 kKey{1, 2};
constexpr Algorithm kBoth[] = {Algorithm::md5, Algorithm::sha256};

std::vector<std::string> said(const std::vector<CredentialsError>& errors) {
  std::vector<std::string> lines;
  for (const auto& e : errors)
    lines.push_back(std::to_string(e.line) + ":" + std::to_string(e.column) + ": " + e.message);
  return lines;
}

TEST(Credentials, of_a_password_are_an_ha1_for_each_configured_hash) {
  CredentialsBuilder builder("example.com", kBoth, kKey);
  EXPECT_THAT(builder.add_csv("101,secret\r\n102,other\r\n"), testing::IsEmpty());
  const auto users = std::move(builder).build();
  EXPECT_EQ(users->size(), 2u);
  EXPECT_EQ(users->ha1("101", HashKind::md5), ha1(HashKind::md5, "101", "example.com", "secret"));
  EXPECT_EQ(users->ha1("102", HashKind::sha256), ha1(HashKind::sha256, "102", "example.com", "other"));
  EXPECT_EQ(users->ha1("102", HashKind::sha512_256), std::nullopt);
  EXPECT_EQ(users->ha1("103", HashKind::md5), std::nullopt);
  EXPECT_EQ(users->ha1("", HashKind::md5), std::nullopt);
}

TEST(Credentials, given_as_ha1_answer_for_that_hash_alone) {
  CredentialsBuilder builder("example.com", kBoth, kKey);
  EXPECT_THAT(
      builder.add_csv("username,algorithm,ha1\n"
                      "101,MD5,00112233445566778899AABBCCDDEEFF\n"
                      "102,md5-sess,00112233445566778899aabbccddeeff\n"
                      "102,SHA-256,000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
                      "103,SHA-512-256,000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"),
      testing::IsEmpty());
  const auto users = std::move(builder).build();
  EXPECT_EQ(users->ha1("101", HashKind::md5), from_hex("00112233445566778899aabbccddeeff", HashKind::md5));
  EXPECT_EQ(users->ha1("101", HashKind::sha256), std::nullopt);
  EXPECT_TRUE(users->ha1("102", HashKind::md5));
  EXPECT_TRUE(users->ha1("102", HashKind::sha256));
  EXPECT_FALSE(users->ha1("103", HashKind::sha512_256));  // not configured
  std::vector<std::string> listed;
  users->for_each([&](const User& user) {
    listed.push_back(std::string(user.username) + " " + std::to_string(user.known) + " " +
                     std::to_string(user.line));
  });
  EXPECT_THAT(listed, ElementsAre("101 1 2", "102 3 3", "103 4 5"));
}

TEST(Csv, knows_comments_blank_lines_quotes_blanks_and_a_byte_order_mark) {
  CredentialsBuilder builder("r", kBoth, kKey);
  EXPECT_THAT(said(builder.add_csv("\xef\xbb\xbfusername,password\n# 100,hidden\n\n   \n 101 , a b \n"
                                   "\"102\" ,\" pa,ss\"\"word \"\n\"#103\",x")),
              testing::IsEmpty());
  const auto users = std::move(builder).build();
  EXPECT_EQ(users->size(), 3u);
  EXPECT_EQ(users->ha1("101", HashKind::md5), ha1(HashKind::md5, "101", "r", "a b"));
  EXPECT_EQ(users->ha1("102", HashKind::md5), ha1(HashKind::md5, "102", "r", " pa,ss\"word "));
  EXPECT_TRUE(users->ha1("#103", HashKind::md5));
}

TEST(Csv, reports_every_wrong_line_with_its_column_and_keeps_the_right_ones) {
  CredentialsBuilder builder("r", kBoth, kKey);
  const auto errors = builder.add_csv(
      "101,a\n"
      "102\n"
      ",b\n"
      "103,\n"
      "101,c\n"
      "104,pa,ss\n"
      "105,MD5, 0011\n"
      "106,\"open\n"
      "107,\"x\" y\n"
      "108,a,b,c\n"
      "10\x01"
      "9,a\n"
      "110,MD5,00112233445566778899aabbccddeeff\n"
      "110,MD5,00112233445566778899aabbccddeeff\n"
      "111,z\n" +
      std::string(256, 'u') + ",a\n");
  EXPECT_THAT(
      said(errors),
      ElementsAre("2:1: expected username,password or username,algorithm,ha1", "3:1: the user name is empty",
                  "4:5: the password is empty", "5:1: the user is already listed in line 1",
                  "6:5: no such algorithm; a password with a comma in it goes in double quotes",
                  "7:10: an HA1 for MD5 is 32 hex digits", "8:5: a double quote is not closed in this line",
                  "9:9: text behind a closing double quote",
                  "10:9: expected username,password or username,algorithm,ha1",
                  "11:1: the user name has a control character",
                  "13:1: the user is already listed in line 12 with an HA1 for this algorithm or a password",
                  "15:1: the user name is longer than 255 octets"));
  EXPECT_EQ(std::move(builder).build()->size(), 3u);  // 101, 110, 111
}

TEST(Credentials, inline_users_say_what_is_wrong_with_them) {
  CredentialsBuilder builder("r", kBoth, kKey);
  EXPECT_EQ(builder.add_password("100", "100"), std::nullopt);
  EXPECT_EQ(builder.add_password("100", "100"), "the user is already listed");
  EXPECT_EQ(builder.add_ha1("101", Algorithm::md5, "xyz"), "an HA1 for MD5 is 32 hex digits");
  EXPECT_EQ(builder.size(), 1u);
}

TEST(Credentials, find_every_one_of_many_and_take_little_memory) {
  constexpr int kUsers = 50'000;
  constexpr Algorithm kMd5[] = {Algorithm::md5};
  CredentialsBuilder builder("example.com", kMd5, kKey);
  std::string csv;
  for (int i = 0; i < kUsers; ++i) csv += "user" + std::to_string(i) + ",secret" + std::to_string(i) + "\n";
  EXPECT_THAT(builder.add_csv(csv), testing::IsEmpty());
  const auto users = std::move(builder).build();
  EXPECT_LT(users->memory_bytes(), 80u * kUsers);
  for (int i = 0; i < kUsers; i += 7) ASSERT_TRUE(users->ha1("user" + std::to_string(i), HashKind::md5));
  for (int i = 0; i < kUsers; i += 7)
    ASSERT_FALSE(users->ha1("user" + std::to_string(i + kUsers), HashKind::md5));
}

}  // namespace
}  // namespace ringweir::auth
