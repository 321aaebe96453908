#include "ringweir/control/server.h"

#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>

#include <chrono>

#include "control/edge_process.h"

namespace ringweir::control {
namespace {

// Blocked before any thread starts, so that every thread inherits it and only wait() sees them.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    signal(SIGPIPE, SIG_IGN);
  }
  int wait() const {
    int signal = 0;
    sigwait(&set_, &signal);
    return signal;
  }
  // The next signal, 0 when none came in that time.
  int wait_for(std::chrono::milliseconds time) const {
    const timespec span{time.count() / 1000, time.count() % 1000 * 1'000'000};
    const int signal = sigtimedwait(&set_, nullptr, &span);
    return signal > 0 ? signal : 0;
  }

 private:
  sigset_t set_;
};

// Nothing new begins, what is under way may end: until it has, the time is over, or somebody asks again.
void drain(EdgeProcess& process, const Signals& signals) {
  process.begin_drain();
  const Instant until = system_now() + process.drain_time();
  std::uint64_t left = process.unanswered();
  if (left != 0) spdlog::info("draining: {} transactions under way", left);
  for (; left != 0 && system_now() < until; left = process.unanswered()) {
    const int signal = signals.wait_for(std::chrono::milliseconds(20));
    if (signal == SIGTERM || signal == SIGINT) {
      spdlog::warn("asked again to stop: {} transactions are given up", left);
      return;
    }
  }
  if (left != 0) spdlog::warn("the time to drain is over: {} transactions are given up", left);
}

}  // namespace

int serve(const ServeOptions& options) {
  const Signals signals;
  spdlog::set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
  EdgeProcess process(options);
  if (const auto code = process.start()) return *code;
  for (;;) {
    const int signal = signals.wait();
    if (signal != SIGHUP) break;
    const ReloadReport report = process.reload();
    for (const std::string& line : report.lines) {
      report.done ? spdlog::info("reload: {}", line) : spdlog::error("reload refused: {}", line);
    }
  }
  drain(process, signals);
  spdlog::info("stopping");
  process.stop();
  return 0;
}

}  // namespace ringweir::control
