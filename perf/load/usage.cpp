#include "usage.h"

#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

namespace ringweir::load {
namespace {

std::int64_t clock_ns(clockid_t clock) noexcept {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

// The first number of schedstat is the time on the CPU in nanoseconds; utime and stime of stat come in clock
// ticks.
std::int64_t thread_ns(const std::filesystem::path& task) {
  std::int64_t nanoseconds = 0;
  if (std::ifstream schedstat(task / "schedstat"); schedstat >> nanoseconds) return nanoseconds;
  std::ifstream stat(task / "stat");
  std::string line;
  std::getline(stat, line);
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  std::int64_t user = 0, system = 0;
  fields >> user >> system;
  return (user + system) * (1'000'000'000 / sysconf(_SC_CLK_TCK));
}

std::int64_t process_ns(int pid) {
  std::int64_t sum = 0;
  std::error_code gone;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone)) {
    sum += thread_ns(task.path());
  }
  return sum;
}

void read_core(int cpu, Usage& usage) {
  std::ifstream stat("/proc/stat");
  const std::string wanted = "cpu" + std::to_string(cpu);
  for (std::string line; std::getline(stat, line);) {
    std::istringstream fields(line);
    std::string name;
    fields >> name;
    if (name != wanted) continue;
    // user nice system idle iowait irq softirq steal
    for (std::uint64_t i = 0, ticks = 0; i < 8 && fields >> ticks; ++i) {
      usage.core_total += ticks;
      if (i != 3 && i != 4) usage.core_busy += ticks;
    }
  }
}

}  // namespace

std::int64_t now_ns() noexcept {
  return clock_ns(CLOCK_MONOTONIC);
}

Usage read_usage(const std::vector<int>& pids, int cpu) {
  Usage usage;
  if (cpu >= 0) read_core(cpu, usage);
  for (const int pid : pids) usage.server_ns += process_ns(pid);
  usage.wall_ns = now_ns();
  usage.own_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  return usage;
}

}  // namespace ringweir::load
