// Names over a DNS server of the test's own, on a port that the kernel chose.
#include "ringweir/control/resolver.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <arpa/nameser.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <functional>
#include <mutex>
#include <thread>

#include "control/dns_records.h"
#include "ringweir/io/socket.h"

namespace ringweir::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
constexpr auto kDeadline = std::chrono::seconds(20);
constexpr int kNaptr = 35;

bool soon(const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + kDeadline;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // between looks; the condition decides
  }
  return true;
}

using Octets = std::string;
Octets word(unsigned n) {
  return {static_cast<char>(n >> 8), static_cast<char>(n)};
}
Octets labels(const std::string& name) {
  Octets out;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t dot = std::min(name.find('.', at), name.size());
    out += static_cast<char>(dot - at) + name.substr(at, dot - at);
    at = dot + 1;
  }
  return out + '\0';
}
Octets text(const std::string& s) {
  return static_cast<char>(s.size()) + s;
}

struct Record {
  int type;
  Octets data;
  unsigned ttl = 1;
};
Record a(std::uint8_t last, unsigned ttl = 1) {
  return {T_A, {'\x7f', 0, 0, static_cast<char>(last)}, ttl};
}
Record srv(unsigned priority, unsigned weight, unsigned port, const std::string& host) {
  return {T_SRV, word(priority) + word(weight) + word(port) + labels(host)};
}
Record naptr(unsigned order, const std::string& service, const std::string& to) {
  return {kNaptr, word(order) + word(0) + text("s") + text(service) + text("") + labels(to)};
}

// Answers what it was told, NXDOMAIN otherwise; fails for names it is told to fail for; may be silent.
class Server {
 public:
  Server()
      : socket_(io::open_udp({.bind = {IpAddress::v4(127, 0, 0, 1), 0}}).value()),
        thread_([this] { run(); }) {}
  ~Server() {
    stop_ = true;
    thread_.join();
  }
  void say(const std::string& name, std::vector<Record> records) {
    const std::lock_guard lock(mutex_);
    zone_[name] = std::move(records);
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    zone_.clear();
  }
  std::atomic<int> rcode_of_all{0};  // not 0: answered to every question
  std::atomic<int> asked{0};
  Dns dns() const {
    Dns dns;
    dns.servers = {socket_.bound()};
    dns.timeout = 100ms;
    dns.tries = 1;
    dns.ttl_min = 20ms;  // shorter than a file may say: a test does not wait
    dns.ttl_max = 20ms;
    return dns;
  }

 private:
  void run() {
    while (!stop_) {
      pollfd wait{socket_.fd(), POLLIN, 0};
      if (::poll(&wait, 1, 20) <= 0) continue;
      char room[512];
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const ssize_t n =
          ::recvfrom(socket_.fd(), room, sizeof room, 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (n < 17) continue;
      ++asked;
      const Octets reply = answer({room, static_cast<std::size_t>(n)});
      (void)!::sendto(socket_.fd(), reply.data(), reply.size(), 0, reinterpret_cast<const sockaddr*>(&from),
                      sizeof from);
    }
  }
  Octets answer(const Octets& question) {
    std::string name;
    std::size_t at = 12;
    while (question[at] != 0) {
      const auto size = static_cast<std::size_t>(question[at]);
      name += (name.empty() ? "" : ".") + question.substr(at + 1, size);
      at += size + 1;
    }
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    const int type = static_cast<unsigned char>(question[at + 2]);
    const Octets asked_for = question.substr(12, at + 5 - 12);
    const std::lock_guard lock(mutex_);
    const auto found = zone_.find(name);
    int rcode = rcode_of_all != 0 ? rcode_of_all.load() : found == zone_.end() ? 3 : 0;
    Octets records;
    unsigned count = 0;
    if (rcode == 0) {
      for (const Record& each : found->second) {
        if (each.type != type) continue;
        ++count;
        records += word(0xc00c) + word(static_cast<unsigned>(type)) + word(1) + word(0) + word(each.ttl) +
                   word(static_cast<unsigned>(each.data.size())) + each.data;
      }
    }
    return question.substr(0, 2) + word(0x8580u | static_cast<unsigned>(rcode)) + word(1) + word(count) +
           word(0) + word(0) + asked_for + records;
  }

  io::UdpSocket socket_;
  std::mutex mutex_;
  std::map<std::string, std::vector<Record>> zone_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

struct Resolving {
  Resolving() {
    EXPECT_TRUE(resolver.start([this] { ++changes; }));
  }
  ~Resolving() { resolver.stop(); }
  void watch(const std::vector<Name>& names) {
    resolver.watch(names, server.dns(), {.v4 = true, .v6 = false});
  }
  std::vector<std::string> of(const Name& name) const {
    std::vector<std::string> lines;
    const NameBook book = resolver.book();
    const auto found = book.find(name);
    if (found == book.end()) return lines;
    for (const Resolved& each : found->second) {
      lines.push_back(to_string(each.endpoint) + " w" + std::to_string(each.weight) + " p" +
                      std::to_string(each.priority));
    }
    return lines;
  }

  Server server;
  std::atomic<int> changes{0};
  Resolver resolver;
};

const Name kPbx{"pbx.test", 0};

TEST(Resolver, NaptrLeadsToSrvAndSrvToAddresses) {
  Resolving r;
  r.server.say("pbx.test",
               {naptr(10, "SIP+D2T", "_sip._tcp.pbx.test"), naptr(20, "SIP+D2U", "udp.pbx.test")});
  r.server.say("udp.pbx.test",
               {srv(10, 3, 5070, "one.test"), srv(10, 1, 5071, "two.test"), srv(20, 0, 5072, "one.test")});
  r.server.say("one.test", {a(1)});
  r.server.say("two.test", {a(2)});
  r.watch({kPbx});
  EXPECT_THAT(r.resolver.wait_for_first(kDeadline), IsEmpty());
  EXPECT_THAT(r.of(kPbx),
              ElementsAre("127.0.0.1:5070 w150 p10", "127.0.0.2:5071 w50 p10", "127.0.0.1:5072 w100 p20"));
  EXPECT_TRUE(soon([&] { return r.changes >= 1; }));
}

TEST(Resolver, WithoutNaptrAndSrvTheNameItselfIsMeant) {
  Resolving r;
  r.server.say("pbx.test", {a(2), a(1)});
  r.watch({kPbx});
  EXPECT_THAT(r.resolver.wait_for_first(kDeadline), IsEmpty());
  EXPECT_THAT(r.of(kPbx), ElementsAre("127.0.0.1:5060 w100 p0", "127.0.0.2:5060 w100 p0"));
}

TEST(Resolver, ANameWithAPortIsAskedForItsAddressAlone) {
  Resolving r;
  r.server.say("pbx.test", {a(1), naptr(10, "SIP+D2U", "_sip._udp.pbx.test")});
  r.server.say("_sip._udp.pbx.test", {srv(10, 1, 5070, "two.test")});
  r.server.say("two.test", {a(2)});
  r.watch({{"pbx.test", 5080}});
  EXPECT_THAT(r.resolver.wait_for_first(kDeadline), IsEmpty());
  EXPECT_THAT(r.of({"pbx.test", 5080}), ElementsAre("127.0.0.1:5080 w100 p0"));
}

TEST(Resolver, ChangesAreFollowed) {
  Resolving r;
  r.server.say("pbx.test", {a(1)});
  r.watch({kPbx});
  ASSERT_THAT(r.resolver.wait_for_first(kDeadline), IsEmpty());
  r.server.say("pbx.test", {a(3)});
  ASSERT_TRUE(soon([&] { return r.of(kPbx) == std::vector<std::string>{"127.0.0.3:5060 w100 p0"}; }));
  EXPECT_TRUE(soon([&] { return r.changes >= 2; }));
  EXPECT_EQ(r.resolver.tallies().changed, 2u);
  const auto answered = r.resolver.tallies().answered;
  EXPECT_TRUE(soon([&] { return r.resolver.tallies().answered >= answered + 3; }));
  EXPECT_EQ(r.changes, 2) << "the same answer again is no change";
}

TEST(Resolver, FailuresAndEmptyAnswersKeepTheLastGoodOne) {
  Resolving r;
  r.server.say("pbx.test", {a(1)});
  r.watch({kPbx});
  ASSERT_THAT(r.resolver.wait_for_first(kDeadline), IsEmpty());
  for (const int rcode : {2, 3}) {  // SERVFAIL, NXDOMAIN
    const auto failed = r.resolver.tallies().failed;
    r.server.rcode_of_all = rcode;
    EXPECT_TRUE(soon([&] { return r.resolver.tallies().failed >= failed + 2; }));
    EXPECT_THAT(r.of(kPbx), ElementsAre("127.0.0.1:5060 w100 p0"));
    r.server.rcode_of_all = 0;
  }
  EXPECT_EQ(r.changes, 1);
}

TEST(Resolver, OnlyADeniedServiceEmptiesAName) {
  Resolving r;
  r.server.say("pbx.test", {a(1)});
  r.watch({kPbx});
  ASSERT_THAT(r.resolver.wait_for_first(kDeadline), IsEmpty());
  r.server.say("_sip._udp.pbx.test", {srv(0, 0, 0, "")});
  EXPECT_TRUE(soon([&] { return r.of(kPbx).empty(); }));
}

TEST(Resolver, WhoIsNotThereIsToldWithinTheTime) {
  Resolving r;
  r.server.say("pbx.test", {a(1)});
  r.watch({kPbx, {"gone.test", 0}});
  EXPECT_THAT(r.resolver.wait_for_first(kDeadline), ElementsAre(Name{"gone.test", 0}));
  Dns nobody = r.server.dns();
  { nobody.servers = {Server().dns().servers}; }  // closed by now
  r.resolver.watch({{"other.test", 0}}, nobody, {.v4 = true, .v6 = false});
  EXPECT_THAT(r.resolver.wait_for_first(kDeadline), ElementsAre(Name{"other.test", 0}));
  EXPECT_THAT(r.of(kPbx), IsEmpty()) << "it is not watched any more";
}

TEST(Resolver, StopsWithQuestionsUnderWay) {
  Resolving r;
  Dns silent = r.server.dns();
  const auto mute = io::open_udp({.bind = {IpAddress::v4(127, 0, 0, 1), 0}});
  ASSERT_TRUE(mute);
  silent.servers = {mute->bound()};
  silent.timeout = 30s;
  r.resolver.watch({kPbx}, silent, {});
  EXPECT_THAT(r.resolver.wait_for_first(50ms), ElementsAre(kPbx));
  r.resolver.stop();
}

TEST(DnsRecords, TheLowestTtlIsFoundAndNonsenseHasNone) {
  const Octets name = labels("a.test");
  const auto record = [&](unsigned ttl) {
    return word(0xc00c) + word(T_A) + word(1) + word(0) + word(ttl) + word(4) + Octets("\x7f\0\0\1", 4);
  };
  const Octets whole = word(1) + word(0x8180) + word(1) + word(2) + word(0) + word(0) + name + word(T_A) +
                       word(1) + record(300) + record(60);
  const auto octets = [](const Octets& s) {
    return std::span(reinterpret_cast<const unsigned char*>(s.data()), s.size());
  };
  EXPECT_EQ(least_ttl(octets(whole)), 60u);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const std::uint32_t ttl = least_ttl(octets(whole.substr(0, n)));
    EXPECT_TRUE(ttl == UINT32_MAX || ttl == 300u || ttl == 60u) << n;
  }
  EXPECT_THAT(read_srv(octets(whole)), IsEmpty());
  EXPECT_THAT(read_naptr(octets(whole.substr(0, 20))), IsEmpty());
}

TEST(Families, AreThoseOfTheListeners) {
  const auto of = [](const char* bind) {
    return families_of(
        *load_config_text(std::string("version: 1\nlisteners: [ { bind: \"") + bind + "\" } ]\n", "t", ""));
  };
  EXPECT_EQ(of("127.0.0.1:5060"), (Families{true, false}));
  EXPECT_EQ(of("[::1]:5060"), (Families{false, true}));
  EXPECT_EQ(of("[::]:5060"), (Families{true, true}));
}

}  // namespace
}  // namespace ringweir::control
