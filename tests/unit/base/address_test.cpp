#include "ringweir/base/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <string>

#include "ringweir/base/random.h"

namespace ringweir {
namespace {

TEST(Address, WritesWhatItRead) {
  for (const char* text : {"192.0.2.1", "0.0.0.0", "255.255.255.255", "::", "::1", "2001:db8::1",
                           "2001:db8:1:2:3:4:5:6", "fe80::1:0:0:1"}) {
    const auto ip = parse_ip(text);
    ASSERT_TRUE(ip) << text;
    EXPECT_EQ(to_string(*ip), text);
  }
}

TEST(Address, WritesIpv6InItsCanonicalForm) {  // RFC 5952
  EXPECT_EQ(to_string(*parse_ip("2001:DB8:0:0:0:0:0:1")), "2001:db8::1");
  EXPECT_EQ(to_string(*parse_ip("[2001:db8::2]")), "2001:db8::2");
}

TEST(Address, AMappedAddressIsTheIpv4One) {  // RFC 4291 2.5.5.2
  EXPECT_EQ(*parse_ip("::ffff:192.0.2.7"), IpAddress::v4(192, 0, 2, 7));
  EXPECT_EQ(to_string(*parse_ip("::ffff:192.0.2.7")), "192.0.2.7");
}

TEST(Address, RefusesWhatIsNotAnAddress) {
  for (const char* text : {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.00", "1.2.3.0256", "1..2.3", ".1.2.3", "1.2.3.", "1,2,3,4", "host", "[192.0.2.1]", "[::1",
                           "::1]", "[]", ":::", "1:2:3:4:5:6:7:8:9", "::1%eth0", "192.0.2.1 ", "1.2.3.4:5060",
                           "0000:0000:0000:0000:0000:0000:0000:0000:0000:00"}) {
    EXPECT_FALSE(parse_ip(text)) << text;
  }
  EXPECT_FALSE(parse_ip(std::string_view("1.2.3.4\0x", 9)));
}

TEST(Address, ReadsAQuadAsTheSystemDoes) {
  Random random(7);
  int read = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text;
    for (int part = 0; part < 4; ++part) {
      if (part > 0 || random.below(40) == 0) text += '.';
      for (std::uint32_t digits = random.below(30) == 0 ? random.below(5) : 1 + random.below(3); digits > 0; --digits) {
        text += static_cast<char>('0' + (random.below(2) == 0 ? random.below(3) : random.below(10)));
      }
    }
    if (random.below(40) == 0) text += ". x"[random.below(3)];
    std::array<std::uint8_t, 4> quad;
    const bool is_one = inet_pton(AF_INET, text.c_str(), quad.data()) == 1;
    const auto ip = parse_ip(text);
    ASSERT_EQ(ip.has_value(), is_one) << text;
    if (!is_one) continue;
    ASSERT_EQ(*ip, IpAddress::v4(quad[0], quad[1], quad[2], quad[3])) << text;
    ++read;
  }
  EXPECT_GT(read, 10'000);
}

TEST(Address, KnowsLoopbackAndUnspecified) {
  EXPECT_TRUE(parse_ip("127.0.0.1")->is_loopback());
  EXPECT_TRUE(parse_ip("127.255.0.9")->is_loopback());
  EXPECT_TRUE(parse_ip("::1")->is_loopback());
  EXPECT_FALSE(parse_ip("128.0.0.1")->is_loopback());
  EXPECT_TRUE(parse_ip("0.0.0.0")->is_unspecified());
  EXPECT_TRUE(parse_ip("::")->is_unspecified());
  EXPECT_FALSE(parse_ip("::1")->is_unspecified());
}

TEST(Endpoint, ReadsAPortOrTakesTheDefault) {
  EXPECT_EQ(to_string(*parse_endpoint("192.0.2.1:5062")), "192.0.2.1:5062");
  EXPECT_EQ(to_string(*parse_endpoint("192.0.2.1", 5060)), "192.0.2.1:5060");
  EXPECT_EQ(to_string(*parse_endpoint("[2001:db8::1]:5062")), "[2001:db8::1]:5062");
  EXPECT_EQ(to_string(*parse_endpoint("[2001:db8::1]", 5060)), "[2001:db8::1]:5060");
  EXPECT_EQ(to_string(*parse_endpoint("2001:db8::1", 5060)), "[2001:db8::1]:5060");
}

TEST(Endpoint, RefusesABadPort) {
  for (const char* text : {"192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:50x", "192.0.2.1: 5",
                           ":5060", "[::1]:", "[::1]x:5", "[", "[:", "host:5060"}) {
    EXPECT_FALSE(parse_endpoint(text)) << text;
  }
}

TEST(Endpoint, TheLongestTextFits) {
  const auto longest = parse_endpoint("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:65535");
  ASSERT_TRUE(longest);
  char text[kEndpointTextMax];
  EXPECT_LE(format_endpoint(*longest, text), kEndpointTextMax);
  EXPECT_EQ(parse_endpoint(to_string(*longest)), longest);
}

TEST(Endpoint, OrdersByAddressThenPort) {
  EXPECT_LT(*parse_endpoint("192.0.2.1:9"), *parse_endpoint("192.0.2.2:1"));
  EXPECT_LT(*parse_endpoint("192.0.2.1:1"), *parse_endpoint("192.0.2.1:9"));
}

}  // namespace
}  // namespace ringweir
