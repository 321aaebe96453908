#include "ringweir/control/upstreams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ringweir::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Instant kNow{Duration(1h)};

Config config(const std::string& upstreams) {
  const auto result = load_config_text(
      "version: 1\nlisteners: [ { bind: \"127.0.0.1:5060\" } ]\nupstreams:\n" + upstreams, "test.yaml", "");
  EXPECT_TRUE(result) << (result ? "" : to_string(result.error().front()));
  return result ? *result : Config{};
}

std::vector<std::string> lines_of(const balance::Upstream& upstream) {
  std::vector<std::string> lines;
  for (const balance::Target& target : upstream.targets()) {
    lines.push_back(to_string(target.endpoint) + " w" + std::to_string(target.weight) + " p" +
                    std::to_string(target.priority));
  }
  return lines;
}

TEST(Upstreams, AddressesKeepTheirWeightsAndPriorities) {
  TargetRegistry registry;
  const auto built =
      make_upstreams(config("  - name: pbx\n    algorithm: weighted\n"
                            "    targets: [ { uri: \"sip:192.0.2.1\", weight: 10 }, { uri: "
                            "\"sip:192.0.2.2:5070\", weight: 20 }, "
                            "{ uri: \"sip:192.0.2.3\", priority: 2 } ]\n    slow_start: 30s\n"),
                     {}, registry, kNow, false);
  ASSERT_EQ(built.upstreams.size(), 1u);
  EXPECT_THAT(built.problems, IsEmpty());
  const balance::Upstream& pbx = built.upstreams[0];
  EXPECT_EQ(pbx.name(), "pbx");
  EXPECT_EQ(pbx.algorithm(), balance::Algorithm::weighted);
  EXPECT_EQ(pbx.slow_start(), Duration(30s));
  EXPECT_THAT(lines_of(pbx),
              ElementsAre("192.0.2.1:5060 w10 p0", "192.0.2.2:5070 w20 p0", "192.0.2.3:5060 w1 p131072"));
  for (const balance::Target& target : pbx.targets()) EXPECT_NE(target.state, nullptr);
}

TEST(Upstreams, StatesOutliveTheSnapshotThatNamedThem) {
  TargetRegistry registry;
  const Config one = config("  - { name: pbx, targets: [ { uri: \"sip:192.0.2.1\" } ] }\n");
  const Config two =
      config("  - { name: pbx, targets: [ { uri: \"sip:192.0.2.2\" }, { uri: \"sip:192.0.2.1\" } ] }\n");
  const balance::TargetState* const state =
      make_upstreams(one, {}, registry, kNow, false).upstreams[0].targets()[0].state;
  EXPECT_EQ(make_upstreams(two, {}, registry, kNow, true).upstreams[0].targets()[1].state, state);
}

TEST(Upstreams, ANameIsItsPlacesAndSrvSharesItsWeight) {
  const IpAddress a = IpAddress::v4(192, 0, 2, 1), b = IpAddress::v4(192, 0, 2, 2);
  const Config names = config(
      "  - { name: pbx, targets: [ { uri: \"sip:pbx.example.com\", weight: 3 }, { uri: "
      "\"sip:192.0.2.9\" } ] }\n");
  EXPECT_THAT(names_in(names), ElementsAre(Name{"pbx.example.com", 0}));
  TargetRegistry registry;
  EXPECT_THAT(lines_of(make_upstreams(names, {}, registry, kNow, false).upstreams[0]),
              ElementsAre("192.0.2.9:5060 w1 p0"));
  const NameBook equal{{{"pbx.example.com", 0}, {{{a, 5060}, "a"}, {{b, 5062}, "b"}}}};
  EXPECT_THAT(lines_of(make_upstreams(names, equal, registry, kNow, false).upstreams[0]),
              ElementsAre("192.0.2.1:5060 w3 p0", "192.0.2.2:5062 w3 p0", "192.0.2.9:5060 w1 p0"));
  const NameBook shared{{{"pbx.example.com", 0}, {{{a, 5060}, "a", 150, 10}, {{b, 5060}, "b", 50, 20}}}};
  EXPECT_THAT(lines_of(make_upstreams(names, shared, registry, kNow, false).upstreams[0]),
              ElementsAre("192.0.2.1:5060 w9 p10", "192.0.2.2:5060 w3 p20", "192.0.2.9:5060 w2 p0"));
}

TEST(Upstreams, TwoNamesOfOneEndpointAreOneTarget) {
  const Endpoint same{IpAddress::v4(192, 0, 2, 1), 5060};
  const Config names = config(
      "  - { name: pbx, targets: [ { uri: \"sip:a.example.com\" }, { uri: \"sip:b.example.com\" } ] }\n");
  TargetRegistry registry;
  const NameBook book{{{"a.example.com", 0}, {{same, "a"}}}, {{"b.example.com", 0}, {{same, "b"}}}};
  EXPECT_THAT(lines_of(make_upstreams(names, book, registry, kNow, false).upstreams[0]),
              ElementsAre("192.0.2.1:5060 w1 p0"));
}

TEST(Upstreams, WhatFindsNoRoomIsLeftOutAndSaid) {
  TargetRegistry registry(1);
  const auto built = make_upstreams(
      config("  - { name: pbx, targets: [ { uri: \"sip:192.0.2.1\" }, { uri: \"sip:192.0.2.2\" } ] }\n"), {},
      registry, kNow, false);
  EXPECT_EQ(built.upstreams[0].targets().size(), 1u);
  ASSERT_EQ(built.problems.size(), 1u);
  EXPECT_EQ(built.problems[0],
            "upstream pbx: 192.0.2.2:5060 is left out: this process has known as many targets as it may; "
            "restart it");
}

TEST(Upstreams, HealthAndFailoverArriveAsTheBalancerReadsThem) {
  const Config full = config(
      "  - name: pbx\n    targets: [ { uri: \"sip:192.0.2.1\" } ]\n"
      "    health: { every: 1s, fail: 4, rise: 5, passive: { codes: [500, 503], eject: 40s, after: 2, "
      "timeouts: false } }\n"
      "    failover: { on: [timeout, 504], tries: 3 }\n");
  const balance::Passive passive = make_passive(full.upstreams[0].health);
  EXPECT_EQ(passive.codes, balance::StatusSet::of(500, 503));
  EXPECT_EQ(passive.eject, Duration(40s));
  EXPECT_EQ(passive.after, 2);
  EXPECT_FALSE(passive.timeouts);
  const balance::Probing probing = make_probing(full.upstreams[0].health);
  EXPECT_EQ(probing.every, Duration(1s));
  EXPECT_EQ(probing.fail, 4);
  EXPECT_EQ(probing.rise, 5);
  const balance::Failover failover = make_failover(full.upstreams[0].failover);
  EXPECT_TRUE(failover.on_timeout);
  EXPECT_FALSE(failover.on_transport_error);
  EXPECT_TRUE(failover.on(504));
  EXPECT_FALSE(failover.on(503));
  EXPECT_EQ(failover.tries, 3u);
  const balance::Passive unsaid = make_passive(Health{});
  EXPECT_EQ(unsaid.codes, balance::StatusSet());
  EXPECT_TRUE(unsaid.timeouts);
}

}  // namespace
}  // namespace ringweir::control
