#include "ringweir/control/doctor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ringweir/io/socket.h"

namespace ringweir::control {
namespace {

using enum FindingLevel;

HostFacts good_host() {
  HostFacts facts;
  facts.kernel = "6.1.0-18-amd64";
  facts.files_soft = facts.files_hard = 65'536;
  facts.rmem_max = facts.wmem_max = 8u << 20;
  facts.cpus_online = facts.cpus_allowed = facts.cpus_usable = 8;
  facts.ports = {{{IpAddress::v4(127, 0, 0, 1), 5060}, ""}};
  return facts;
}

Finding finding(const HostFacts& facts, std::string_view what) {
  const auto findings = judge(facts);
  const auto found = std::ranges::find(findings, what, &Finding::what);
  return found == findings.end() ? Finding{fail, "absent", {}, {}} : *found;
}

TEST(Doctor, AGoodHostNeedsNothing) {
  for (const Finding& each : judge(good_host())) {
    EXPECT_EQ(each.level, ok) << each.what;
    EXPECT_TRUE(each.fix.empty()) << each.what;
  }
}

TEST(Doctor, EveryFindingThatIsNotOkHasAFix) {
  HostFacts facts = good_host();
  facts.kernel = "5.15.0";
  facts.uring_refused = "io_uring_setup: Operation not permitted";
  facts.memlock_bytes = 64 << 10;
  facts.files_soft = 1'024;
  facts.rmem_max = facts.wmem_max = 212'992;
  facts.cpus_usable = 2;
  facts.ports[0].refused = "address already in use";
  for (const Finding& each : judge(facts)) {
    EXPECT_NE(each.level, ok) << each.what;
    EXPECT_FALSE(each.fix.empty()) << each.what;
  }
}

TEST(Doctor, OldKernelsAreToldByNumberNotByText) {
  HostFacts facts = good_host();
  for (const char* kernel : {"6.1.0", "6.10.3", "7.0", "10.2-rc1"}) {
    facts.kernel = kernel;
    EXPECT_EQ(finding(facts, "kernel").level, ok) << kernel;
  }
  for (const char* kernel : {"6.0.19", "5.19", "", "strange"}) {
    facts.kernel = kernel;
    EXPECT_EQ(finding(facts, "kernel").level, warn) << kernel;
  }
}

TEST(Doctor, WithoutIoUringItIsAWarningBecauseEpollServes) {
  HostFacts facts = good_host();
  facts.uring_refused = "io_uring_setup: Operation not permitted";
  EXPECT_EQ(finding(facts, "io_uring").level, warn);
  EXPECT_EQ(finding(facts, "io_uring").found, facts.uring_refused);
}

TEST(Doctor, BufferLimitsAreJudgedByWhatSocketsAskFor) {
  HostFacts facts = good_host();
  facts.rmem_max = static_cast<std::uint64_t>(io::UdpOptions{}.receive_buffer_bytes);
  EXPECT_EQ(finding(facts, "receive buffers").level, ok);
  --*facts.rmem_max;
  EXPECT_NE(finding(facts, "receive buffers").fix.find("sysctl -w net.core.rmem_max=4194304"), std::string::npos);
}

TEST(Doctor, APortInUseIsFatalAndFoundByTryingIt) {
  const auto taken = io::open_udp({.bind = {IpAddress::v4(127, 0, 0, 1), 0}});
  ASSERT_TRUE(taken);
  const HostFacts facts = read_host_facts({taken->bound()});
  ASSERT_EQ(facts.ports.size(), 1u);
  EXPECT_FALSE(facts.ports[0].refused.empty());
  EXPECT_EQ(finding(facts, "udp " + to_string(taken->bound())).level, fail);
}

TEST(Doctor, ReadsThisHost) {
  const HostFacts facts = read_host_facts({{IpAddress::v4(127, 0, 0, 1), 0}});
  EXPECT_FALSE(facts.kernel.empty());
  EXPECT_GE(facts.cpus_usable, 1u);
  EXPECT_GT(facts.files_soft, 0u);
  EXPECT_TRUE(facts.rmem_max);
  EXPECT_EQ(facts.ports[0].refused, "");
}

TEST(Doctor, PrintsPlainTextAndJson) {
  const std::vector<Finding> findings{{ok, "kernel", "6.1", ""}, {fail, "udp 127.0.0.1:5060", "in use", "stop it"}};
  EXPECT_EQ(findings_text(findings, false),
            "ok    kernel              6.1\n"
            "FAIL  udp 127.0.0.1:5060  in use\n"
            "                          -> stop it\n");
  EXPECT_NE(findings_text(findings, true).find("\x1b[31mFAIL\x1b[0m"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(findings_json(findings))[1]["level"], "fail");
}

}  // namespace
}  // namespace ringweir::control
