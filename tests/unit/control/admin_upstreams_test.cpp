// Upstreams, their draining and the reasons of decisions, as the admin interface tells them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "admin_world.h"
#include "ringweir/control/admin_api.h"
#include "ringweir/control/decisions.h"
#include "ringweir/control/metrics.h"

namespace ringweir::control {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

Endpoint at(std::uint8_t last) {
  return {IpAddress::v4(10, 0, 0, last), 5060};
}

balance::Upstream farm(std::string name, std::vector<balance::Target> targets) {
  balance::Upstream::Settings settings;
  settings.name = std::move(name);
  settings.algorithm = balance::Algorithm::least_calls;
  settings.targets = std::move(targets);
  settings.passive.after = 1;
  return balance::Upstream(std::move(settings));
}

struct Farmed {
  Farmed() {
    auto made = std::make_shared<shard::Snapshot>();
    made->generation = 7;
    made->upstreams.push_back(
        farm("pbx", {{at(1), "sip:10.0.0.1", 10, 0, &one}, {at(2), "sip:two.example.com", 1, 0, &two}}));
    made->upstreams.push_back(farm("spare", {{at(3), "sip:10.0.0.3", 1, 0, &three}}));
    snapshot = made;
    world.view.snapshot = [this] { return snapshot; };
    api.emplace(world.view);
  }
  AdminResponse ask(const std::string& method, const std::string& target) {
    auto request = parse_target(target).value();
    request.method = method;
    request.host = "localhost";
    return api->handle(request);
  }
  json get(const std::string& target) { return json::parse(ask("GET", target).body); }

  testing::AdminWorld world;
  balance::TargetState one, two, three;
  std::shared_ptr<const shard::Snapshot> snapshot;
  std::optional<AdminApi> api;
};

TEST(AdminUpstreams, EveryTargetIsListedWithItsStateAndFigures) {
  Farmed farmed;
  const Instant now = farmed.world.view.now();
  farmed.one.call_began();
  farmed.one.transaction_began();
  farmed.one.answered(200, now, farmed.snapshot->upstreams[0].passive());
  farmed.one.answered(486, now, farmed.snapshot->upstreams[0].passive());
  farmed.two.timed_out(now, farmed.snapshot->upstreams[0].passive());
  farmed.three.drain();
  const json listed = farmed.get("/api/v1/upstreams")["upstreams"];
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0]["name"], "pbx");
  EXPECT_EQ(listed[0]["algorithm"], "least_calls");
  const json& first = listed[0]["targets"][0];
  EXPECT_EQ(first["endpoint"], "10.0.0.1:5060");
  EXPECT_EQ(first["state"], "up");
  EXPECT_EQ(first["weight"], 10);
  EXPECT_EQ(first["calls"], 1);
  EXPECT_EQ(first["in_flight"], 1);
  EXPECT_EQ(first["responses"]["2xx"], 1);
  EXPECT_EQ(first["responses"]["4xx"], 1);
  EXPECT_TRUE(first["last_probe"].is_null());
  const json& second = listed[0]["targets"][1];
  EXPECT_EQ(second["state"], "down");
  EXPECT_EQ(second["timeouts"], 1);
  EXPECT_EQ(second["ejected"]["cause"], "timeouts");
  EXPECT_GT(second["ejected"]["for_ms"], 0);
  EXPECT_EQ(listed[1]["targets"][0]["state"], "draining");
  EXPECT_EQ(listed[1]["targets"][0]["health"], "up");
}

TEST(AdminUpstreams, ATargetIsDrainedByAddressEndpointOrUri) {
  Farmed farmed;
  for (const char* target : {"10.0.0.2", "10.0.0.2:5060", "sip:two.example.com"}) {
    const AdminResponse drained =
        farmed.ask("POST", std::string("/api/v1/upstreams/drain?upstream=pbx&target=") + target);
    EXPECT_EQ(drained.status, 200u) << target;
    EXPECT_TRUE(farmed.two.draining()) << target;
    EXPECT_EQ(
        farmed.ask("POST", std::string("/api/v1/upstreams/undrain?upstream=pbx&target=") + target).status,
        200u);
    EXPECT_FALSE(farmed.two.draining()) << target;
  }
  EXPECT_FALSE(farmed.one.draining());
}

TEST(AdminUpstreams, WhatIsNotThereIsNotDrained) {
  Farmed farmed;
  EXPECT_EQ(farmed.ask("POST", "/api/v1/upstreams/drain?upstream=nobody&target=10.0.0.1").status, 404u);
  EXPECT_EQ(farmed.ask("POST", "/api/v1/upstreams/drain?upstream=spare&target=10.0.0.1").status, 404u);
  EXPECT_EQ(farmed.ask("POST", "/api/v1/upstreams/drain?upstream=pbx").status, 404u);
  EXPECT_EQ(farmed.ask("GET", "/api/v1/upstreams/drain?upstream=pbx&target=10.0.0.1").status, 405u);
  EXPECT_EQ(farmed.ask("POST", "/api/v1/upstreams").status, 405u);
  EXPECT_FALSE(farmed.one.draining());
}

balance::Why why_least(std::uint16_t target) {
  balance::Why why{};
  why.algorithm = balance::Algorithm::least_calls;
  why.target = target;
  why.usable = 2;
  why.figure = 4;
  return why;
}

TEST(AdminUpstreams, ADecisionIsToldInASentence) {
  Farmed farmed;
  shard::DecisionRing& ring = farmed.world.phone.rig.shared.faces[0]->decisions;
  ring.record(1, 7, 0, shard::Decided::began, at(2), why_least(1), "call-a");
  ring.record(3, 7, 0, shard::Decided::failover, at(1), why_least(0), "call-a");
  ring.record(2, 7, 0, shard::Decided::by_table, at(2), {}, "call-b");
  ring.record(4, 7, 1, shard::Decided::refused, {}, {}, "call-c");
  const json found = farmed.get("/api/v1/decisions?call_id=call-a")["decisions"];
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0]["kind"], "began");
  EXPECT_EQ(found[0]["upstream"], "pbx");
  EXPECT_EQ(found[0]["target"], "10.0.0.2:5060");
  EXPECT_THAT(found[0]["why"].get<std::string>(),
              HasSubstr("pbx chose sip:two.example.com (10.0.0.2:5060) by least_calls"));
  EXPECT_EQ(found[1]["kind"], "failover");
  EXPECT_EQ(farmed.get("/api/v1/decisions?call_id=call&match=prefix")["decisions"].size(), 4u);
  EXPECT_THAT(farmed.get("/api/v1/decisions?call_id=call-b")["decisions"][0]["why"].get<std::string>(),
              HasSubstr("10.0.0.2:5060 before"));
  EXPECT_THAT(farmed.get("/api/v1/decisions?call_id=call-c")["decisions"][0]["why"].get<std::string>(),
              HasSubstr("spare had no target that could be used"));
  EXPECT_TRUE(farmed.get("/api/v1/decisions?call_id=nobody")["decisions"].empty());
  EXPECT_EQ(farmed.ask("GET", "/api/v1/decisions").status, 400u);
}

TEST(Decisions, OneOlderThanTheConfigurationNamesWhatStandsThereNow) {
  Farmed farmed;
  shard::Decision moved;  // it was upstream 0's; by now upstream 1 has the target
  moved.generation = 3;
  moved.target = at(3);
  moved.why = why_least(9);
  EXPECT_EQ(upstream_of(moved, *farmed.snapshot)->name(), "spare");
  EXPECT_THAT(sentence(moved, *farmed.snapshot), HasSubstr("spare chose sip:10.0.0.3"));
  shard::Decision gone = moved;
  gone.target = at(99);
  EXPECT_EQ(upstream_of(gone, *farmed.snapshot), nullptr);
  EXPECT_THAT(sentence(gone, *farmed.snapshot), HasSubstr("does not have that target any more"));
  shard::Decision refused = moved;
  refused.kind = shard::Decided::refused;
  EXPECT_THAT(sentence(refused, *farmed.snapshot), HasSubstr("an earlier configuration"));
}

TEST(Decisions, ALongCallIdIsFoundByWhatIsKeptOfIt) {
  shard::DecisionRing ring(8);
  const std::string id(200, 'i');
  ring.record(1, 1, 0, shard::Decided::began, at(1), {}, id);
  const shard::DecisionRing* const rings[] = {&ring};
  EXPECT_EQ(find_decisions(rings, id, false, 10).size(), 1u);
  EXPECT_EQ(find_decisions(rings, "i", false, 10).size(), 0u);
  for (int i = 0; i < 5; ++i) ring.record(2 + i, 1, 0, shard::Decided::failover, at(1), {}, id);
  const auto newest = find_decisions(rings, id, false, 2);
  ASSERT_EQ(newest.size(), 2u);
  EXPECT_EQ(newest[1].decision.wall_us, 6);
}

TEST(MetricsOfTargets, FollowTheirStates) {
  Farmed farmed;
  farmed.one.call_began();
  farmed.one.answered(503, farmed.world.view.now(), farmed.snapshot->upstreams[0].passive());
  farmed.two.drain();
  const std::string text = metrics_text(farmed.world.view);
  for (const char* line :
       {"ringweir_target_up{upstream=\"pbx\",target=\"10.0.0.1:5060\"} 1\n",
        "ringweir_target_up{upstream=\"pbx\",target=\"10.0.0.2:5060\"} 0\n",
        "ringweir_target_draining{upstream=\"pbx\",target=\"10.0.0.2:5060\"} 1\n",
        "ringweir_target_calls{upstream=\"pbx\",target=\"10.0.0.1:5060\"} 1\n",
        "ringweir_target_responses_total{upstream=\"pbx\",target=\"10.0.0.1:5060\",class=\"5xx\"} 1\n",
        "ringweir_target_troubles_total{upstream=\"spare\",target=\"10.0.0.3:5060\",kind=\"timeout\"} 0\n",
        "ringweir_failovers_total 0\n", "ringweir_transactions{machine=\"invite_client\"} 0\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

}  // namespace
}  // namespace ringweir::control
