// A driver between threads, in memory: naps without any time limit, so that a wake that gets lost hangs the test instead of
// costing a second, and a clock that only moves when the test says so.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "ringweir/base/limits.h"
#include "ringweir/io/driver.h"

namespace ringweir::support {

class ThreadedDriver {
 public:
  using Deliver = std::function<void(std::string_view bytes, const Endpoint& to)>;  // called on the shard's thread

  ThreadedDriver(const std::atomic<std::int64_t>& clock_ns, Deliver deliver)
      : clock_ns_(clock_ns), deliver_(std::move(deliver)), space_(limits::kMessageBytesMax) {
    refresh();
  }
  void connect(std::span<ThreadedDriver* const> shards) { shards_.assign(shards.begin(), shards.end()); }

  // Any thread.
  void receive(std::string bytes, const Endpoint& from) {
    const std::lock_guard lock(mutex_);
    inbox_.push_back({std::move(bytes), from});
    condition_.notify_one();
  }
  void wake_from_outside() {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    condition_.notify_one();
  }

  // The shard's side (io/driver.h).
  Instant now() const noexcept { return now_; }
  WallMs wall_ms() const noexcept { return 1'700'000'000'000 + to_ms(now_.time_since_epoch()); }
  Instant precise_now() const noexcept { return Instant{Duration{clock_ns_.load(std::memory_order_acquire)}}; }
  io::SendBuffer take_buffer(std::uint32_t) noexcept {
    return {space_.data(), static_cast<std::uint32_t>(space_.size()), 0};
  }
  void drop_buffer(io::SendBuffer) noexcept {}
  void send(io::SendBuffer buffer, std::uint32_t size, io::SocketIndex, const Endpoint& to, const IpAddress& = {}, std::uint64_t = 0) {
    deliver_({buffer.data, size}, to);
  }
  bool overflowed() noexcept { return false; }
  void sieve(const io::SievePattern&, std::uint32_t) noexcept {}
  void wake(std::uint32_t shard) { shards_[shard]->wake_from_outside(); }
  template <class H>
  void turn(H& handler, Instant until) {
    {
      std::unique_lock lock(mutex_);
      if (until > now_) condition_.wait(lock, [this] { return woken_ || !inbox_.empty(); });
      woken_ = false;
      batch_.swap(inbox_);
    }
    refresh();
    for (const Input& input : batch_) handler.on_datagram({input.bytes, input.from, 0, false});
    handler.on_batch_end();
    batch_.clear();
  }

 private:
  struct Input {
    std::string bytes;
    Endpoint from;
  };
  void refresh() { now_ = Instant{Duration{clock_ns_.load(std::memory_order_acquire)}}; }

  const std::atomic<std::int64_t>& clock_ns_;
  Deliver deliver_;
  std::vector<char> space_;
  std::vector<ThreadedDriver*> shards_;
  std::mutex mutex_;
  std::condition_variable condition_;
  std::deque<Input> inbox_;
  std::deque<Input> batch_;
  bool woken_ = false;
  Instant now_{};
};
static_assert(io::Driver<ThreadedDriver>);

}  // namespace ringweir::support
