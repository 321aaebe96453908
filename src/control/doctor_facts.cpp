#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>

#include "ringweir/control/doctor.h"
#include "ringweir/io/cpu.h"
#include "ringweir/io/socket.h"
#include "ringweir/io/uring.h"

namespace ringweir::control {
namespace {

std::optional<std::uint64_t> read_number(const char* file) {
  std::ifstream in(file);
  std::uint64_t n = 0;
  if (!(in >> n)) return std::nullopt;
  return n;
}

}  // namespace

HostFacts read_host_facts(const std::vector<Endpoint>& udp_binds) {
  HostFacts facts;
  utsname system{};
  if (uname(&system) == 0) facts.kernel = system.release;
  if (const io::Opened uring = io::probe_uring(); !uring) facts.uring_refused = uring.error().what;
  rlimit limit{};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) facts.memlock_bytes = limit.rlim_cur;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    facts.files_soft = limit.rlim_cur;
    facts.files_hard = limit.rlim_max;
  }
  facts.rmem_max = read_number("/proc/sys/net/core/rmem_max");
  facts.wmem_max = read_number("/proc/sys/net/core/wmem_max");
  facts.cpus_online = static_cast<std::uint32_t>(std::max(sysconf(_SC_NPROCESSORS_ONLN), 1L));
  facts.cpus_allowed = static_cast<std::uint32_t>(io::allowed_cpus().size());
  facts.cpus_usable = io::usable_cpus();
  for (const Endpoint& bind : udp_binds) {
    const auto socket = io::open_udp({.bind = bind, .receive_buffer_bytes = 0, .send_buffer_bytes = 0});
    facts.ports.push_back({bind, socket ? "" : socket.error().what});
  }
  return facts;
}

}  // namespace ringweir::control
