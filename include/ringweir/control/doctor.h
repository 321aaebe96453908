// `doctor`: is this host fit to run ringweir, and what to do where it is not. Facts are read once; judging them is pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ringweir/base/address.h"

namespace ringweir::control {

struct HostFacts {
  std::string kernel;                             // "6.1.0-18-amd64"
  std::string uring_refused;                      // why not io_uring; empty: it works
  std::optional<std::uint64_t> memlock_bytes;     // soft limit; absent: unlimited
  std::uint64_t files_soft = 0, files_hard = 0;   // RLIMIT_NOFILE
  std::optional<std::uint64_t> rmem_max, wmem_max;
  std::uint32_t cpus_online = 1;
  std::uint32_t cpus_allowed = 1;                 // by affinity (taskset, cpuset)
  std::uint32_t cpus_usable = 1;                  // the same, or fewer where a cgroup's quota says so
  struct Port {
    Endpoint at;
    std::string refused;                          // why it cannot be bound; empty: free
  };
  std::vector<Port> ports;
};

enum class FindingLevel : std::uint8_t { ok, warn, fail };

struct Finding {
  FindingLevel level;
  std::string what;   // "io_uring"
  std::string found;
  std::string fix;    // empty when there is nothing to do
};

HostFacts read_host_facts(const std::vector<Endpoint>& udp_binds);
std::vector<Finding> judge(const HostFacts& facts);

std::string findings_text(const std::vector<Finding>& findings, bool colour);
std::string findings_json(const std::vector<Finding>& findings);

}  // namespace ringweir::control
