#include "ringweir/proxy/record_route.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "ringweir/base/random.h"
#include "ringweir/sip/name_addr.h"
#include "ringweir/sip/uri.h"

namespace ringweir::proxy {
namespace {

constexpr Key128 kKey{21, 22};
constexpr std::string_view kCallId = "a84b4c76e66710@pc33.example.com";

std::string mint(const RouteToken& token, std::string_view call_id = kCallId,
                 std::string_view tag = "caller") {
  std::array<char, kRouteTokenCharsMax> out;
  return std::string(write_route_token(kKey, token, call_id, tag, out.data()));
}
RouteToken v4() {
  return {{0, *parse_endpoint("198.51.100.7:4711")}, {63, *parse_endpoint("10.0.0.11:5060")}};
}

TEST(RecordRoute, each_side_is_led_to_the_other) {
  const std::string text = mint(v4());
  EXPECT_LE(text.size(), 40u);
  const auto by_caller = follow_route_token(kKey, text, kCallId, "caller", "callee");
  ASSERT_TRUE(by_caller);
  EXPECT_EQ(by_caller->to, v4().other);
  EXPECT_EQ(by_caller->from, v4().began);
  EXPECT_TRUE(by_caller->by_initiator);
  const auto by_callee = follow_route_token(kKey, text, kCallId, "callee", "caller");
  ASSERT_TRUE(by_callee);
  EXPECT_EQ(by_callee->to, v4().began);
  EXPECT_FALSE(by_callee->by_initiator);
}

TEST(RecordRoute, every_pair_of_families_reads_back) {
  Random random(3);
  for (int i = 0; i < 2000; ++i) {
    const auto side = [&] {
      Side s{static_cast<std::uint8_t>(random.next()), {}};
      for (auto& octet : s.endpoint.ip.octets) octet = static_cast<std::uint8_t>(random.next());
      if (random.below(2) == 0) s.endpoint.ip = IpAddress::v4(1, static_cast<std::uint8_t>(i), 3, 4);
      s.endpoint.port = static_cast<std::uint16_t>(random.next());
      return s;
    };
    const RouteToken token{side(), side()};
    const auto followed = follow_route_token(kKey, mint(token), kCallId, "caller", "");
    ASSERT_TRUE(followed);
    EXPECT_EQ(followed->to, token.other);
    EXPECT_EQ(followed->from, token.began);
  }
}

TEST(RecordRoute, another_call_key_or_person_is_not_led) {
  const std::string text = mint(v4());
  EXPECT_FALSE(follow_route_token({21, 23}, text, kCallId, "caller", "callee"));
  EXPECT_FALSE(follow_route_token(kKey, text, "another", "caller", "callee"));
  EXPECT_FALSE(follow_route_token(kKey, text, kCallId, "Caller", "callee"));
  EXPECT_FALSE(follow_route_token(kKey, text, kCallId, "", ""));
  EXPECT_FALSE(follow_route_token(kKey, mint(v4(), kCallId, ""), kCallId, "", ""));
  EXPECT_FALSE(follow_route_token(kKey, mint(v4(), "ab", "c"), "a", "bc", ""));
  EXPECT_FALSE(follow_route_token(kKey, "", kCallId, "caller", ""));
}

TEST(RecordRoute, no_character_can_be_changed_added_or_taken) {
  const RouteToken mixed{v4().began, {2, *parse_endpoint("[2001:db8::1]:5060")}};
  for (const std::string& good : {mint(v4()), mint(mixed), mint({mixed.other, mixed.other})}) {
    ASSERT_TRUE(follow_route_token(kKey, good, kCallId, "caller", ""));
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (int c = 1; c < 256; ++c) {
        std::string bad = good;
        bad[i] = static_cast<char>(c);
        if (bad == good) continue;
        EXPECT_FALSE(follow_route_token(kKey, bad, kCallId, "caller", "")) << bad;
      }
      EXPECT_FALSE(follow_route_token(kKey, good.substr(0, i), kCallId, "caller", ""));
    }
    EXPECT_FALSE(follow_route_token(kKey, good + "A", kCallId, "caller", ""));
  }
}

TEST(RecordRoute, the_header_element_gives_the_token_back) {
  const std::string token = mint(v4());
  std::array<char, 128> buffer;
  Writer out(buffer.data(), buffer.size());
  write_record_route(out, "edge.example.com:5070", token);
  EXPECT_EQ(out.text(), "<sip:edge.example.com:5070;lr;rw=" + token + ">");
  std::string_view rest;
  const auto address = sip::parse_name_addr(out.text(), rest);
  ASSERT_TRUE(address);
  const auto uri = sip::parse_uri(address->uri);
  ASSERT_TRUE(uri);
  EXPECT_EQ(route_token(uri->parameters), token);
  EXPECT_EQ(route_token("lr"), "");
  EXPECT_EQ(route_token(""), "");
}

}  // namespace
}  // namespace ringweir::proxy
