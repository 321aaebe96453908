#include "ringweir/control/shard_threads.h"

#include <pthread.h>

#include <ctime>
#include <future>
#include <thread>

#include "ringweir/io/clock.h"
#include "ringweir/io/cpu.h"
#include "ringweir/io/epoll.h"
#include "ringweir/io/uring.h"

namespace ringweir::control {
namespace {

using Sockets = std::vector<io::UdpSocket>;

template <class D>
class Crew final : public ShardThreads {
 public:
  explicit Crew(shard::Shared& shared) : ShardThreads(shared) {}
  ~Crew() override { stop(); }

  // Takes the sockets only when it succeeds.
  io::Opened open_drivers(std::vector<Sockets>& sockets, const ShardThreadsOptions& options, std::string name) {
    options_ = options;
    backend_ = std::move(name);
    for (const io::UdpSocket& socket : sockets.front()) bound_.push_back(socket.bound());
    for (Sockets& of_shard : sockets) {
      typename D::Options io;
      io.send_trains = options.send_trains;
      auto driver = D::open(of_shard, io);
      if (!driver) return std::unexpected(driver.error());
      drivers_.push_back(std::move(*driver));
    }
    std::vector<D*> peers;
    for (auto& driver : drivers_) peers.push_back(driver.get());
    for (auto& driver : drivers_) driver->connect(peers);
    return {};
  }

  std::vector<Duration> cpu_used() const override {
    std::vector<Duration> all;
    for (const clockid_t clock : clocks_) {
      timespec used{};
      ::clock_gettime(clock, &used);
      all.push_back(std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec));
    }
    return all;
  }

  void why_not_uring(std::string reason) { reason_ = std::move(reason); }

  std::vector<const io::DriverCounters*> counters() const override {
    std::vector<const io::DriverCounters*> all;
    for (const auto& driver : drivers_) all.push_back(&driver->counters());
    return all;
  }

 private:
  io::Opened launch() override {
    std::vector<std::future<io::Opened>> started;
    const std::vector<unsigned> cpus = io::allowed_cpus();
    for (std::uint32_t i = 0; i < options_.shards; ++i) {
      std::promise<io::Opened> promise;
      started.push_back(promise.get_future());
      const unsigned cpu = cpus[i % cpus.size()];
      auto& thread = threads_.emplace_back([this, i, cpu, promise = std::move(promise)]() mutable { live(i, cpu, promise); });
      clockid_t clock{};
      if (pthread_getcpuclockid(thread.native_handle(), &clock) == 0) clocks_.push_back(clock);
    }
    io::Opened all;
    for (auto& one : started) {
      if (const io::Opened opened = one.get(); !opened && all) all = opened;
    }
    return all;
  }

  void live(std::uint32_t index, unsigned cpu, std::promise<io::Opened>& started) {
    if (options_.pin) {
      if (const io::Opened pinned = io::pin_this_thread(cpu); !pinned) return started.set_value(pinned);
    }
    D& driver = *drivers_[index];
    if (const io::Opened opened = driver.start(); !opened) return started.set_value(opened);
    shard::ShardOptions options;
    options.index = index;
    options.local = bound_;
    {
      shard::Shard<D> shard(shared_, options, driver);
      started.set_value({});
      shard.run();
    }
    driver.stop();
  }

  void wake_all() override {
    for (auto& driver : drivers_) driver->wake_from_outside();
  }
  void join() override {
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    clocks_.clear();
  }

  std::vector<std::unique_ptr<D>> drivers_;
  std::vector<std::thread> threads_;
  std::vector<clockid_t> clocks_;
};

// Every shard binds every listener. The port is first bound alone: SO_REUSEPORT would let a second ringweir share it unnoticed.
Result<std::vector<Sockets>, io::OpenError> open_sockets(const ShardThreadsOptions& options) {
  std::vector<Sockets> all(options.shards);
  for (const Endpoint& bind : options.binds) {
    Endpoint at = bind;
    if (options.shards > 1) {
      const auto alone = io::open_udp({.bind = bind});
      if (!alone) return std::unexpected(alone.error());
      at = alone->bound();
    }
    for (Sockets& sockets : all) {
      auto socket = io::open_udp({.bind = at, .reuse_port = options.shards > 1});
      if (!socket) return std::unexpected(socket.error());
      sockets.push_back(std::move(*socket));
    }
  }
  return all;
}

}  // namespace

Result<std::unique_ptr<ShardThreads>, io::OpenError> ShardThreads::open(shard::Shared& shared,
                                                                        const ShardThreadsOptions& options) {
  auto sockets = open_sockets(options);
  if (!sockets) return std::unexpected(sockets.error());
  std::string reason;
  if (options.io != IoChoice::epoll) {
    io::Opened opened = io::probe_uring();
    if (opened) {
      auto crew = std::make_unique<Crew<io::Uring>>(shared);
      opened = crew->open_drivers(*sockets, options, "uring");
      if (opened) return crew;
      // Some drivers may have taken their sockets before one failed; epoll starts from new ones.
      crew.reset();
      sockets = open_sockets(options);
      if (!sockets) return std::unexpected(sockets.error());
    }
    if (options.io == IoChoice::uring) return std::unexpected(opened.error());
    reason = opened.error().what;
  }
  auto crew = std::make_unique<Crew<io::Epoll>>(shared);
  if (const io::Opened opened = crew->open_drivers(*sockets, options, "epoll"); !opened) {
    return std::unexpected(opened.error());
  }
  crew->why_not_uring(std::move(reason));
  return crew;
}

io::Opened ShardThreads::start(const shard::Snapshot& first) {
  for (auto& face : shared_.faces) face->snapshot.store(&first, std::memory_order_release);
  io::Opened opened = launch();
  if (!opened) stop();
  return opened;
}

bool ShardThreads::publish(const shard::Snapshot& next, Duration deadline) {
  for (auto& face : shared_.faces) face->snapshot.store(&next, std::memory_order_release);
  wake_all();
  const Instant until = io::monotonic_now() + deadline;
  for (auto& face : shared_.faces) {
    while (face->generation.load(std::memory_order_acquire) != next.generation) {
      if (io::monotonic_now() > until) return false;
      std::this_thread::sleep_for(200us);  // control's thread, never a shard's
    }
  }
  return true;
}

void ShardThreads::stop() {
  for (auto& face : shared_.faces) face->stop.store(true, std::memory_order_release);
  wake_all();
  join();
}

}  // namespace ringweir::control
