#include "ringweir/proxy/domain_set.h"

#include <gtest/gtest.h>

namespace ringweir::proxy {
namespace {

DomainSet set(std::vector<std::string> names, std::vector<const char*> endpoints = {}) {
  std::vector<Endpoint> parsed;
  for (const char* text : endpoints) parsed.push_back(*parse_endpoint(text));
  return DomainSet(names, parsed);
}

TEST(DomainSet, AnEmptySetHasNothing) {
  EXPECT_FALSE(DomainSet().is_local("example.com", 0));
  EXPECT_FALSE(set({}).is_local("example.com", 0));
  EXPECT_FALSE(set({"example.com"}).is_local("", 0));
  EXPECT_FALSE(set({"example.com"}).is_local(".", 0));
}

TEST(DomainSet, ANameIsOursInAnyCaseOnAnyPort) {
  const DomainSet domains = set({"Example.com", "sip.example.com."});
  EXPECT_TRUE(domains.is_local("example.COM", 0));
  EXPECT_TRUE(domains.is_local("example.com", 5080));
  EXPECT_TRUE(domains.is_local("example.com.", 0));
  EXPECT_TRUE(domains.is_local("sip.example.com", 0));
  EXPECT_FALSE(domains.is_local("xexample.com", 0));
  EXPECT_FALSE(domains.is_local("example.co", 0));
  EXPECT_FALSE(domains.is_local("example.com..", 0));
}

TEST(DomainSet, AListenersAddressIsOursWithoutAPortAndOnItsOwn) {
  const DomainSet domains = set({}, {"192.0.2.1:5060", "192.0.2.1:5070", "[2001:db8::1]:5060"});
  EXPECT_TRUE(domains.is_local("192.0.2.1", 0));
  EXPECT_TRUE(domains.is_local("192.0.2.1", 5060));
  EXPECT_TRUE(domains.is_local("192.0.2.1", 5070));
  EXPECT_FALSE(domains.is_local("192.0.2.1", 5080));
  EXPECT_FALSE(domains.is_local("192.0.2.2", 5060));
  EXPECT_TRUE(domains.is_local("[2001:db8::1]", 5060));
}

TEST(DomainSet, AnIpv6AddressIsOursInEverySpelling) {
  const DomainSet domains = set({"2001:DB8::2"}, {"[2001:db8::1]:5060", "127.0.0.1:5060"});
  EXPECT_TRUE(domains.is_local("[2001:DB8:0:0:0:0:0:1]", 0));
  EXPECT_TRUE(domains.is_local("[2001:db8::2]", 9999));
  EXPECT_TRUE(domains.is_local("[::ffff:127.0.0.1]", 0));
  EXPECT_FALSE(domains.is_local("[2001:db8::3]", 0));
  EXPECT_FALSE(domains.is_local("[", 0));
}

TEST(DomainSet, ALongHostIsNotOursAndIsNotRead) {
  EXPECT_FALSE(set({"a.example"}).is_local(std::string(70'000, 'a'), 0));
}

TEST(DomainSet, FindsEachOfMany) {
  std::vector<std::string> names;
  for (int i = 0; i < 500; ++i) names.push_back("d" + std::to_string(i) + ".example");
  const DomainSet domains(names, {});
  EXPECT_EQ(domains.size(), 500u);
  for (const std::string& name : names) EXPECT_TRUE(domains.is_local(name, 0)) << name;
  EXPECT_FALSE(domains.is_local("d500.example", 0));
}

}  // namespace
}  // namespace ringweir::proxy
