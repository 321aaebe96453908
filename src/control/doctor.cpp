#include "ringweir/control/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "ringweir/io/socket.h"

namespace ringweir::control {
namespace {

using enum FindingLevel;

// DEFER_TASKRUN and SINGLE_ISSUER came with 6.1, and multishot recvmsg with 6.0.
constexpr int kUringMajor = 6, kUringMinor = 1;
constexpr std::uint64_t kFilesWanted = 4'096;
constexpr std::uint64_t kMemlockWanted = 8u << 20;

std::string octets(std::uint64_t n) {
  if (n >= (1u << 20) && n % (1u << 20) == 0) return fmt::format("{} MiB", n >> 20);
  if (n >= 1024) return fmt::format("{} KiB", n >> 10);
  return fmt::format("{} octets", n);
}

bool at_least(const std::string& kernel, int major, int minor) {
  int found_major = 0, found_minor = 0;
  const char* const end = kernel.data() + kernel.size();
  const auto [dot, error] = std::from_chars(kernel.data(), end, found_major);
  if (error != std::errc{} || dot == end) return false;
  std::from_chars(dot + 1, end, found_minor);
  return found_major > major || (found_major == major && found_minor >= minor);
}

Finding judge_kernel(const HostFacts& facts) {
  if (at_least(facts.kernel, kUringMajor, kUringMinor)) return {ok, "kernel", facts.kernel, {}};
  return {warn, "kernel", facts.kernel,
          fmt::format("io_uring as ringweir uses it needs Linux {}.{}; older ones run on epoll", kUringMajor, kUringMinor)};
}

Finding judge_uring(const HostFacts& facts) {
  if (facts.uring_refused.empty()) return {ok, "io_uring", "available", {}};
  return {warn, "io_uring", facts.uring_refused,
          "epoll is used instead, at a higher cost a message. In a container allow io_uring_setup, io_uring_enter and "
          "io_uring_register in the seccomp profile; on a host: sysctl -w kernel.io_uring_disabled=0"};
}

Finding judge_memlock(const HostFacts& facts) {
  if (!facts.memlock_bytes) return {ok, "memlock limit", "unlimited", {}};
  const std::string found = octets(*facts.memlock_bytes);
  if (*facts.memlock_bytes >= kMemlockWanted) return {ok, "memlock limit", found, {}};
  return {warn, "memlock limit", found, "ulimit -l 65536, or LimitMEMLOCK=64M in the systemd unit: rings may not fit"};
}

Finding judge_files(const HostFacts& facts) {
  const std::string found = fmt::format("{} (hard {})", facts.files_soft, facts.files_hard);
  if (facts.files_soft >= kFilesWanted) return {ok, "open files limit", found, {}};
  return {warn, "open files limit", found, "ulimit -n 65536, or LimitNOFILE=65536 in the systemd unit"};
}

Finding judge_buffer(const char* what, const char* sysctl, std::optional<std::uint64_t> most, std::uint64_t wanted) {
  if (!most) return {warn, what, fmt::format("{} cannot be read", sysctl), {}};
  if (*most >= wanted) return {ok, what, octets(*most), {}};
  return {warn, what, fmt::format("{}, {} are asked for", octets(*most), octets(wanted)),
          fmt::format("sysctl -w {}={}: bursts are lost when a socket's buffer is full", sysctl, wanted)};
}

Finding judge_cpus(const HostFacts& facts) {
  std::string found = fmt::format("{} of {} usable", facts.cpus_usable, facts.cpus_online);
  if (facts.cpus_usable < facts.cpus_allowed) {
    found += fmt::format(" ({} by affinity, less by a cgroup quota)", facts.cpus_allowed);
    return {warn, "processors", found,
            "node.shards: auto follows the quota; a quota stops busy shards for milliseconds: whole cores (static CPU "
            "manager policy) serve better"};
  }
  return {ok, "processors", found, {}};
}

Finding judge_port(const HostFacts::Port& port) {
  const std::string what = "udp " + to_string(port.at);
  if (port.refused.empty()) return {ok, what, "free", {}};
  return {fail, what, port.refused,
          fmt::format("ss -lunp 'sport = :{}' names who has it; stop that, or change the listener's bind", port.at.port)};
}

std::string_view name(FindingLevel level) { return level == ok ? "ok" : level == warn ? "warn" : "FAIL"; }

}  // namespace

std::vector<Finding> judge(const HostFacts& facts) {
  const io::UdpOptions wanted;
  std::vector<Finding> findings{judge_kernel(facts), judge_uring(facts), judge_memlock(facts), judge_files(facts)};
  findings.push_back(judge_buffer("receive buffers", "net.core.rmem_max", facts.rmem_max,
                                  static_cast<std::uint64_t>(wanted.receive_buffer_bytes)));
  findings.push_back(judge_buffer("send buffers", "net.core.wmem_max", facts.wmem_max,
                                  static_cast<std::uint64_t>(wanted.send_buffer_bytes)));
  findings.push_back(judge_cpus(facts));
  for (const HostFacts::Port& port : facts.ports) findings.push_back(judge_port(port));
  return findings;
}

std::string findings_text(const std::vector<Finding>& findings, bool colour) {
  std::size_t width = 0;
  for (const Finding& finding : findings) width = std::max(width, finding.what.size());
  std::string out;
  for (const Finding& finding : findings) {
    const char* paint = finding.level == ok ? "32" : finding.level == warn ? "33" : "31";
    const std::string level = fmt::format("{:<4}", name(finding.level));
    out += colour ? fmt::format("\x1b[{}m{}\x1b[0m", paint, level) : level;
    out += fmt::format("  {:<{}}  {}\n", finding.what, width, finding.found);
    if (!finding.fix.empty()) out += fmt::format("      {:<{}}  -> {}\n", "", width, finding.fix);
  }
  return out;
}

std::string findings_json(const std::vector<Finding>& findings) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    all.push_back({{"level", finding.level == ok ? "ok" : finding.level == warn ? "warn" : "fail"},
                   {"what", finding.what},
                   {"found", finding.found},
                   {"fix", finding.fix}});
  }
  return all.dump(2) + '\n';
}

}  // namespace ringweir::control
