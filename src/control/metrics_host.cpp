#include "control/metrics_host.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace ringweir::control {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::uint64_t count_entries(const char* folder) {
  std::error_code error;
  std::uint64_t n = 0;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) ++n;
  return n;
}

}  // namespace

HostFigures read_host_figures() {
  HostFigures figures;
  const auto page_bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size_pages = 0, resident_pages = 0;
  if (statm >> size_pages >> resident_pages) {
    figures.virtual_bytes = size_pages * page_bytes;
    figures.resident_bytes = resident_pages * page_bytes;
  }
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) figures.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) figures.max_fds = limit.rlim_cur;
  const std::uint64_t descriptors = count_entries("/proc/self/fd");
  figures.open_fds = descriptors > 0 ? descriptors - 1 : 0;  // one of them was the folder itself
  figures.threads = count_entries("/proc/self/task");
  return figures;
}

}  // namespace ringweir::control
