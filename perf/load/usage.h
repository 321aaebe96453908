// CPU time: the load's own, the watched server's, and the server core's utilisation, read at one moment.
#pragma once
#include <cstdint>
#include <vector>

namespace ringweir::load {

std::int64_t now_ns() noexcept;  // CLOCK_MONOTONIC

struct Usage {
  std::int64_t wall_ns = 0;
  std::int64_t own_ns = 0;
  std::int64_t server_ns = 0;   // of all threads of the watched processes
  std::uint64_t core_busy = 0;  // clock ticks of the watched core, interrupts included
  std::uint64_t core_total = 0;
};

Usage read_usage(const std::vector<int>& pids, int cpu);

}  // namespace ringweir::load
