#include "ringweir/control/explain_route.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

namespace ringweir::control {
namespace {

Config config(const std::string& more = "") {
  const auto result = load_config_text(
      "version: 1\nlisteners: [ { bind: \"127.0.0.1:5060\" } ]\ndomains: [example.com]\n"
      "auth: { realm: example.com, methods: [INVITE], users: { inline: [ { name: a, password: b } ] } }\n"
      "upstreams:\n"
      "  - { name: pbx, targets: [ { uri: \"sip:10.0.0.11\" }, { uri: \"sip:10.0.0.12:5070\" } ] }\n"
      "  - { name: named, algorithm: least_calls, targets: [ { uri: \"sip:pbx.example.net\" } ] }\n"
      "routes:\n"
      "  - { match: { source: 192.0.2.0/24 }, do: { reply: 488 } }\n"
      "  - { match: { user: \"9*\" }, do: { forward: pbx, strip: 1, prefix: \"00\" } }\n"
      "  - { match: { user: \"8*\" }, do: { forward: named } }\n"
      "  - { match: { method: REGISTER }, do: { register: local } }\n"
      "  - { match: { domain: local }, do: { lookup: location, else: { reply: 404 } } }\n" +
          more,
      "test.yaml", "");
  EXPECT_TRUE(result) << (result ? "" : to_string(result.error().front()));
  return result ? *result : Config{};
}

std::map<std::string, std::string> steps(const Config& from, RouteQuestion question) {
  const auto explained = explain_route(from, question);
  EXPECT_TRUE(explained) << (explained ? "" : explained.error());
  if (!explained) return {};
  return {explained->begin(), explained->end()};
}

TEST(ExplainRoute, ARequestIsFollowedFromRouteToTarget) {
  const Config from = config("keys: { secret: 0123456789abcdef }\n");
  auto found = steps(from, {.request = "INVITE sip:9100@example.com", .call_id = "abc"});
  EXPECT_EQ(found["domain"], "example.com is ours");
  EXPECT_EQ(found["route"], "2 of 5: user 9*: forward pbx, strip 1, prefix 00");
  EXPECT_EQ(found["authentication"], "challenged for example.com first, unless it comes from a target");
  EXPECT_EQ(found["request URI"], "sip:00100@example.com");
  EXPECT_EQ(found["upstream"], "pbx, call_id_hash, 2 targets");
  EXPECT_EQ(found["call-id"], "abc");
  EXPECT_THAT(found["why"], testing::StartsWith("pbx chose "));
  EXPECT_FALSE(found.contains("note"));
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(steps(from, {.request = "INVITE sip:9100@example.com", .call_id = "abc"})["target"],
              found["target"])
        << "with a secret the same call goes to the same target on every edge";
  }
}

TEST(ExplainRoute, DrawnCallsReachEveryTarget) {
  std::set<std::string> targets;
  for (int i = 0; i < 100; ++i) {
    auto found = steps(config(), {.request = "INVITE sip:9100@example.com"});
    targets.insert(found["target"]);
    EXPECT_THAT(found["note"], testing::HasSubstr("without keys.secret"));
  }
  EXPECT_THAT(targets,
              testing::ElementsAre("10.0.0.11:5060 (sip:10.0.0.11)", "10.0.0.12:5070 (sip:10.0.0.12:5070)"));
}

TEST(ExplainRoute, WhatEndsBeforeATargetIsSaid) {
  const Config from = config();
  EXPECT_EQ(steps(from, {.request = "OPTIONS sip:example.com"})["answer"],
            "200: an OPTIONS to the edge itself");
  EXPECT_EQ(steps(from, {.request = "INVITE sip:9@example.com", .source = "192.0.2.7"})["answer"], "488");
  EXPECT_EQ(steps(from, {.request = "REGISTER sip:example.com"})["registrar"], "this edge keeps the binding");
  EXPECT_EQ(steps(from, {.request = "MESSAGE sip:100@example.com"})["sent to"],
            "the contacts registered for the user; 404 where nobody is registered");
  EXPECT_EQ(steps(from, {.request = "INVITE sip:100@elsewhere.example"})["answer"], "403");
  EXPECT_EQ(steps(from, {.request = "INVITE tel:+4930"})["answer"],
            "416: only sip: and sips: URIs are served");
  auto named = steps(from, {.request = "INVITE sip:8@example.com"});
  EXPECT_EQ(named["left out"], "sip:pbx.example.net: names are resolved when the edge runs");
  EXPECT_EQ(named["answer"], "503: the upstream has no target");
}

TEST(ExplainRoute, WhatIsNoRequestIsAnError) {
  for (const char* text : {"", "INVITE", "INVITE ", " sip:a@b", "INVITE nonsense"}) {
    EXPECT_FALSE(explain_route(config(), {.request = text})) << text;
  }
  EXPECT_FALSE(explain_route(config(), {.request = "INVITE sip:a@b", .source = "lan"}));
}

}  // namespace
}  // namespace ringweir::control
