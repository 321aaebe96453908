#include "control/config_text.h"

#include <gtest/gtest.h>

namespace ringweir::control {
namespace {

TEST(ConfigText, DurationsHaveUnits) {
  EXPECT_EQ(parse_duration("500ms"), Duration(500ms));
  EXPECT_EQ(parse_duration("30s"), Duration(30s));
  EXPECT_EQ(parse_duration("5m"), Duration(5min));
  EXPECT_EQ(parse_duration("1h30m"), Duration(90min));
  EXPECT_EQ(parse_duration("1d"), Duration(24h));
  EXPECT_EQ(parse_duration("0s"), Duration(0s));
  for (const char* wrong : {"", "5", "s", "5x", "5 s", "-5s", "1.5s", "5S", "1h30", "99999999999999999999s",
                            "4000d", "9999999999999d"}) {
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  }
}

TEST(ConfigText, SizesAndRatesHaveUnits) {
  EXPECT_EQ(parse_size("64KiB"), 65'536u);
  EXPECT_EQ(parse_size("64KB"), 64'000u);
  EXPECT_EQ(parse_size("1B"), 1u);
  for (const char* wrong : {"", "64", "KiB", "64k", "1 KiB", "18446744073709551615GiB"})
    EXPECT_FALSE(parse_size(wrong)) << wrong;
  EXPECT_EQ(parse_rate("50/s"), 50u);
  EXPECT_EQ(parse_rate("600/m"), 10u);
  for (const char* wrong : {"", "50", "/s", "50/h", "61/m", "50 /s"})
    EXPECT_FALSE(parse_rate(wrong)) << wrong;
}

TEST(ConfigText, TheNearestWordIsTheOneMeant) {
  constexpr std::string_view kWords[] = {"realm", "algorithms", "users"};
  EXPECT_EQ(nearest("raelm", kWords), "realm");  // neighbours swapped
  EXPECT_EQ(nearest("REALM", kWords), "realm");
  EXPECT_EQ(nearest("algoritm", kWords), "algorithms");
  EXPECT_EQ(nearest("user", kWords), "users");
  EXPECT_EQ(nearest("colour", kWords), "");
  EXPECT_EQ(nearest("", kWords), "");
  EXPECT_EQ(nearest(std::string(100'000, 'a'), kWords), "");
}

TEST(ConfigText, HostNamesAreLabels) {  // RFC 1123 2.1
  for (const char* good : {"a", "example.com", "example.com.", "a-b.c1", "_sip._udp.example.com", "3com.com"})
    EXPECT_TRUE(is_host_name(good)) << good;
  for (const char* wrong : {"", ".", "a..b", "-a.b", "a-.b", "a b", "a.b-",
                            "b\xc3\xbc"
                            "cher.de"})
    EXPECT_FALSE(is_host_name(wrong)) << wrong;
  EXPECT_FALSE(is_host_name(std::string(64, 'a')));
  EXPECT_TRUE(is_host_name(std::string(63, 'a')));
}

TEST(ConfigText, Utf8IsReadStrictly) {  // RFC 3629
  EXPECT_EQ(utf8_size("a"), 1u);
  EXPECT_EQ(utf8_size("\xc3\xbc"), 2u);
  EXPECT_EQ(utf8_size("\xe2\x82\xac"), 3u);
  EXPECT_EQ(utf8_size("\xf0\x9f\x98\x80"), 4u);
  for (const char* wrong :
       {"", "\xbc", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"}) {
    EXPECT_EQ(utf8_size(wrong), 0u) << wrong;
  }
}

TEST(ConfigText, ALongTextIsCutBetweenCharacters) {
  std::string text(59, 'a');
  for (int i = 0; i < 10; ++i) text += "\xc3\xbc";
  EXPECT_EQ(in_quotes(text), "'" + std::string(59, 'a') + "...'");
  EXPECT_EQ(in_quotes("short"), "'short'");
}

}  // namespace
}  // namespace ringweir::control
