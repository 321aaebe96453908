#include "ringweir/control/admin_api.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "admin_world.h"

namespace ringweir::control {
namespace {

using Json = nlohmann::json;
using testing::AdminWorld;

AdminRequest ask(const std::string& method, const std::string& target) {
  AdminRequest request = parse_target(target).value();
  request.method = method;
  request.host = "127.0.0.1:8080";
  return request;
}
AdminResponse get(AdminApi& api, const std::string& target) { return api.handle(ask("GET", target)); }

TEST(AdminTarget, IsTakenApartAndDecoded) {
  const auto request = parse_target("/api/v1/registrations/1%20%2B1?aor=a%2Bb+c&limit=5&flag");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->path, "/api/v1/registrations/1 +1");
  EXPECT_EQ(request->parameter("aor"), "a+b c");
  EXPECT_EQ(request->parameter("limit"), "5");
  EXPECT_TRUE(request->query.contains("flag"));
  for (const char* bad : {"", "*", "metrics", "/a%2", "/a%zz", "/?x=%"}) EXPECT_FALSE(parse_target(bad)) << bad;
}

TEST(AdminRebinding, NamesThatAreNotOursAreRefusedOnLoopback) {
  AdminRequest request = ask("GET", "/api/v1/status");
  for (const char* host : {"127.0.0.1:8080", "localhost", "LOCALHOST:80", "[::1]:8080", "::1", "edge.localhost"}) {
    request.host = host;
    EXPECT_EQ(smells_of_rebinding(request), std::string_view(host) == "::1") << host;  // an authority needs the brackets
  }
  for (const char* host : {"evil.example", "", "localhost.evil.example", "127.0.0.1.evil.example:8080"}) {
    request.host = host;
    EXPECT_TRUE(smells_of_rebinding(request)) << host;
  }
  request.on_loopback = false;
  request.host = "edge.internal:8080";
  EXPECT_FALSE(smells_of_rebinding(request));
}

TEST(AdminRebinding, APostFromAnotherOriginIsRefused) {
  AdminRequest request = ask("POST", "/api/v1/reload");
  EXPECT_FALSE(smells_of_rebinding(request));
  request.origin = "http://127.0.0.1:8080";
  EXPECT_FALSE(smells_of_rebinding(request));
  for (const char* origin : {"http://evil.example", "null", "http://127.0.0.1:8081"}) {
    request.origin = origin;
    EXPECT_TRUE(smells_of_rebinding(request)) << origin;
    AdminWorld world;
    EXPECT_EQ(AdminApi(world.view).handle(request).status, 403u) << origin;
  }
}

TEST(AdminApi, UnknownPathsAre404AndOtherMethods405WithAllow) {
  AdminWorld world;
  AdminApi api(world.view);
  EXPECT_EQ(get(api, "/nowhere").status, 404u);
  EXPECT_EQ(api.handle(ask("POST", "/nowhere")).status, 404u);
  const AdminResponse response = api.handle(ask("DELETE", "/metrics"));
  EXPECT_EQ(response.status, 405u);
  EXPECT_EQ(response.allow, "GET, HEAD");
  EXPECT_EQ(get(api, "/api/v1/reload").allow, "POST");
}

TEST(AdminApi, ReadySaysWhyNot) {
  AdminWorld world;
  AdminApi api(world.view);
  EXPECT_EQ(get(api, "/readyz").status, 200u);
  world.ready = false;
  const AdminResponse response = get(api, "/readyz");
  EXPECT_EQ(response.status, 503u);
  EXPECT_EQ(response.body, "not ready: draining\n");
  EXPECT_EQ(get(api, "/healthz").status, 200u);
}

TEST(AdminApi, StatusTellsWhatRuns) {
  AdminWorld world(2);
  world.registers("100");
  AdminApi api(world.view);
  const Json json = Json::parse(get(api, "/api/v1/status").body);
  EXPECT_EQ(json["name"], "edge-a");
  EXPECT_EQ(json["version"], "1.2.3");
  EXPECT_EQ(json["uptime_s"], 5);
  EXPECT_EQ(json["io"]["backend"], "sim");
  EXPECT_EQ(json["listeners"][0]["bound"], "192.0.2.10:5060");
  EXPECT_EQ(json["bindings"], 1);
  EXPECT_EQ(json["aors"], 1);
  EXPECT_EQ(json["users"], 3);
  ASSERT_EQ(json["shards"].size(), 2u);
  EXPECT_EQ(json["shards"][0]["requests"].get<int>() + json["shards"][1]["requests"].get<int>(), 2);
  EXPECT_EQ(json["shards"][0]["datagrams_in"], 2);
}

TEST(AdminApi, ARegistrationIsFoundByItsAddressOfRecord) {
  AdminWorld world;
  world.registers("101");
  AdminApi api(world.view);
  for (const char* path : {"101@example.com", "sip:101@EXAMPLE.com", "101%40example.com"}) {
    const AdminResponse response = get(api, std::string("/api/v1/registrations/") + path);
    ASSERT_EQ(response.status, 200u) << path;
    const Json json = Json::parse(response.body);
    EXPECT_EQ(json["aor"], "101@example.com");
    ASSERT_EQ(json["bindings"].size(), 1u);
    const Json& binding = json["bindings"][0];
    EXPECT_EQ(binding["contact"], "<sip:192.0.2.7:5062>");
    EXPECT_EQ(binding["expires_in_s"], 600);
    EXPECT_EQ(binding["user_agent"], "phone/1");
    EXPECT_EQ(binding["source"], "192.0.2.7:5062");
    EXPECT_EQ(binding["call_id"], "call-of-101");
    EXPECT_EQ(binding["cseq"], 2);
    EXPECT_EQ(binding["listener"], "sip");
  }
  EXPECT_EQ(get(api, "/api/v1/registrations/102@example.com").status, 404u);
}

TEST(AdminApi, AnExpiredRegistrationIsNotShown) {
  AdminWorld world;
  world.registers("101");
  AdminApi api(world.view);
  world.phone.rig.clock.advance(601s);
  EXPECT_EQ(get(api, "/api/v1/registrations/101@example.com").status, 404u);
  EXPECT_TRUE(Json::parse(get(api, "/api/v1/registrations").body)["registrations"].empty());
}

TEST(AdminApi, RegistrationsComeInPagesEachOnce) {
  AdminWorld world;
  for (const char* user : {"100", "101", "102"}) world.registers(user);
  AdminApi api(world.view);
  std::multiset<std::string> seen;
  std::string cursor;
  int pages = 0;
  do {
    const Json page = Json::parse(get(api, "/api/v1/registrations?limit=1" + (cursor.empty() ? "" : "&cursor=" + cursor)).body);
    for (const Json& one : page["registrations"]) seen.insert(one["aor"]);
    cursor = page.value("next", "");
    ASSERT_LT(++pages, 1'000'000);
  } while (!cursor.empty());
  EXPECT_EQ(seen, (std::multiset<std::string>{"100@example.com", "101@example.com", "102@example.com"}));
  EXPECT_GE(pages, 3);
}

TEST(AdminApi, APatternChoosesRegistrations) {
  AdminWorld world;
  for (const char* user : {"100", "101", "102"}) world.registers(user);
  AdminApi api(world.view);
  const auto found = [&](const char* pattern) {
    return Json::parse(get(api, std::string("/api/v1/registrations?aor=") + pattern).body)["registrations"].size();
  };
  EXPECT_EQ(found("101@*"), 1u);
  EXPECT_EQ(found("10*"), 3u);
  EXPECT_EQ(found("*1@*.com"), 1u);
  EXPECT_EQ(found("*@example.org"), 0u);
  EXPECT_EQ(found("102@example.com"), 1u);
  EXPECT_EQ(found("103@example.com"), 0u);
}

TEST(AdminApi, BadParametersAre400) {
  AdminWorld world;
  AdminApi api(world.view);
  for (const char* target : {"/api/v1/registrations?limit=0", "/api/v1/registrations?limit=x", "/api/v1/registrations?cursor=-1",
                             "/api/v1/users?limit=1e3", "/api/v1/users?cursor=a", "/api/v1/trace?limit=0",
                             "/api/v1/trace?since=1.2", "/api/v1/trace?since=x"}) {
    EXPECT_EQ(get(api, target).status, 400u) << target;
  }
  EXPECT_EQ(api.handle(ask("POST", "/api/v1/trace/recording")).status, 400u);
}

TEST(AdminApi, UsersAreNamesOnlyInPages) {
  AdminWorld world;
  AdminApi api(world.view);
  const AdminResponse first = get(api, "/api/v1/users?limit=2");
  EXPECT_EQ(Json::parse(first.body), Json::parse(R"({"total": 3, "users": ["100", "101"], "next": "2"})"));
  EXPECT_EQ(Json::parse(get(api, "/api/v1/users?limit=2&cursor=2").body), Json::parse(R"({"total": 3, "users": ["102"]})"));
}

TEST(AdminApi, ReloadTellsWhatItDid) {
  AdminWorld world;
  AdminApi api(world.view);
  AdminResponse response = api.handle(ask("POST", "/api/v1/reload"));
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(Json::parse(response.body)["lines"][0], "users: 3 -> 4");
  world.report = {false, {"f.yaml:3:1: unknown key"}};
  response = api.handle(ask("POST", "/api/v1/reload"));
  EXPECT_EQ(response.status, 422u);
  EXPECT_EQ(Json::parse(response.body)["done"], false);
  world.view.reload = nullptr;
  EXPECT_EQ(api.handle(ask("POST", "/api/v1/reload")).status, 501u);
}

TEST(AdminApi, ATraceIsKeptWhileRecordingIsOn) {
  AdminWorld world(2);
  AdminApi api(world.view);
  world.registers("100");
  Json page = Json::parse(get(api, "/api/v1/trace").body);
  EXPECT_EQ(page["recording"], false);
  EXPECT_TRUE(page["entries"].empty());
  EXPECT_EQ(api.handle(ask("POST", "/api/v1/trace/recording?on=1")).status, 200u);
  EXPECT_EQ(api.handle(ask("POST", "/api/v1/trace/recording?on=1")).status, 200u);  // once is enough
  world.registers("101");
  page = Json::parse(get(api, "/api/v1/trace?call_id=call-of-101").body);
  ASSERT_EQ(page["entries"].size(), 4u);
  EXPECT_EQ(page["entries"][0]["direction"], "in");
  EXPECT_EQ(page["entries"][3]["direction"], "out");
  EXPECT_EQ(page["entries"][0]["peer"], "192.0.2.7:5062");
  EXPECT_TRUE(page["entries"][3]["text"].get<std::string>().starts_with("SIP/2.0 200"));
  EXPECT_EQ(Json::parse(get(api, "/api/v1/trace?call_id=call-of&match=prefix").body)["entries"].size(), 4u);
  EXPECT_TRUE(Json::parse(get(api, "/api/v1/trace?call_id=call-of").body)["entries"].empty());
  api.handle(ask("POST", "/api/v1/trace/recording?on=off"));
  EXPECT_FALSE(world.phone.rig.shared.faces[0]->trace.recording());
}

TEST(AdminApi, WhatAPhoneSentNeedNotBeUtf8) {
  AdminWorld world;
  AdminApi api(world.view);
  world.registers("100", "\"\xff\xfe\" <sip:192.0.2.7:5062>");
  const AdminResponse response = get(api, "/api/v1/registrations/100@example.com");
  ASSERT_EQ(response.status, 200u);
  EXPECT_FALSE(Json::parse(response.body, nullptr, false).is_discarded());
}

}  // namespace
}  // namespace ringweir::control
