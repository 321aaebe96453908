// Naps: how they end by time, by a peer and from outside.
#include <latch>
#include <thread>

#include "unit/io/driver_kit.h"

namespace ringweir::io {
namespace {

template <class D>
class DriverWakeTest : public DriverTest<D> {};
TYPED_TEST_SUITE(DriverWakeTest, SocketDrivers);

// A nap takes one turn, and one more for each ring of an earlier test that the kernel buries meanwhile. A
// loop that spins takes thousands.
constexpr std::uint64_t kTurnsOfANap = 64;

// A signal (or the kernel's own task work) may end a nap early; the loop goes around.
template <class D>
void nap_until(D& driver, Instant until) {
  NullHandler nobody;
  do driver.turn(nobody, until);
  while (driver.now() < until);
}

// False when the deadline came first.
template <class D>
bool nap_until_woken(D& driver, std::uint64_t wakes) {
  NullHandler nobody;
  const Instant until = monotonic_now() + kPatience;
  while (driver.counters().wakes_received.read() < wakes && driver.now() < until) driver.turn(nobody, until);
  return driver.counters().wakes_received.read() == wakes;
}

TYPED_TEST(DriverWakeTest, ATurnEndsAtItsDeadline) {
  auto driver = driver_on<TypeParam>("127.0.0.1:0");
  for (const Duration nap : {Duration{3ms}, Duration{500us}, Duration{0}, Duration{-1s}}) {
    const Instant until = driver->now() + nap;
    const Instant before = monotonic_now();
    nap_until(*driver, until);
    EXPECT_GE(driver->now(), until);
    EXPECT_GE(driver->now(), before);
    EXPECT_LT(driver->now() - before, kPatience);
  }
  EXPECT_GE(driver->counters().turns.read(), 4u);
  EXPECT_LE(driver->counters().turns.read(), 4 * kTurnsOfANap) << "it spins";
}

TYPED_TEST(DriverWakeTest, TimeStandsStillWithinATurn) {
  auto driver = driver_on<TypeParam>("127.0.0.1:0");
  const Instant cached = driver->now();
  while (monotonic_now() <= cached + 1ms) {
  }
  EXPECT_EQ(driver->now(), cached);
  NullHandler nobody;
  driver->turn(nobody, cached);
  EXPECT_GT(driver->now(), cached);
  EXPECT_GT(driver->wall_ms(), 1'700'000'000'000);
}

TYPED_TEST(DriverWakeTest, WakeFromOutsideEndsANap) {
  auto driver = driver_on<TypeParam>("127.0.0.1:0");
  for (std::uint64_t i = 1; i <= 20; ++i) {
    std::thread outside([&] { driver->wake_from_outside(); });
    EXPECT_TRUE(nap_until_woken(*driver, i));
    outside.join();
  }
  // Every wake has been read: the next nap lasts.
  const std::uint64_t before = driver->counters().turns.read();
  nap_until(*driver, driver->now() + 5ms);
  EXPECT_LE(driver->counters().turns.read() - before, kTurnsOfANap) << "it spins";
}

TYPED_TEST(DriverWakeTest, OneDriverWakesAnotherAcrossThreads) {
  constexpr int kRounds = 200;
  auto near = driver_on<TypeParam>("127.0.0.1:0");
  std::vector<UdpSocket> sockets;
  sockets.push_back(opened("127.0.0.1:0"));
  auto far = driver_on<TypeParam>(std::move(sockets));
  TypeParam* both[] = {near.get(), far.get()};
  near->connect(both);
  far->connect(both);
  std::latch started(1);
  // Each wakes the other in turn: a lost wake ends in a nap that lasts to its deadline.
  std::thread thread([&] {
    NullHandler nobody;
    ASSERT_TRUE(far->start());
    started.count_down();
    for (std::uint64_t i = 1; i <= kRounds; ++i) {
      EXPECT_TRUE(nap_until_woken(*far, i)) << "round " << i;
      far->wake(0);
    }
    far->turn(nobody, far->now());  // the last wake leaves
    far->stop();
  });
  started.wait();
  for (std::uint64_t i = 1; i <= kRounds; ++i) {
    near->wake(1);
    EXPECT_TRUE(nap_until_woken(*near, i)) << "round " << i;
  }
  thread.join();
  EXPECT_EQ(near->counters().wakes_sent.read(), static_cast<std::uint64_t>(kRounds));
  EXPECT_EQ(far->counters().wakes_received.read(), static_cast<std::uint64_t>(kRounds));
  EXPECT_EQ(near->counters().wake_errors.read(), 0u);
}

TYPED_TEST(DriverWakeTest, AWakeBeforeTheNapIsNotLost) {
  auto driver = driver_on<TypeParam>("127.0.0.1:0");
  TypeParam* alone[] = {driver.get()};
  driver->connect(alone);
  driver->wake(0);
  EXPECT_TRUE(nap_until_woken(*driver, 1));
}

TYPED_TEST(DriverWakeTest, AStoppedPeerCostsACount) {
  auto driver = driver_on<TypeParam>("127.0.0.1:0");
  auto peer = driver_on<TypeParam>("127.0.0.1:0");
  TypeParam* both[] = {driver.get(), peer.get()};
  driver->connect(both);
  peer->stop();
  NullHandler nobody;
  driver->wake(1);
  driver->turn(nobody, driver->now());
  driver->turn(nobody, driver->now());
  Phone phone("127.0.0.1:0");
  EXPECT_TRUE(ask(*driver, phone, "still here", address_of(*driver)));
}

TYPED_TEST(DriverWakeTest, MayEndOnAnotherThreadThanItRanOn) {
  std::vector<UdpSocket> sockets;
  sockets.push_back(opened("127.0.0.1:0"));
  auto driver = driver_on<TypeParam>(std::move(sockets));
  auto own = driver_on<TypeParam>("127.0.0.1:0");  // this thread's, which must survive the other's end
  std::thread([&] {
    NullHandler nobody;
    ASSERT_TRUE(driver->start());
    driver->turn(nobody, driver->now());
  }).join();
  driver.reset();
  Phone phone("127.0.0.1:0");
  EXPECT_TRUE(ask(*own, phone, "still here", address_of(*own)));
}

}  // namespace
}  // namespace ringweir::io
