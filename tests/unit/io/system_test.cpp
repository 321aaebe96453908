// Sockets, processors and send slots.
#include <sched.h>

#include <thread>

#include "ringweir/io/cpu.h"
#include "unit/io/driver_kit.h"

namespace ringweir::io {
namespace {

TEST(OpenUdp, ResolvesPortZeroInBothFamilies) {
  for (const char* bind : {"127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"}) {
    const UdpSocket socket = opened(bind);
    EXPECT_NE(socket.bound().port, 0);
    EXPECT_EQ(socket.bound().ip, parse_endpoint(bind)->ip);
    EXPECT_EQ(socket.is_v6(), bind[0] == '[');
    EXPECT_EQ(socket.is_wildcard(), parse_endpoint(bind)->ip.is_unspecified());
    EXPECT_GT(socket.receive_buffer_bytes(), 0);
  }
}

TEST(OpenUdp, SaysInASentenceWhyItCannot) {
  const UdpSocket holder = opened("127.0.0.1:0");
  UdpOptions options;
  options.bind = holder.bound();
  const auto taken = open_udp(options);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, EADDRINUSE);
  EXPECT_EQ(taken.error().what, "cannot bind udp:" + to_string(holder.bound()) + ": Address already in use");
  options.bind = *parse_endpoint("192.0.2.1:0");
  const auto foreign = open_udp(options);
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, EADDRNOTAVAIL);
}

TEST(OpenUdp, ShardsShareAPortOnlyWhenAllAskTo) {
  UdpOptions options;
  options.bind = *parse_endpoint("127.0.0.1:0");
  options.reuse_port = true;
  const auto first = open_udp(options);
  ASSERT_TRUE(first);
  options.bind = first->bound();
  const auto second = open_udp(options);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->bound(), first->bound());
  options.reuse_port = false;
  EXPECT_FALSE(open_udp(options));
}

TEST(OpenUdp, BothFamiliesFitOnePortWhenTheSixthKeepsToItself) {
  const UdpSocket six = opened("[::]:0", true);
  UdpOptions four;
  four.bind = {IpAddress::v4(0, 0, 0, 0), six.bound().port};
  EXPECT_TRUE(open_udp(four));
}

TEST(Cpu, APinnedThreadStays) {
  const auto allowed = allowed_cpus();
  ASSERT_FALSE(allowed.empty());
  EXPECT_GE(usable_cpus(), 1u);
  EXPECT_LE(usable_cpus(), allowed.size());
  std::thread([&] {
    ASSERT_TRUE(pin_this_thread(allowed.back()));
    EXPECT_EQ(allowed_cpus(), std::vector<unsigned>{allowed.back()});
    EXPECT_EQ(::sched_getcpu(), static_cast<int>(allowed.back()));
    const auto nowhere = pin_this_thread(4'095);
    ASSERT_FALSE(nowhere);
    EXPECT_NE(nowhere.error().what.find("4095"), std::string::npos);
  }).join();
}

TEST(Cpu, ReadsAGroupsQuota) {
  EXPECT_EQ(parse_cpu_max("max 100000"), std::nullopt);
  EXPECT_EQ(parse_cpu_max("100000 100000"), 1u);
  EXPECT_EQ(parse_cpu_max("150000 100000"), 2u);
  EXPECT_EQ(parse_cpu_max("5000 100000"), 1u);
  EXPECT_EQ(parse_cpu_max("-1 100000"), std::nullopt);  // cgroup v1: unlimited
  for (const char* odd : {"", " ", "1", "1 ", "1 0", "x y", "0 100000"})
    EXPECT_EQ(parse_cpu_max(odd), std::nullopt) << odd;
}

TEST(SendSlots, HandOutEveryBufferOnceAndTheWarmestFirst) {
  SendSlots slots(3, 1);
  const SendBuffer a = slots.take(1), b = slots.take(4'096), c = slots.take(10), large = slots.take(4'097);
  EXPECT_EQ(slots.take(1).data, nullptr);
  EXPECT_EQ(slots.take(5'000).data, nullptr);
  EXPECT_EQ(large.capacity, SendSlots::kOctetsLarge);
  EXPECT_GE(b.data - a.data, std::ptrdiff_t{SendSlots::kOctets});
  for (const SendBuffer& buffer : {a, b, c, large}) slots.queue(buffer.slot);
  slots.release_queued();
  EXPECT_FALSE(slots.has_queued());
  EXPECT_EQ(slots.take(1).slot, a.slot);
  EXPECT_EQ(slots.take(1).slot, b.slot);
  EXPECT_GT(slots.memory_bytes(), 3u * 4'096u + 65'507u);
}

}  // namespace
}  // namespace ringweir::io
