// How long datagrams have waited in the kernel: asked only while a driver is behind, and then right.
#include "ringweir/io/sim.h"
#include "unit/io/driver_kit.h"

namespace ringweir::io {
namespace {

template <class D>
class DriverWaitedTest : public DriverTest<D> {};
TYPED_TEST_SUITE(DriverWaitedTest, SocketDrivers);

struct Waits {
  std::vector<Duration> waits;
  std::vector<IpAddress> locals;
  void on_batch_end() {}
  void on_datagram(const Received& in) {
    waits.push_back(in.waited);
    locals.push_back(in.local);
  }
  void on_unreachable(const Endpoint&, SocketIndex) {}
};

void sleep_until_elapsed(Duration length) {
  const Instant end = monotonic_now() + length;
  while (monotonic_now() < end) ::poll(nullptr, 0, 1);
}

// Takes eight datagrams a turn out of a queue that some dozens fill.
template <class D>
std::unique_ptr<D> behind_soon(const char* bind, int queue_bytes) {
  UdpOptions small;
  small.bind = *parse_endpoint(bind);
  small.receive_buffer_bytes = queue_bytes;
  std::vector<UdpSocket> sockets;
  sockets.push_back(*open_udp(small));
  typename D::Options options;
  options.receive_buffers = 8;
  auto driver = driver_on<D>(std::move(sockets), options);
  if (auto started = driver->start(); !started) ADD_FAILURE() << started.error().what;
  return driver;
}

TYPED_TEST(DriverWaitedTest, NobodyIsAskedWhileNothingIsLeftBehind) {
  auto driver = driver_on<TypeParam>("127.0.0.1:0");
  Phone phone("127.0.0.1:0");
  Waits waits;
  for (std::size_t i = 1; i <= 100; ++i) {
    phone.send("one", address_of(*driver));
    ASSERT_TRUE(turn_until(*driver, waits, [&] { return waits.waits.size() == i; }));
  }
  int stamps = -1;
  socklen_t size = sizeof stamps;
  ASSERT_EQ(::getsockopt(driver->sockets()[0].fd(), SOL_SOCKET, SO_TIMESTAMPNS, &stamps, &size), 0);
  EXPECT_EQ(stamps, 0);
  EXPECT_EQ(waits.waits, std::vector<Duration>(100));
}

TYPED_TEST(DriverWaitedTest, ADriverThatIsBehindSaysHowLongEachHasWaited) {
  for (const char* bind : {"127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"}) {
    const bool is_v6 = bind[0] == '[';
    auto driver = behind_soon<TypeParam>(bind, 32'768);
    Phone phone(is_v6 ? "[::1]:0" : "127.0.0.1:0");
    const Endpoint to{phone.at().ip, address_of(*driver).port};
    Waits waits;
    for (int i = 0; i < 50; ++i)
      phone.send("a burst", to);  // more than a turn takes: the driver begins to ask
    ASSERT_TRUE(turn_until(*driver, waits, [&] { return waits.waits.size() == 50; }));
    // The kernel takes its time to begin stamping; until then a datagram has waited for nothing.
    const Instant limit = monotonic_now() + kPatience;
    const auto has_waited = [](Duration wait) { return wait >= 25ms; };
    do {
      waits = {};
      const Instant sent = monotonic_now();
      for (int i = 0; i < 24; ++i) phone.send("to wait", to);
      sleep_until_elapsed(30ms);
      ASSERT_TRUE(turn_until(*driver, waits, [&] { return waits.waits.size() == 24; }));
      const Duration most = monotonic_now() - sent + 5ms;
      EXPECT_TRUE(std::ranges::all_of(waits.waits, [&](Duration wait) { return wait <= most; })) << bind;
    } while (!std::ranges::all_of(waits.waits, has_waited) && monotonic_now() < limit);
    EXPECT_TRUE(std::ranges::all_of(waits.waits, has_waited)) << bind;
    const IpAddress local =
        std::string_view(bind).starts_with("0.0.0.0") || std::string_view(bind).starts_with("[::]")
            ? phone.at().ip
            : IpAddress{};
    for (const IpAddress& each : waits.locals) EXPECT_EQ(each, local) << bind;
  }
}

TYPED_TEST(DriverWaitedTest, AFullQueueThatLosesDatagramsIsSeen) {
  auto driver = behind_soon<TypeParam>("127.0.0.1:0", 16'384);
  Phone phone("127.0.0.1:0");
  Waits waits;
  EXPECT_FALSE(driver->overflowed());
  bool seen = false;
  ASSERT_TRUE(turn_until(*driver, waits, [&] {
    for (int i = 0; i < 200; ++i) phone.send(std::string(400, 'x'), address_of(*driver));
    seen = seen || driver->overflowed();
    return seen;
  }));
  EXPECT_GT(driver->counters().queue_overflows.read(), 0u);
  EXPECT_FALSE(driver->overflowed()) << "once told, it is not told again";
}

TEST(SimWaited, IsWhatTheWorldLetItWait) {
  SimClock clock;
  Sim sim(clock, {.inputs = 2});
  const Endpoint peer{IpAddress::v4(192, 0, 2, 1), 5060};
  EXPECT_TRUE(sim.deliver("a", peer, 0));
  clock.advance(7ms);
  EXPECT_TRUE(sim.deliver("b", peer, 0));
  EXPECT_FALSE(sim.overflowed());
  EXPECT_FALSE(sim.deliver("c", peer, 0));
  clock.advance(5ms);
  Waits waits;
  sim.turn(waits, Instant{});
  EXPECT_EQ(waits.waits, (std::vector<Duration>{12ms, 5ms}));
  EXPECT_TRUE(sim.overflowed());
  EXPECT_FALSE(sim.overflowed());
}

}  // namespace
}  // namespace ringweir::io
