#include "ringweir/control/config_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ringweir/control/routes.h"

namespace ringweir::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Config config(const std::string& rest, const char* bind = "127.0.0.1:5060") {
  const auto result = load_config_text(
      "version: 1\nlisteners: [ { name: sip, bind: \"" + std::string(bind) + "\" } ]\n" + rest, "test.yaml",
      "");
  EXPECT_TRUE(result) << (result ? "" : to_string(result.error().front()));
  return *result;
}

TEST(ConfigChanges, NothingChangedIsNothingToSay) {
  const Config one = config("auth: { realm: a, users: { inline: [ { name: x, password: y } ] } }");
  const Config other =
      config("# moved\n\nauth: { realm: a, users: { inline: [ { name: x, password: y } ] } }");
  EXPECT_TRUE(describe_changes(one, other).empty());
}

TEST(ConfigChanges, WhatShardsReadAgainIsApplied) {
  const Changes changes =
      describe_changes(config("domains: [a.example]\nregistrar: { max_expires: 2h }\n"),
                       config("domains: [a.example, b.example]\nregistrar: { max_expires: 90m }\n"
                              "routes: [ { do: { reply: 404 } } ]"));
  EXPECT_THAT(changes.applied,
              ElementsAre("domains: a.example -> a.example, b.example", "registrar.max_expires: 2h -> 90m",
                          "routes.1: method REGISTER: register local -> everything: reply 404",
                          "routes.2: domain local: lookup location, else 404 -> none",
                          "routes.3: everything: reply 403 -> none"));
  EXPECT_THAT(changes.needs_restart, IsEmpty());
}

TEST(ConfigChanges, WhatIsReadAtStartNeedsARestart) {
  const std::string why = "; it is read at start only: restart to change it";
  const Changes changes =
      describe_changes(config("node: { shards: 2 }"), config("admin: { bind: off }", "127.0.0.1:5070"));
  EXPECT_THAT(changes.needs_restart, ElementsAre("node.shards: 2 -> auto" + why,
                                                 "listeners.sip.bind: 127.0.0.1:5060 -> 127.0.0.1:5070" + why,
                                                 "admin.bind: 127.0.0.1:8080 -> off" + why));
  EXPECT_THAT(changes.applied, IsEmpty());
}

TEST(ConfigChanges, ASecretThatChangedIsToldWithoutIt) {
  const auto with = [](const char* password) {
    return config(std::string("auth: { realm: a, users: { inline: [ { name: x, password: ") + password +
                  " } ] } }");
  };
  EXPECT_THAT(describe_changes(with("hunter2"), with("hunter3")).applied,
              ElementsAre("auth.users.x: changed"));
}

TEST(ConfigChanges, AnAuthSectionThatAppearsIsToldWhole) {
  const Changes changes = describe_changes(config(""), config("auth: { realm: a, users: { csv: u.csv } }"));
  EXPECT_EQ(changes.applied.at(0), "auth: none -> on");
  EXPECT_EQ(changes.applied.at(1), "auth.realm: none -> a");
}

TEST(ConfigChanges, DurationsAndSizesAreWrittenAsPeopleWriteThem) {
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(120s), "2m");
  EXPECT_EQ(format_duration(24h), "1d");
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_size(65'536), "64KiB");
  EXPECT_EQ(format_size(65'535), "65535B");
  EXPECT_EQ(format_size(0), "0B");
}

TEST(ConfigDomains, ALabIsItsLoopbackNames) {
  const auto lab = load_config_text(lab_config_text(), "lab.yaml", "");
  const Endpoint bound[] = {*parse_endpoint("127.0.0.1:40123")};
  const proxy::DomainSet domains = make_domain_set(*lab, bound);
  EXPECT_TRUE(domains.is_local("127.0.0.1", 0));
  EXPECT_TRUE(domains.is_local("127.0.0.1", 40'123));
  EXPECT_TRUE(domains.is_local("localhost", 40'123));
  EXPECT_TRUE(domains.is_local("[::1]", 0));
  EXPECT_FALSE(domains.is_local("127.0.0.1", 5060));
  EXPECT_FALSE(domains.is_local("example.com", 0));
}

TEST(ConfigDomains, WhatAListenerAdvertisesIsOurs) {
  const auto result = load_config_text(
      "version: 1\nlisteners:\n  - { bind: \"127.0.0.1:5060\", advertise: \"Edge.example.com:5080\" }\n"
      "  - { bind: \"127.0.0.2:5060\", advertise: 192.0.2.7 }\ndomains: [example.com]\n",
      "test.yaml", "");
  const proxy::DomainSet domains = make_domain_set(*result);
  for (const char* host : {"edge.example.com", "192.0.2.7", "example.com", "127.0.0.1", "127.0.0.2"}) {
    EXPECT_TRUE(domains.is_local(host, 0)) << host;
  }
  EXPECT_FALSE(domains.is_local("localhost", 0));
}

TEST(ConfigDomains, AWildcardAddressIsEveryAddressOfTheMachine) {
  const proxy::DomainSet domains = make_domain_set(config("", "0.0.0.0:5060"));
  EXPECT_TRUE(domains.is_local("127.0.0.1", 5060));
  EXPECT_FALSE(domains.is_local("0.0.0.0", 5060));
}

TEST(ConfigChanges, UpstreamsAreToldByTheirNames) {
  const std::string pbx = "upstreams:\n  - { name: pbx, targets: [ { uri: \"sip:10.0.0.1\" } ] }\n";
  const std::string routes = "routes: [ { do: { forward: pbx } } ]\n";
  const Changes changes = describe_changes(
      config(pbx + routes),
      config(
          "upstreams:\n"
          "  - { name: new, targets: [ { uri: \"sip:10.0.0.9\", priority: 1 } ], health: { every: 0s } }\n"
          "  - { name: pbx, algorithm: least_calls, targets: [ { uri: \"sip:10.0.0.2\", weight: 3 } ] }\n" +
          routes));
  EXPECT_THAT(changes.applied,
              testing::IsSupersetOf({"upstreams.new.targets.sip:10.0.0.9: none -> weight 1, priority 1",
                                     "upstreams.new.health.probe: none -> off"}))
      << "what is new is told whole";
  EXPECT_THAT(changes.applied,
              testing::IsSupersetOf({"upstreams.pbx.algorithm: call_id_hash -> least_calls",
                                     "upstreams.pbx.targets.sip:10.0.0.2: none -> weight 3",
                                     "upstreams.pbx.targets.sip:10.0.0.1: weight 1 -> none"}));
  for (const std::string& each : changes.applied) EXPECT_FALSE(each.starts_with("routes")) << each;
  EXPECT_THAT(changes.needs_restart, IsEmpty());
}

TEST(ConfigSockets, StandInViaAsTheyAreReached) {
  const auto result = load_config_text(
      "version: 1\nlisteners:\n"
      "  - { bind: \"127.0.0.1:5060\", advertise: edge.example.com }\n"
      "  - { bind: \"127.0.0.2:5070\", advertise: edge.example.com }\n"
      "  - { bind: \"127.0.0.3:0\", advertise: \"edge.example.com:5061\" }\n"
      "  - { bind: \"127.0.0.4:0\" }\n"
      "  - { bind: \"[::1]:5060\" }\n"
      "  - { bind: \"127.0.0.6:5060\", advertise: \"2001:db8::5\" }\n",
      "test.yaml", "");
  ASSERT_TRUE(result) << to_string(result.error().front());
  std::vector<Endpoint> bound;
  for (const Listener& each : result->listeners) bound.push_back(each.bind);
  bound[2].port = 40'001;
  bound[3].port = 40'002;
  const auto sockets = make_sockets(*result, bound);
  ASSERT_EQ(sockets.size(), 6u);
  EXPECT_EQ(sockets[0].sent_by, "edge.example.com");
  EXPECT_EQ(sockets[1].sent_by, "edge.example.com:5070");
  EXPECT_EQ(sockets[2].sent_by, "edge.example.com:5061");
  EXPECT_EQ(sockets[3].sent_by, "127.0.0.4:40002");
  EXPECT_EQ(sockets[3].bound, bound[3]);
  EXPECT_FALSE(sockets[3].v6);
  EXPECT_EQ(sockets[4].sent_by, "[::1]");
  EXPECT_TRUE(sockets[4].v6);
  EXPECT_EQ(sockets[5].sent_by, "[2001:db8::5]");
}

TEST(ConfigSockets, AWildcardStandsInViaAsAnAddressOfTheMachine) {
  const Endpoint bound[] = {*parse_endpoint("0.0.0.0:5060")};
  const auto sockets = make_sockets(config("", "0.0.0.0:5060"), bound);
  ASSERT_EQ(sockets.size(), 1u);
  const auto ip = parse_ip(sockets[0].sent_by);
  ASSERT_TRUE(ip) << sockets[0].sent_by;
  EXPECT_FALSE(ip->is_unspecified());
  EXPECT_TRUE(ip->is_v4());
}

TEST(ConfigKeys, EdgesWithTheSameSecretSignRoutesAlike) {
  const auto with = [](const char* secret) {
    return config(std::string("keys: { secret: ") + secret + " }").keys;
  };
  const Key128 one{1, 2}, other{3, 4};
  EXPECT_EQ(make_route_key(with("0123456789abcdef"), one), make_route_key(with("0123456789abcdef"), other));
  EXPECT_NE(make_route_key(with("0123456789abcdef"), one), make_route_key(with("0123456789abcdeF"), one));
  EXPECT_EQ(make_route_key({}, one), one);
}

TEST(ConfigPolicies, TheProxyGetsWhatTheFileSays) {
  const proxy::Policy policy = make_proxy_policy(
      config("proxy: { record_route: false, timer_c: 4m, max_breadth: 7, forks: 3 }").proxy);
  EXPECT_FALSE(policy.record_route);
  EXPECT_EQ(policy.timer_c, Duration(4min));
  EXPECT_EQ(policy.max_breadth, 7u);
  EXPECT_EQ(policy.forks_max, 3u);
}

TEST(ConfigPolicies, AreWhatTheShardsRead) {
  const Config full = config(
      "auth: { realm: a, algorithms: [SHA-256], challenge: proxy, methods: [REGISTER], nonce: { lifetime: "
      "90s, replay: off }, users: "
      "{ csv: u.csv } }\nregistrar: { min_expires: 10s, default_expires: 20s, max_expires: 30s, "
      "max_contacts: 4 }\n");
  const auth::Policy policy = make_auth_policy(full.auth);
  EXPECT_EQ(policy.realm, "a");
  EXPECT_TRUE(policy.proxy);
  EXPECT_FALSE(policy.replay_strict);
  EXPECT_EQ(policy.nonce_lifetime_ms, 90'000);
  EXPECT_EQ(policy.algorithms.size(), 1u);
  EXPECT_EQ(make_method_set(full.auth), 1u << static_cast<unsigned>(sip::Method::register_));
  const registrar::Policy registrar = make_registrar_policy(full.registrar);
  EXPECT_EQ(registrar.min_expires_s, 10u);
  EXPECT_EQ(registrar.default_expires_s, 20u);
  EXPECT_EQ(registrar.max_expires_s, 30u);
  EXPECT_EQ(registrar.contacts_max, 4u);
}

}  // namespace
}  // namespace ringweir::control
