#include "ringweir/control/name_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ringweir::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const IpAddress kA = IpAddress::v4(192, 0, 2, 1), kB = IpAddress::v4(192, 0, 2, 2),
                kC = *parse_ip("2001:db8::3");

TEST(NameBook, AnAddressNeedsNoNames) {
  EXPECT_THAT(places_of(Target{.uri = {}, .host = "192.0.2.1", .port = 0}, {}),
              ElementsAre(Resolved{{kA, 5060}, "", kWholeWeight, 0}));
  EXPECT_THAT(places_of(Target{.uri = {}, .host = "2001:db8::3", .port = 5070}, {}),
              ElementsAre(Resolved{{kC, 5070}, "", kWholeWeight, 0}));
}

TEST(NameBook, ANameIsWhatTheBookSays) {
  const Target target{.uri = {}, .host = "pbx.example.com", .port = 5070};
  const Resolved place{{kA, 5070}, "pbx.example.com", kWholeWeight, 0};
  EXPECT_THAT(places_of(target, {{{"pbx.example.com", 5070}, {place}}}), ElementsAre(place));
  EXPECT_THAT(places_of(target, {{{"pbx.example.com", 0}, {place}}}), IsEmpty())
      << "without a port it is another question";
}

// The example of RFC 3263 4.1, with UDP added to what it offers.
TEST(NameBook, NaptrPicksTheFirstThatSaysUdp) {
  const NaptrRecord records[] = {{50, 50, "s", "SIPS+D2T", "_sips._tcp.example.com"},
                                 {90, 50, "s", "SIP+D2T", "_sip._tcp.example.com"},
                                 {100, 60, "s", "SIP+D2U", "_sip._udp.second.example.com"},
                                 {100, 50, "S", "sip+d2u", "_sip._udp.example.com"},
                                 {10, 10, "u", "SIP+D2U", "not.this.one"}};
  EXPECT_EQ(srv_domain("example.com", records), "_sip._udp.example.com");
}

TEST(NameBook, WithoutNaptrForUdpTheWellKnownNameIsAsked) {
  const NaptrRecord tcp[] = {{90, 50, "s", "SIP+D2T", "_sip._tcp.elsewhere.example"}};
  EXPECT_EQ(srv_domain("example.com", {}), "_sip._udp.example.com");
  EXPECT_EQ(srv_domain("example.com", tcp), "_sip._udp.example.com");
}

TEST(NameBook, SrvGivesPortPriorityAndShare) {
  const SrvRecord records[] = {{10, 60, 5060, "big"}, {10, 20, 5061, "small"}, {20, 0, 5062, "backup"}};
  EXPECT_THAT(places_of(records, {{"big", {kA}}, {"small", {kB}}, {"backup", {kC, kA}}}),
              ElementsAre(Resolved{{kA, 5060}, "big", 150, 10}, Resolved{{kB, 5061}, "small", 50, 10},
                          Resolved{{kC, 5062}, "backup", 100, 20}, Resolved{{kA, 5062}, "backup", 100, 20}));
}

TEST(NameBook, SrvWeightZeroIsSmallBesideOthersAndEqualAlone) {
  const SrvRecord beside[] = {{1, 0, 5060, "a"}, {1, 65'535, 5060, "b"}};
  EXPECT_THAT(places_of(beside, {{"a", {kA}}, {"b", {kB}}}),
              ElementsAre(Resolved{{kA, 5060}, "a", 1, 1}, Resolved{{kB, 5060}, "b", 200, 1}));
  const SrvRecord alone[] = {{1, 0, 5060, "a"}, {1, 0, 5060, "b"}};
  EXPECT_THAT(places_of(alone, {{"a", {kA}}, {"b", {kB}}}),
              ElementsAre(Resolved{{kA, 5060}, "a", 100, 1}, Resolved{{kB, 5060}, "b", 100, 1}));
}

TEST(NameBook, SrvMayDenyTheServiceOrNameWhatHasNoAddress) {
  const SrvRecord none[] = {{0, 0, 0, "."}};
  EXPECT_TRUE(denies_service(none));
  EXPECT_THAT(places_of(none, {{".", {kA}}}), IsEmpty());
  const SrvRecord dangling[] = {{1, 1, 5060, "a"}, {1, 1, 5060, "gone"}};
  EXPECT_FALSE(denies_service(dangling));
  EXPECT_THAT(places_of(dangling, {{"a", {kA}}}), ElementsAre(Resolved{{kA, 5060}, "a", 100, 1}));
}

TEST(NameBook, TheOrderOfAnswersDoesNotMatter) {
  const IpAddress one[] = {kA, kB}, other[] = {kB, kA};
  EXPECT_EQ(places_of("n", 0, one), places_of("n", 0, other));
  EXPECT_EQ(places_of("n", 0, one).at(0).endpoint, (Endpoint{kA, 5060}));
  const SrvRecord forth[] = {{1, 1, 5060, "a"}, {1, 1, 5060, "b"}},
                  back[] = {{1, 1, 5060, "b"}, {1, 1, 5060, "a"}};
  EXPECT_EQ(places_of(forth, {{"a", {kA}}, {"b", {kB}}}), places_of(back, {{"a", {kA}}, {"b", {kB}}}));
}

TEST(NameBook, ManyAddressesAreCut) {
  std::vector<IpAddress> many;
  for (int i = 0; i < 1'000; ++i)
    many.push_back(IpAddress::v4(10, 0, static_cast<std::uint8_t>(i / 256), static_cast<std::uint8_t>(i)));
  EXPECT_EQ(places_of("n", 0, many).size(), limits::kTargetsPerUpstreamMax);
}

}  // namespace
}  // namespace ringweir::control
