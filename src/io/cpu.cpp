#include "ringweir/io/cpu.h"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>

namespace ringweir::io {

namespace {

constexpr std::size_t kCpusMax = 4'096;

struct CpuSet {
  cpu_set_t* bits = CPU_ALLOC(kCpusMax);
  std::size_t size = CPU_ALLOC_SIZE(kCpusMax);
  CpuSet() { CPU_ZERO_S(size, bits); }
  CpuSet(const CpuSet&) = delete;
  CpuSet& operator=(const CpuSet&) = delete;
  ~CpuSet() { CPU_FREE(bits); }
};

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Our group's path under cgroup v2: the line "0::/path".
std::string own_group() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::/")) return line.substr(3);
  }
  return "/";
}

// A quota anywhere above us binds us too.
std::optional<unsigned> quota_v2() {
  std::optional<unsigned> least;
  for (std::string group = own_group();;) {
    const auto quota = parse_cpu_max(first_line("/sys/fs/cgroup" + group + "/cpu.max"));
    if (quota && (!least || *quota < *least)) least = quota;
    const std::size_t slash = group.rfind('/');
    if (group.empty() || slash == std::string::npos) return least;
    group.resize(slash);
  }
}

std::optional<unsigned> quota_v1() {
  const std::string quota = first_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  return parse_cpu_max(quota + " " + first_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us"));
}

}  // namespace

std::optional<unsigned> parse_cpu_max(std::string_view text) noexcept {
  std::uint64_t quota = 0, period = 0;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, quota);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ' ') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, period);
  if (second.ec != std::errc{} || period == 0 || quota == 0) return std::nullopt;
  // A part of a processor still needs one shard to use it.
  return static_cast<unsigned>(std::min<std::uint64_t>(quota / period + (quota % period ? 1 : 0), kCpusMax));
}

std::vector<unsigned> allowed_cpus() {
  const CpuSet set;
  std::vector<unsigned> cpus;
  if (::sched_getaffinity(0, set.size, set.bits) != 0) return {0};
  for (unsigned cpu = 0; cpu < kCpusMax; ++cpu) {
    if (CPU_ISSET_S(cpu, set.size, set.bits)) cpus.push_back(cpu);
  }
  return cpus;
}

unsigned usable_cpus() {
  const unsigned allowed = static_cast<unsigned>(std::max<std::size_t>(1, allowed_cpus().size()));
  auto quota = quota_v2();
  if (!quota) quota = quota_v1();
  return quota ? std::min(allowed, *quota) : allowed;
}

Opened pin_this_thread(unsigned cpu) {
  const CpuSet set;
  if (cpu < kCpusMax) CPU_SET_S(cpu, set.size, set.bits);
  if (::sched_setaffinity(0, set.size, set.bits) == 0) return {};
  const int code = errno;
  return std::unexpected(
      OpenError{code, "cannot stay on processor " + std::to_string(cpu) + ": " + std::strerror(code)});
}

}  // namespace ringweir::io
