// What the kernel says about this process (proc(5)).
#pragma once
#include <cstdint>

namespace ringweir::control {

struct HostFigures {
  std::uint64_t resident_bytes = 0, virtual_bytes = 0;
  double cpu_seconds = 0;
  std::uint64_t open_fds = 0, max_fds = 0, threads = 0;
};

HostFigures read_host_figures();

}  // namespace ringweir::control
