// The shards as threads: opens their sockets, picks the io driver, starts, publishes configurations, stops.
// One thread (control's) calls everything here.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ringweir/control/config.h"
#include "ringweir/io/counters.h"
#include "ringweir/io/open_error.h"
#include "ringweir/shard/shard.h"

namespace ringweir::control {

struct ShardThreadsOptions {
  std::uint32_t shards = 1;
  std::vector<Endpoint> binds;  // one a listener, in order; port 0 lets the kernel choose
  bool pin = true;              // shard i on the i-th processor that this process may use
  bool send_trains = true;      // several datagrams a send where they go the same way
  IoChoice io = IoChoice::automatic;
};

class ShardThreads {
 public:
  // Opens sockets and drivers; no thread runs yet. `shared` outlives this.
  static Result<std::unique_ptr<ShardThreads>, io::OpenError> open(shard::Shared& shared,
                                                                   const ShardThreadsOptions& options);
  virtual ~ShardThreads() = default;

  // Runs the shards on a first configuration. On failure all threads have ended.
  io::Opened start(const shard::Snapshot& first);
  // Returns when every shard has adopted `next`, so that the one before may be freed. False when a shard did not within
  // the deadline: both must then be kept.
  bool publish(const shard::Snapshot& next, Duration deadline);
  // Ends the turns and joins. Answers already decided are sent.
  void stop();

  const std::vector<Endpoint>& bound() const noexcept { return bound_; }
  const std::string& backend() const noexcept { return backend_; }
  // Why it is not uring, when the choice was automatic.
  const std::string& reason() const noexcept { return reason_; }
  virtual std::vector<const io::DriverCounters*> counters() const = 0;
  // Processor time that each shard's thread has used. Any thread, while they run.
  virtual std::vector<Duration> cpu_used() const = 0;

 protected:
  explicit ShardThreads(shard::Shared& shared) : shared_(shared) {}
  virtual io::Opened launch() = 0;
  virtual void wake_all() = 0;
  virtual void join() = 0;

  shard::Shared& shared_;
  ShardThreadsOptions options_;
  std::vector<Endpoint> bound_;
  std::string backend_, reason_;
};

}  // namespace ringweir::control
