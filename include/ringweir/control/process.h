// What the admin side needs of a running process: made once, at start, by control/server.h. Everything it refers to outlives
// the admin server. The functions are called on the admin server's thread.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ringweir/auth/credentials.h"
#include "ringweir/base/time.h"
#include "ringweir/io/counters.h"
#include "ringweir/location/directory.h"
#include "ringweir/shard/shard.h"

namespace ringweir::control {

struct ListenerView {
  std::string name;
  Endpoint bound;                       // after the kernel chose a port
  std::vector<std::string> transports;  // "udp"
};

struct ReloadReport {
  bool done = false;
  std::vector<std::string> lines;  // what changed, or everything that stood in the way
};

class Prober;
class Resolver;

struct ProcessView {
  shard::Shared& shared;
  location::Directory& directory;
  std::vector<const io::DriverCounters*> drivers;  // one a shard
  std::string io_backend;                          // "uring"
  std::string io_reason;                           // why not the better one; empty when there is no better one
  std::string node;
  std::string version = RINGWEIR_VERSION;
  std::vector<ListenerView> listeners;
  WallMs started_ms = 0;

  const std::atomic<bool>& ready;
  // Empty text while ready; else what is being waited for. May be null.
  std::function<std::string()> why_not_ready;
  // Null when no users are configured. May itself be null.
  std::function<std::shared_ptr<const auth::Credentials>()> users;
  // Answers when done; takes as long as a configuration takes to load. May be null: then a reload is refused.
  std::function<ReloadReport()> reload;

  // The configuration in use, as shards read it. May itself be null.
  std::function<std::shared_ptr<const shard::Snapshot>()> snapshot{};
  // Processor time used, one a shard. May itself be null.
  std::function<std::vector<Duration>()> shard_cpu{};
  const Prober* prober = nullptr;
  const Resolver* resolver = nullptr;

  // The clock that leases are measured by, and the one for people.
  std::function<Instant()> now;
  std::function<WallMs()> wall_ms;

  std::size_t shards() const noexcept { return shared.faces.size(); }
};

// The system's clocks, for ProcessView.
Instant system_now() noexcept;
WallMs system_wall_ms() noexcept;

}  // namespace ringweir::control
