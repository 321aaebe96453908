// The admin interface over real sockets on ports that the kernel chose.
#include "ringweir/control/admin_server.h"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "admin_world.h"
#include "control/admin_beast.h"
#include "ringweir/control/admin_client.h"

namespace ringweir::control {
namespace {

using testing::AdminWorld;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto kDeadline = std::chrono::seconds(20);

struct Served {
  explicit Served(AdminOptions options = {}) : server(world.view, options) {
    const io::Opened opened = server.start({IpAddress::v4(127, 0, 0, 1), 0});
    check(opened.has_value(), "a port for a test");
  }
  AdminClient client() const { return AdminClient(to_string(server.endpoint()), kDeadline); }

  AdminWorld world;
  AdminServer server;
};

// A client that says exactly what it is told to.
class Raw {
 public:
  explicit Raw(const Served& served) : socket_(context_) { socket_.connect(to_asio(served.server.endpoint())); }
  // False when the other side does not want any more.
  bool say(std::string_view text) {
    beast::error_code error;
    asio::write(socket_, asio::buffer(text.data(), text.size()), error);
    return !error;
  }
  // All until the server closes.
  std::string hear() {
    std::string text;
    beast::error_code error;
    asio::read(socket_, asio::dynamic_buffer(text), error);
    return text;
  }
  http::response<http::string_body> response(bool head = false) {
    http::response_parser<http::string_body> parser;
    parser.skip(head);
    http::read(socket_, buffer_, parser);
    return parser.release();
  }

 private:
  asio::io_context context_;
  tcp::socket socket_;
  beast::flat_buffer buffer_;
};

TEST(AdminServer, AReloadThatTakesLongHoldsNobodyUp) {
  AdminWorld world;
  std::atomic<bool> loading{false}, go_on{false};
  world.view.reload = [&] {
    loading = true;
    const auto until = steady_clock::now() + kDeadline;
    while (!go_on && steady_clock::now() < until) std::this_thread::yield();
    return ReloadReport{go_on.load(), {"users: 3 -> 4"}};
  };
  AdminServer server(world.view);
  ASSERT_TRUE(server.start({IpAddress::v4(127, 0, 0, 1), 0}));
  const AdminClient client(to_string(server.endpoint()), kDeadline);
  Result<AdminReply, std::string> reloaded = std::unexpected(std::string("not asked"));
  std::thread reloader([&] { reloaded = client.post("/api/v1/reload"); });
  const auto until = steady_clock::now() + kDeadline;
  while (!loading && steady_clock::now() < until) std::this_thread::yield();
  EXPECT_EQ(client.get("/healthz")->status, 200u);
  EXPECT_EQ(client.get("/api/v1/users")->status, 200u);
  EXPECT_FALSE(go_on);
  go_on = true;
  reloader.join();
  ASSERT_TRUE(reloaded) << reloaded.error();
  EXPECT_EQ(reloaded->status, 200u);
  EXPECT_NE(reloaded->body.find("users: 3 -> 4"), std::string::npos);
}

TEST(AdminServer, AnswersItsOwnClient) {
  Served served;
  const auto healthy = served.client().get("/healthz");
  ASSERT_TRUE(healthy) << healthy.error();
  EXPECT_EQ(healthy->status, 200u);
  EXPECT_EQ(healthy->body, "ok\n");
  const auto metrics = served.client().get("/metrics");
  ASSERT_TRUE(metrics);
  EXPECT_NE(metrics->body.find("ringweir_shards 1\n"), std::string::npos);
  const auto reload = served.client().post("/api/v1/reload");
  ASSERT_TRUE(reload);
  EXPECT_EQ(reload->status, 200u);
}

TEST(AdminServer, KeepsAConnectionAndAnswersInOrder) {
  Served served;
  Raw raw(served);
  raw.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(raw.response().result_int(), 200u);
  EXPECT_EQ(raw.response().result_int(), 404u);
  raw.say("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto head = raw.response(true);
  EXPECT_EQ(head.result_int(), 200u);
  EXPECT_TRUE(head.body().empty());
  EXPECT_GT(std::stoul(std::string(head[http::field::content_length])), 1'000u);
  raw.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_NE(raw.hear().find("200 OK"), std::string::npos);  // and then the end
}

TEST(AdminServer, RefusesWhatIsNoRequest) {
  Served served({.header_bytes_max = 2'048, .body_bytes_max = 1'024});
  const auto answer = [&](const std::string& text) {
    Raw raw(served);
    raw.say(text);
    return raw.hear().substr(0, 12);
  };
  EXPECT_EQ(answer("NONSENSE\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(answer("GET /healthz HTTP/1.1\r\n\r\n"), "HTTP/1.1 400");  // no Host
  EXPECT_EQ(answer("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(answer("GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + std::string(4'000, 'x') + "\r\n\r\n"), "HTTP/1.1 431");
  EXPECT_EQ(answer("POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999\r\n\r\n"), "HTTP/1.1 413");
  EXPECT_EQ(answer("PUT /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), "HTTP/1.1 405");
  EXPECT_EQ(answer("GET /a%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(answer("GET /api/v1/users HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"), "HTTP/1.1 403");
  EXPECT_EQ(served.client().get("/healthz")->status, 200u);
}

TEST(AdminServer, ASlowClientIsClosedAndHoldsNobody) {
  Served served({.request_timeout = milliseconds(200)});
  Raw slow(served);
  slow.say("GET /healthz HT");
  const auto began = steady_clock::now();
  EXPECT_EQ(served.client().get("/healthz")->status, 200u);
  EXPECT_EQ(slow.hear(), "");
  EXPECT_LT(steady_clock::now() - began, kDeadline);
}

TEST(AdminServer, ConnectionsAreBounded) {
  Served served({.connections_max = 2});
  Raw first(served), second(served);
  first.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  second.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(first.response().result_int(), 200u);
  EXPECT_EQ(second.response().result_int(), 200u);
  Raw third(served);
  EXPECT_EQ(third.hear(), "");
  second.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(second.response().result_int(), 200u);
}

TEST(AdminServer, FollowingTheTraceRecordsOnlyMeanwhile) {
  Served served({.follow_pace = milliseconds(1)});
  auto& ring = served.world.phone.rig.shared.faces[0]->trace;
  EXPECT_FALSE(ring.recording());
  std::vector<nlohmann::json> heard;
  std::atomic<bool> done{false};
  std::thread follower([&] {
    const auto followed = served.client().follow("/api/v1/trace?follow=1&call_id=call-1@192.0.2.7", [&](std::string_view line) {
      heard.push_back(nlohmann::json::parse(line));
      return heard.size() < 4;
    });
    EXPECT_TRUE(followed) << followed.error();
    done = true;
  });
  const auto until = steady_clock::now() + kDeadline;
  support::RequestText options;
  options.method = "OPTIONS";
  while (!ring.recording() && steady_clock::now() < until) std::this_thread::yield();
  for (std::uint32_t n = 1; n <= 3; ++n) {
    served.world.phone.rig.clock.advance(1ms);
    options.cseq = n;
    options.via = "SIP/2.0/UDP 192.0.2.7:5062;rport;branch=z9hG4bK-" + std::to_string(n);
    served.world.phone.say(options);
  }
  while (!done && steady_clock::now() < until) std::this_thread::yield();
  ASSERT_TRUE(done);
  follower.join();
  ASSERT_EQ(heard.size(), 4u);
  EXPECT_EQ(heard[0]["direction"], "in");
  EXPECT_EQ(heard[1]["direction"], "out");
  EXPECT_LE(heard[0]["time_us"].get<std::int64_t>(), heard[3]["time_us"].get<std::int64_t>());
  while (ring.recording() && steady_clock::now() < until) std::this_thread::yield();
  EXPECT_FALSE(ring.recording());
}

TEST(AdminServer, FollowersAreBounded) {
  Served served({.followers_max = 1});
  Raw first(served);
  first.say("GET /api/v1/trace?follow=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto until = steady_clock::now() + kDeadline;
  while (!served.world.phone.rig.shared.faces[0]->trace.recording() && steady_clock::now() < until) std::this_thread::yield();
  const auto refused = served.client().follow("/api/v1/trace?follow=1", [](std::string_view) { return true; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), "too many followers");
}

TEST(AdminServer, StopsWithConnectionsOpenAndMayBeFollowed) {
  auto served = std::make_unique<Served>();
  Raw idle(*served), follower(*served), half(*served);
  follower.say("GET /api/v1/trace?follow=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  half.say("GET /heal");
  const auto until = steady_clock::now() + kDeadline;
  auto& ring = served->world.phone.rig.shared.faces[0]->trace;
  while (!ring.recording() && steady_clock::now() < until) std::this_thread::yield();
  served->server.stop();
  EXPECT_FALSE(ring.recording());
  EXPECT_EQ(idle.hear(), "");
  EXPECT_EQ(half.hear(), "");
  served->server.stop();  // again does nothing
}

TEST(AdminServer, APortInUseIsAnErrorThatNamesIt) {
  Served served;
  AdminWorld world;
  AdminServer second(world.view);
  const io::Opened opened = second.start(served.server.endpoint());
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().what.find(to_string(served.server.endpoint())), std::string::npos);
  EXPECT_EQ(opened.error().code, EADDRINUSE);
}

TEST(AdminClient, SaysWhoDidNotAnswer) {
  std::string address;
  {
    Served served;
    address = to_string(served.server.endpoint());
  }
  const auto reply = AdminClient(address).get("/healthz");
  ASSERT_FALSE(reply);
  EXPECT_NE(reply.error().find(address), std::string::npos);
}

TEST(AdminClient, EncodesWhatMayNotStandInATarget) {
  EXPECT_EQ(encode_component("a b+c@d/e?f=g&h%*.-_~"), "a%20b%2Bc%40d%2Fe%3Ff%3Dg%26h%25%2A.-_~");
}

}  // namespace
}  // namespace ringweir::control
