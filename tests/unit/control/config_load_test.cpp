#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "ringweir/control/config.h"
#include "ringweir/control/routes.h"

namespace ringweir::control {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kListener = "version: 1\nlisteners: [ { bind: \"127.0.0.1:5060\" } ]\n";

Config fine(const std::string& text, const fs::path& base = "") {
  auto result = load_config_text(text, "test.yaml", base);
  EXPECT_TRUE(result) << (result ? "" : to_string(result.error().front()));
  return result ? *result : Config{};
}

std::string first_error(const std::string& text, const fs::path& base = "") {
  const auto result = load_config_text(text, "test.yaml", base);
  return result ? "fine" : to_string(result.error().front());
}

class Folder {
 public:
  Folder() {
    std::string name = testing::TempDir() + "ringweir-config-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  void write(const char* name, std::string_view text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

TEST(ConfigLoad, WhatIsAbsentHasTheDocumentedDefault) {
  const Config config = fine(kListener);
  EXPECT_EQ(config.node, Node{});
  ASSERT_EQ(config.listeners.size(), 1u);
  EXPECT_EQ(config.listeners[0].name, "listener-1");
  EXPECT_EQ(to_string(config.listeners[0].bind), "127.0.0.1:5060");
  EXPECT_THAT(config.domains, IsEmpty());
  EXPECT_FALSE(config.auth.enabled);
  EXPECT_EQ(config.registrar, Registrar{});
  EXPECT_EQ(config.routes, default_routes());
  EXPECT_EQ(config.limits.max_message, 65'535u);
  EXPECT_EQ(config.trace.ring, 20'000u);
  EXPECT_EQ(to_string(*config.admin.bind), "127.0.0.1:8080");
  EXPECT_TRUE(config.keys.secret.empty());
  EXPECT_FALSE(config.lab.enabled);
}

TEST(ConfigLoad, ALabHasUsersAndNeedsNothingElse) {
  const Config config = fine("version: 1\nlab: { enabled: true }\n");
  ASSERT_EQ(config.listeners.size(), 1u);
  EXPECT_EQ(to_string(config.listeners[0].bind), "127.0.0.1:5060");
  EXPECT_TRUE(config.auth.enabled);
  EXPECT_EQ(config.auth.realm, "ringweir.lab");
  ASSERT_EQ(config.auth.algorithms.size(), 1u);  // what every phone knows
  EXPECT_EQ(*config.auth.algorithms.begin(), auth::Algorithm::md5);
  ASSERT_EQ(config.auth.users.list.size(), 3u);
  for (const InlineUser& user : config.auth.users.list) EXPECT_EQ(user.name, user.password.reveal());
  EXPECT_EQ(config.routes, default_routes());
  EXPECT_TRUE(config.trace.recording);
}

TEST(ConfigLoad, WhatIsGivenWinsOverTheLab) {
  const Config config = fine(
      "version: 1\nlisteners: [ { bind: \"[::1]:0\" } ]\nlab: { enabled: true }\n"
      "auth: { realm: mine, methods: [INVITE], users: { inline: [ { name: bob, password: \"0123\" } ] } }\n"
      "admin: { bind: off }\n");
  EXPECT_EQ(to_string(config.listeners.at(0).bind), "[::1]:0");
  EXPECT_EQ(config.auth.realm, "mine");
  EXPECT_THAT(config.auth.methods, ElementsAre(sip::Method::invite));
  ASSERT_EQ(config.auth.users.list.size(), 1u);
  EXPECT_EQ(config.auth.users.list[0].password.reveal(), "0123");
  EXPECT_FALSE(config.admin.bind);
}

TEST(ConfigLoad, EverySettingArrives) {
  const Config config = fine(
      "version: 1\n"
      "node: { name: edge-a, shards: 3, pin: false, io: epoll }\n"
      "listeners: [ { name: sip, bind: 0.0.0.0, transport: [udp], advertise: edge.example.com } ]\n"
      "domains: [Example.COM, \"2001:DB8::1\"]\n"
      "auth:\n"
      "  algorithms: [SHA-512-256, md5]\n"
      "  challenge: proxy\n"
      "  methods: [MESSAGE, REGISTER]\n"
      "  nonce: { lifetime: 1h30m, replay: off }\n"
      "  users: { csv: sub/users.csv }\n"
      "registrar: { min_expires: 10s, default_expires: 20s, max_expires: 1d, max_contacts: 3 }\n"
      "limits: { max_message: 64KiB }\n"
      "trace: { ring: 100 }\n"
      "admin: { bind: \"[::1]:9090\" }\n"
      "keys: { secret: \"0123456789abcdef\" }\n",
      "/base");
  EXPECT_EQ(config.node, (Node{.name = "edge-a", .shards = 3, .pin = false, .io = IoChoice::epoll}));
  EXPECT_EQ(to_string(config.listeners.at(0).bind), "0.0.0.0:5060");
  EXPECT_EQ(config.listeners.at(0).advertise, "edge.example.com");
  EXPECT_THAT(config.domains, ElementsAre("example.com", "2001:db8::1"));
  EXPECT_EQ(config.auth.realm, "example.com");
  const std::vector<auth::Algorithm> algorithms(config.auth.algorithms.begin(), config.auth.algorithms.end());
  EXPECT_THAT(algorithms, ElementsAre(auth::Algorithm::sha512_256, auth::Algorithm::md5));
  EXPECT_EQ(config.auth.challenge, Challenge::proxy);
  EXPECT_THAT(config.auth.methods, ElementsAre(sip::Method::message, sip::Method::register_));
  EXPECT_EQ(config.auth.nonce_lifetime, Duration(90min));
  EXPECT_FALSE(config.auth.replay_strict);
  EXPECT_EQ(config.auth.users.path, "/base/sub/users.csv");
  EXPECT_EQ(config.registrar, (Registrar{10s, 20s, 24h, 3}));
  EXPECT_EQ(config.limits.max_message, 65'535u);
  EXPECT_EQ(config.trace.ring, 100u);
  EXPECT_EQ(to_string(*config.admin.bind), "[::1]:9090");
  EXPECT_EQ(config.keys.secret.reveal(), "0123456789abcdef");
}

TEST(ConfigLoad, LimitsAreReadWithTheirDefaults) {
  const Limits usual = fine(kListener).limits;
  EXPECT_FALSE(usual.per_source);
  EXPECT_TRUE(usual.failed_auth && usual.overload.enabled && usual.overload.sieve);
  EXPECT_EQ(usual.overload.target, Duration(5ms));
  EXPECT_FALSE(fine("version: 1\nlab: { enabled: true }\n").limits.failed_auth) << "who learns may fail";
  const Limits limits =
      fine(kListener +
           "limits:\n"
           "  per_source: { rate: 50/s, burst: 200 }\n"
           "  trusted: [10.0.0.0/8, 192.0.2.1, \"2001:db8::/32\"]\n"
           "  failed_auth: false\n"
           "  overload: { enabled: false, target: 20ms, sieve: false }\n")
          .limits;
  EXPECT_EQ(limits.per_source, (SourceRate{50, 200}));
  ASSERT_EQ(limits.trusted.size(), 3u);
  EXPECT_EQ(to_string(limits.trusted[0]), "10.0.0.0/8");
  EXPECT_FALSE(limits.failed_auth || limits.overload.enabled || limits.overload.sieve);
  EXPECT_EQ(limits.overload.target, Duration(20ms));
  EXPECT_EQ(fine(kListener + "limits: { per_source: { rate: 50/s } }\n").limits.per_source, (SourceRate{50, 200}));
  EXPECT_THAT(first_error(kListener + "limits: { per_source: { burst: 3 } }\n"), HasSubstr("rate: 50/s"));
  EXPECT_THAT(first_error(kListener + "limits: { per_source: { rate: 0/s } }\n"), HasSubstr("limits.per_source.rate"));
  EXPECT_THAT(first_error(kListener + "limits: { trusted: [10.0.0.1/8] }\n"), HasSubstr("limits.trusted"));
}

TEST(ConfigLoad, RoutesArriveInTheirOrder) {
  const Config config =
      fine(kListener +
           "routes:\n"
           "  - { match: { method: [INVITE, FOO], user: \"9*\", domain: local }, do: { reply: 488, reason: "
           "Not here } }\n"
           "  - { match: { domain: \"::1\" }, do: { lookup: location } }\n"
           "  - { match: { domain: B.example }, do: { lookup: location, else: { reply: 410 } } }\n");
  ASSERT_EQ(config.routes.size(), 3u);
  const proxy::Match& match = config.routes[0].match;
  EXPECT_THAT(match.methods, ElementsAre("INVITE", "FOO"));
  EXPECT_TRUE(match.has_user && match.local_domain);
  EXPECT_EQ(match.user, "9*");
  EXPECT_EQ(config.routes[0].action, (proxy::Action{proxy::Action::Kind::reply, 488, "Not here"}));
  EXPECT_EQ(config.routes[1].match.domain, "[::1]");
  EXPECT_EQ(config.routes[1].action, (proxy::Action{proxy::Action::Kind::lookup_location, 0, ""}));
  EXPECT_EQ(config.routes[2].match.domain, "b.example");
  EXPECT_EQ(config.routes[2].action.code, 410);
}

TEST(ConfigLoad, ASecretComesFromTheEnvironmentOrAFile) {
  const Folder folder;
  folder.write("key", "from-a-file-0123456789\n");
  folder.write("empty", "\n");
  setenv("RINGWEIR_TEST_SECRET", "from-the-environment", 1);
  const auto keys = [](const char* secret) { return kListener + "keys: { secret: \"" + secret + "\" }\n"; };
  EXPECT_EQ(fine(keys("${RINGWEIR_TEST_SECRET}")).keys.secret.reveal(), "from-the-environment");
  EXPECT_EQ(fine(keys("file:key"), folder.path()).keys.secret.reveal(), "from-a-file-0123456789");
  EXPECT_THAT(first_error(keys("file:empty"), folder.path()), HasSubstr("is empty"));
  EXPECT_THAT(first_error(keys("file:."), folder.path()), HasSubstr("cannot read the file"));
  setenv("RINGWEIR_TEST_SECRET", "", 1);
  EXPECT_THAT(first_error(keys("${RINGWEIR_TEST_SECRET}")), HasSubstr("RINGWEIR_TEST_SECRET is empty"));
  unsetenv("RINGWEIR_TEST_SECRET");
  EXPECT_THAT(first_error(keys("${RINGWEIR_TEST_SECRET}")), HasSubstr("test.yaml:3:17: "));
}

TEST(ConfigLoad, ASecretIsNeverPartOfAMessage) {
  for (const char* text : {"keys: { secret: hunter2 }", "keys: { secret: [hunter2] }", "keys: hunter2",
                           "auth: { realm: a, users: { inline: [ { name: bob, password: [hunter2] } ] } }",
                           "auth: { realm: a, users: { inline: [ { name: bob, pasword: hunter2 } ] } }",
                           "auth: { realm: a, users: { inline: { bob: hunter2 } } }"}) {
    const auto result = load_config_text(kListener + text, "test.yaml", "");
    ASSERT_FALSE(result) << text;
    for (const Diagnostic& each : result.error())
      EXPECT_EQ(each.text.find("hunter2"), std::string::npos) << each.text;
  }
}

TEST(ConfigLoad, AFileThatCannotBeReadSaysWhy) {
  const Folder folder;
  EXPECT_THAT(to_string(load_config(folder.path() / "none.yaml").error().at(0)), HasSubstr("No such file"));
  EXPECT_THAT(to_string(load_config(folder.path()).error().at(0)), HasSubstr("directory"));
  folder.write("large.yaml", "version: 1\n#" + std::string(2u << 20, 'x') + "\n");
  EXPECT_THAT(to_string(load_config(folder.path() / "large.yaml").error().at(0)), HasSubstr("too large"));
}

TEST(ConfigLoad, PathsStartAtTheFile) {
  const Folder folder;
  folder.write("edge.yaml", kListener + "auth: { realm: a, users: { csv: users.csv } }\n");
  const auto config = load_config(folder.path() / "edge.yaml");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->auth.users.path, folder.path() / "users.csv");
}

const std::string kBothFamilies = "version: 1\nlisteners: [ { bind: \"[::]:5060\" } ]\n";
const std::string kUpstreams =
    "upstreams:\n"
    "  - name: pbx\n"
    "    algorithm: peak_ewma\n"
    "    targets: [ { uri: \"sip:10.0.0.11\", weight: 10 }, { uri: "
    "\"sip:PBX.example.com:5070;transport=udp\", "
    "priority: 1 }, { uri: \"sip:[2001:DB8::1]\" } ]\n"
    "    health: { method: MESSAGE, every: 1s, timeout: 300ms, fail: 4, rise: 5, passive: { codes: [500, 503], "
    "eject: "
    "40s } }\n"
    "    failover: { on: [timeout, 504], tries: 3 }\n"
    "    slow_start: 30s\n"
    "  - { name: spare, targets: [ { uri: \"sip:10.0.0.13\" } ] }\n";

TEST(ConfigLoad, UpstreamsAreReadWhole) {
  const Config config = fine(kBothFamilies + kUpstreams);
  ASSERT_EQ(config.upstreams.size(), 2u);
  const Upstream& pbx = config.upstreams[0];
  EXPECT_EQ(pbx.name, "pbx");
  EXPECT_EQ(pbx.algorithm, balance::Algorithm::peak_ewma);
  ASSERT_EQ(pbx.targets.size(), 3u);
  EXPECT_EQ(pbx.targets[0], (Target{"sip:10.0.0.11", "10.0.0.11", 0, 10, 0}));
  EXPECT_EQ(pbx.targets[1],
            (Target{"sip:PBX.example.com:5070;transport=udp", "pbx.example.com", 5070, 1, 1}));
  EXPECT_EQ(pbx.targets[2], (Target{"sip:[2001:DB8::1]", "2001:db8::1", 0, 1, 0}));
  EXPECT_EQ(pbx.health, (Health{"MESSAGE", 1s, 300ms, 4, 5, PassiveHealth{{500, 503}, 40s}}));
  EXPECT_EQ(pbx.failover, (Failover{true, false, {504}, 3}));
  EXPECT_EQ(pbx.slow_start, Duration(30s));
  EXPECT_EQ(config.upstreams[1].health, Health{});
  EXPECT_EQ(config.upstreams[1].failover, Failover{});
}

TEST(ConfigLoad, RoutesNameTheirUpstreamAndHowTheUserIsRewritten) {
  using Kind = proxy::Action::Kind;
  const Config config =
      fine(kBothFamilies + kUpstreams +
           "routes:\n"
           "  - { match: { source: [10.0.0.0/8, \"2001:db8::/32\"] }, do: { forward: spare, strip: 2, "
           "prefix: \"0049\", mode: stateless } }\n"
           "  - { match: { user: \"8*\" }, do: { redirect: pbx } }\n"
           "  - { match: { user: \"7*\" }, do: { redirect: location } }\n"
           "  - { do: { forward: pbx } }\n");
  ASSERT_EQ(config.routes.size(), 4u);
  EXPECT_THAT(config.routes[0].match.sources,
              ElementsAre(*parse_network("10.0.0.0/8"), *parse_network("2001:db8::/32")));
  const proxy::Action& first = config.routes[0].action;
  EXPECT_EQ(first.kind, Kind::forward);
  EXPECT_EQ(first.upstream, 1);
  EXPECT_TRUE(first.stateless);
  EXPECT_EQ(first.strip, 2);
  EXPECT_EQ(first.prefix, "0049");
  EXPECT_EQ(config.routes[1].action.kind, Kind::redirect_upstream);
  EXPECT_EQ(config.routes[1].action.upstream, 0);
  EXPECT_EQ(config.routes[2].action.kind, Kind::redirect_location);
  EXPECT_EQ(config.routes[2].action.code, 0);
  EXPECT_EQ(config.routes[3].action.kind, Kind::forward);
  EXPECT_FALSE(config.routes[3].action.stateless);
}

TEST(ConfigLoad, ARouteThatForwardsEverythingForwardsRegisterToo) {
  const Config config = fine(kBothFamilies + kUpstreams + "routes: [ { do: { forward: pbx } } ]\n");
  const proxy::RouteTable table = make_route_table(config);
  for (const char* method : {"REGISTER", "INVITE", "FOO"}) {
    EXPECT_EQ(table.decide({sip::parse_method(method), method, "100", "example.com"}).kind,
              proxy::Action::Kind::forward);
  }
}

TEST(ConfigLoad, HowTheProxyAndNamesBehaveArrives) {
  const Config config =
      fine(kListener +
           "node: { drain: 30s }\n"
           "proxy: { record_route: false, timer_c: 200s, max_breadth: 30, forks: 4 }\n"
           "dns: { servers: [\"127.0.0.1:5353\", 192.0.2.53], timeout: 1s, tries: 3, ttl_min: 1s, "
           "ttl_max: 1m }\n");
  EXPECT_EQ(config.node.drain, Duration(30s));
  EXPECT_EQ(config.proxy, (Proxy{false, 200s, 30, 4}));
  EXPECT_EQ(config.dns,
            (Dns{{*parse_endpoint("127.0.0.1:5353"), *parse_endpoint("192.0.2.53:53")}, 1s, 3, 1s, 1min}));
  EXPECT_EQ(fine(kListener).dns, Dns{});
  EXPECT_EQ(fine(kListener).proxy, Proxy{});
}

}  // namespace
}  // namespace ringweir::control
