#include "proxy/base64url.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "ringweir/base/random.h"

namespace ringweir::proxy {
namespace {

std::string encoded(const std::string& octets) {
  std::string out(base64url_chars(octets.size()), '\0');
  char* const end =
      encode_base64url(reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size(), out.data());
  EXPECT_EQ(end, out.data() + out.size());
  return out;
}
bool decodes(const std::string& text, std::size_t size) {
  std::array<std::uint8_t, 64> out;
  return decode_base64url(text, out.data(), size);
}

TEST(Base64url, MatchesTheVectorsOfRfc4648) {
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("f"), "Zg");
  EXPECT_EQ(encoded("fo"), "Zm8");
  EXPECT_EQ(encoded("foo"), "Zm9v");
  EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encoded("\xfb\xff"), "-_8");
}

TEST(Base64url, ReadsBackEveryLength) {
  Random random(5);
  for (std::size_t size = 0; size < 60; ++size) {
    std::string octets(size, '\0');
    for (char& c : octets) c = static_cast<char>(random.next());
    std::array<std::uint8_t, 64> back;
    ASSERT_TRUE(decode_base64url(encoded(octets), back.data(), size));
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(back.data()), size), octets);
  }
}

TEST(Base64url, OneSpellingOnly) {
  EXPECT_TRUE(decodes("Zg", 1));
  EXPECT_FALSE(decodes("Zh", 1));
  EXPECT_FALSE(decodes("Zm9", 2));
  EXPECT_FALSE(decodes("Zg==", 1));
  EXPECT_FALSE(decodes("Z", 1));
  EXPECT_FALSE(decodes("Z+", 1));
  EXPECT_FALSE(decodes("Zm9/", 3));
  EXPECT_FALSE(decodes("Zm9v", 2));
}

}  // namespace
}  // namespace ringweir::proxy
