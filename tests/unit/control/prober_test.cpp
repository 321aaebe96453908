// Health probes over real sockets on ports that the kernel chose.
#include "ringweir/control/prober.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <functional>
#include <mutex>
#include <thread>

#include "ringweir/base/check.h"
#include "ringweir/control/probe_message.h"
#include "ringweir/io/clock.h"
#include "ringweir/io/sockaddr.h"
#include "ringweir/io/socket.h"
#include "ringweir/sip/essentials.h"

namespace ringweir::control {
namespace {

using balance::Health;
constexpr auto kDeadline = std::chrono::seconds(20);

bool soon(const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + kDeadline;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // between looks; the condition decides
  }
  return true;
}

// A target: answers each request as it is told to; 0 is silence.
class Toy {
 public:
  Toy()
      : socket_(io::open_udp({.bind = {IpAddress::v4(127, 0, 0, 1), 0}}).value()),
        thread_([this] { run(); }) {}
  ~Toy() {
    stop_ = true;
    thread_.join();
  }
  const Endpoint& endpoint() const { return socket_.bound(); }
  std::atomic<int> status{200};
  std::atomic<bool> garbles{false};  // answers of another transaction, and no SIP at all, come first
  std::atomic<int> heard{0};
  std::string last() {
    const std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  void run() {
    while (!stop_) {
      pollfd wait{socket_.fd(), POLLIN, 0};
      if (::poll(&wait, 1, 20) <= 0) continue;
      char room[4'096];
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const ssize_t n =
          ::recvfrom(socket_.fd(), room, sizeof room, 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (n <= 0) continue;
      {
        const std::lock_guard lock(mutex_);
        last_.assign(room, static_cast<std::size_t>(n));
      }
      ++heard;
      if (garbles) {
        say("nonsense", from);
        std::string other = answer(200);
        other.replace(other.find("z9hG4bKp"), 8, "z9hG4bKx");
        say(other, from);
        say(answer(100), from);
      }
      if (status != 0) say(answer(status), from);
    }
  }
  std::string answer(int code) const {
    return "SIP/2.0 " + std::to_string(code) + " Said\r\n" + last_.substr(last_.find("\r\n") + 2);
  }
  void say(const std::string& text, const sockaddr_in& to) const {
    (void)!::sendto(socket_.fd(), text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                    sizeof to);
  }

  io::UdpSocket socket_;
  std::mutex mutex_;
  std::string last_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

struct Probed {
  Probed() { check(prober.start().has_value(), "a prober for a test"); }
  ~Probed() { prober.stop(); }
  ProbeTarget target(const Endpoint& endpoint) {
    ProbeTarget target;
    target.upstream = "pbx";
    target.endpoint = endpoint;
    target.uri = "sip:" + to_string(endpoint);
    target.state = &state;
    target.timeout = 40ms;
    target.probing = {.every = 5ms, .fail = 3, .rise = 2};
    target.bad = balance::StatusSet::of(503);
    return target;
  }
  Health health() const { return state.health(io::monotonic_now()); }

  balance::TargetState state;
  Prober prober;
};

TEST(ProbeMessage, IsARequestThatOnlyItsOwnResponseAnswers) {
  const ProbeMessage probe{"OPTIONS", "sip:pbx.example.com", {*parse_ip("2001:db8::1"), 40'000}, 0x1234};
  const std::string text = write_probe(probe);
  sip::Message message;
  ASSERT_EQ(sip::parse(text, sip::Framing::datagram, message).completeness, sip::Completeness::complete);
  EXPECT_EQ(message.method(), sip::Method::options);
  EXPECT_EQ(sip::validate_request(message).fault, sip::Fault::none);
  EXPECT_EQ(message.request_uri(), "sip:pbx.example.com");
  EXPECT_NE(text.find("Via: SIP/2.0/UDP [2001:db8::1]:40000;rport;"), std::string::npos);
  const std::string rest = text.substr(text.find("\r\n") + 2);
  EXPECT_EQ(probe_answer(probe, "SIP/2.0 404 Not Found\r\n" + rest), 404);
  EXPECT_EQ(probe_answer(probe, text), std::nullopt) << "our own request";
  EXPECT_EQ(probe_answer(probe, "SIP/2.0 200 OK\r\n\r\n"), std::nullopt);
  ProbeMessage other = probe;
  other.token = 0x1235;
  EXPECT_EQ(probe_answer(other, "SIP/2.0 200 OK\r\n" + rest), std::nullopt);
  other = probe;
  other.method = "INFO";
  EXPECT_EQ(probe_answer(other, "SIP/2.0 200 OK\r\n" + rest), std::nullopt);
}

TEST(Prober, AnyFinalResponseIsAlive) {
  Toy toy;
  toy.status = 404;
  Probed probed;
  probed.prober.watch({probed.target(toy.endpoint())});
  ASSERT_TRUE(soon([&] { return probed.prober.count(ProbeOutcome::answered) >= 3; }));
  EXPECT_EQ(probed.health(), Health::up);
  const auto last = probed.prober.last("pbx", toy.endpoint());
  ASSERT_TRUE(last);
  EXPECT_EQ(last->outcome, ProbeOutcome::answered);
  EXPECT_EQ(last->status, 404);
  EXPECT_EQ(probed.prober.last("pbx", {}), std::nullopt);
  EXPECT_TRUE(toy.last().starts_with("OPTIONS sip:127.0.0.1:"));
}

TEST(Prober, AConfiguredCodeIsTrouble) {
  Toy toy;
  toy.status = 503;
  Probed probed;
  probed.prober.watch({probed.target(toy.endpoint())});
  ASSERT_TRUE(soon([&] { return probed.health() == Health::down; }));
  EXPECT_GE(probed.prober.count(ProbeOutcome::bad_status), 3u);
  EXPECT_EQ(probed.prober.last("pbx", toy.endpoint())->status, 503);
  toy.status = 200;
  EXPECT_TRUE(soon([&] { return probed.health() == Health::up; }));
  EXPECT_GE(probed.prober.count(ProbeOutcome::answered), 2u);
}

TEST(Prober, SilenceTakesATargetDownAndAnswersBringItBack) {
  Toy toy;
  toy.status = 0;
  Probed probed;
  probed.prober.watch({probed.target(toy.endpoint())});
  ASSERT_TRUE(soon([&] { return probed.health() == Health::down; }));
  EXPECT_EQ(probed.prober.count(ProbeOutcome::timeout), 3u);
  toy.status = 200;
  EXPECT_TRUE(soon([&] { return probed.health() == Health::up; }));
}

TEST(Prober, ASilentTargetIsAskedAgainWithinOneProbe) {
  Toy toy;
  toy.status = 0;
  Probed probed;
  ProbeTarget target = probed.target(toy.endpoint());
  target.timeout = 5s;
  probed.prober.watch({target});
  ASSERT_TRUE(soon([&] { return toy.heard >= 2; }));
  toy.status = 200;
  ASSERT_TRUE(soon([&] { return probed.prober.count(ProbeOutcome::answered) >= 1; }));
  EXPECT_EQ(probed.prober.count(ProbeOutcome::timeout), 0u);
  EXPECT_GE(probed.prober.last("pbx", toy.endpoint())->took, Duration(500ms));
}

TEST(Prober, ARefusalByTheKernelCountsAtOnce) {
  Endpoint closed;
  { closed = Toy().endpoint(); }
  Probed probed;
  ProbeTarget target = probed.target(closed);
  target.probing.fail = 100;
  probed.prober.watch({target});
  ASSERT_TRUE(soon([&] { return probed.health() == Health::down; }));
  EXPECT_GE(probed.prober.count(ProbeOutcome::unreachable), 1u);
  EXPECT_EQ(probed.prober.count(ProbeOutcome::timeout), 0u);
}

TEST(Prober, WhatAnswersSomethingElseAnswersNothing) {
  Toy toy;
  toy.garbles = true;
  toy.status = 0;
  Probed probed;
  probed.prober.watch({probed.target(toy.endpoint())});
  ASSERT_TRUE(soon([&] { return probed.health() == Health::down; }));
  EXPECT_EQ(probed.prober.count(ProbeOutcome::answered), 0u);
  toy.status = 200;
  EXPECT_TRUE(soon([&] { return probed.health() == Health::up; }));
}

TEST(Prober, WithoutAnIntervalNothingIsSentAndWhatProbesSaidIsForgotten) {
  Toy toy;
  toy.status = 0;
  Probed probed;
  probed.prober.watch({probed.target(toy.endpoint())});
  ASSERT_TRUE(soon([&] { return probed.health() == Health::down; }));
  ProbeTarget target = probed.target(toy.endpoint());
  target.probing.every = Duration::zero();
  probed.prober.watch({target});
  EXPECT_EQ(probed.health(), Health::up);
  const int heard = toy.heard;
  Toy other;  // that it is probed four times shows that the first would have been
  ProbeTarget second = probed.target(other.endpoint());
  probed.prober.watch({target, second});
  ASSERT_TRUE(soon([&] { return other.heard >= 4; }));
  EXPECT_LE(toy.heard, heard + 1);  // one may have been under way
}

TEST(Prober, AConfigurationSaysWhatIsProbedAndHow) {
  const auto config = load_config_text(
      "version: 1\nlisteners: [ { bind: \"127.0.0.1:5060\" } ]\nupstreams:\n"
      "  - { name: a, targets: [ { uri: \"sip:192.0.2.1\" } ], health: { every: 7s, timeout: 1s, passive: { "
      "codes: [500] } } }\n"
      "  - { name: b, targets: [ { uri: \"sip:192.0.2.2\" } ], health: { every: 0s } }\n",
      "test.yaml", "");
  ASSERT_TRUE(config);
  balance::TargetState one, two;
  std::vector<balance::Upstream> upstreams;
  upstreams.emplace_back(balance::Upstream::Settings{
      .name = "a",
      .targets = {{{IpAddress::v4(192, 0, 2, 1), 5060}, "sip:192.0.2.1", 1, 0, &one}},
      .failover = {},
      .passive = {}});
  upstreams.emplace_back(balance::Upstream::Settings{
      .name = "b",
      .targets = {{{IpAddress::v4(192, 0, 2, 2), 5060}, "sip:192.0.2.2", 1, 0, &two}},
      .failover = {},
      .passive = {}});
  const auto targets = probe_targets(*config, upstreams);
  ASSERT_EQ(targets.size(), 2u);
  EXPECT_EQ(targets[0].upstream, "a");
  EXPECT_EQ(targets[0].state, &one);
  EXPECT_EQ(targets[0].timeout, Duration(1s));
  EXPECT_EQ(targets[0].probing.every, Duration(7s));
  EXPECT_EQ(targets[0].bad, balance::StatusSet::of(500));
  EXPECT_EQ(targets[1].bad, balance::StatusSet::of(503));
  EXPECT_EQ(targets[1].probing.every, Duration::zero());
}

}  // namespace
}  // namespace ringweir::control
