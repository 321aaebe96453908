// What `serve` holds for as long as it runs. Control's thread, but for reload(), which the admin server's thread may call too.
#pragma once
#include <sys/mman.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "ringweir/control/admin_server.h"
#include "ringweir/control/config.h"
#include "ringweir/control/process.h"
#include "ringweir/control/resolver.h"
#include "ringweir/control/prober.h"
#include "ringweir/control/server.h"
#include "ringweir/control/shard_threads.h"
#include "ringweir/control/target_registry.h"
#include "ringweir/control/upstreams.h"

namespace ringweir::control {

// Address space that costs memory only where it is touched.
class Region {
 public:
  Region(std::size_t bytes, bool huge_pages);
  ~Region();
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;
  std::span<std::byte> bytes() const noexcept { return {static_cast<std::byte*>(at_), size_}; }

 private:
  std::size_t size_;
  void* at_;
};

class EdgeProcess {
 public:
  explicit EdgeProcess(const ServeOptions& options) : options_(options) {}
  ~EdgeProcess();

  // Everything up and answering, or an exit code. Errors are printed.
  std::optional<int> start();
  ReloadReport reload();
  // Not ready, no new dialogs; what is under way goes on.
  void begin_drain();
  Duration drain_time();
  std::uint64_t unanswered() const noexcept;  // transactions that wait for a final response
  void stop();

 private:
  struct Keys {
    Key128 placement, directory, nonce, route;
    std::uint64_t process;
  };
  std::optional<int> open();
  bool load(Config& config, std::shared_ptr<const auth::Credentials>& users, Diagnostics& problems) const;
  std::unique_ptr<shard::Snapshot> make_snapshot(const Config& config, std::shared_ptr<const auth::Credentials> users);
  std::shared_ptr<const shard::Snapshot> current() const;
  bool publish(std::shared_ptr<const shard::Snapshot> next);
  void become_current(std::shared_ptr<const shard::Snapshot> snapshot);
  bool open_admin();
  void announce() const;

  ServeOptions options_;
  Config config_;
  Keys keys_{};
  std::mutex loading_;     // one reload at a time: SIGHUP and POST /api/v1/reload
  std::mutex publishing_;  // whoever builds and publishes; guards config_ (written under both), registry_, generation_
  std::uint64_t generation_ = 0;
  std::optional<Region> region_;
  std::optional<location::Directory> directory_;
  std::optional<auth::NonceWindow> window_;
  std::optional<shard::Shared> shared_;
  TargetRegistry registry_;
  mutable std::mutex current_;  // guards the pointer alone, so that readers never wait for a reload
  std::shared_ptr<const shard::Snapshot> snapshot_;
  std::vector<std::shared_ptr<const shard::Snapshot>> kept_;  // that a shard may read after its time
  std::unique_ptr<ShardThreads> shards_;
  void follow_names();
  Resolver resolver_;
  Prober prober_;  // ends before the states it writes
  std::atomic<bool> ready_{false};
  std::atomic<bool> draining_{false};
  bool started_ = false;  // under publishing_: shards run, and follow what DNS says
  std::optional<ProcessView> view_;
  std::unique_ptr<AdminServer> admin_;
};

}  // namespace ringweir::control
