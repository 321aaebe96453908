// Which processors this process may use, and staying on one.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "ringweir/io/open_error.h"

namespace ringweir::io {

// The processors the calling thread may run on (taskset, cpuset cgroups), ascending.
std::vector<unsigned> allowed_cpus();

// How many processors' worth of time this process may use: the allowed ones, or fewer where a cgroup's quota
// says so. At least 1.
unsigned usable_cpus();

// The calling thread stays on `cpu`.
Opened pin_this_thread(unsigned cpu);

// The text of cgroup v2's cpu.max ("150000 100000", "max 100000") as processors, rounded up; nothing when
// unlimited.
std::optional<unsigned> parse_cpu_max(std::string_view text) noexcept;

}  // namespace ringweir::io
