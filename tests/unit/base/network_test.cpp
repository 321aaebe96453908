#include "ringweir/base/network.h"

#include <gtest/gtest.h>

namespace ringweir {
namespace {

bool in(const char* network, const char* ip) { return parse_network(network).value().contains(*parse_ip(ip)); }

TEST(Network, HoldsTheAddressesThatShareItsPrefix) {
  EXPECT_TRUE(in("10.0.0.0/8", "10.255.1.2"));
  EXPECT_FALSE(in("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(in("192.0.2.128/25", "192.0.2.129"));
  EXPECT_FALSE(in("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(in("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(in("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(Network, AnAddressAloneIsARangeOfOne) {
  EXPECT_TRUE(in("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(in("192.0.2.1", "192.0.2.0"));
  EXPECT_TRUE(in("::1", "::1"));
}

TEST(Network, EverythingOfOneFamilyIsNotTheOther) {
  EXPECT_TRUE(in("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(in("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(in("::/0", "2001:db8::1"));
}

TEST(Network, WhatSaysAnotherThingThanWasMeantIsNone) {
  for (const char* text : {"", "/8", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/-1", "10.0.0.0/8 ",
                           "2001:db8::/129", "2001:db8::1/64", "example.com/8"}) {
    EXPECT_FALSE(parse_network(text)) << text;
  }
}

TEST(Network, IsWrittenAsItWasRead) {
  for (const char* text : {"10.0.0.0/8", "192.0.2.1", "0.0.0.0/0", "2001:db8::/32", "::/0", "::1"}) {
    EXPECT_EQ(to_string(*parse_network(text)), text);
  }
}

}  // namespace
}  // namespace ringweir
