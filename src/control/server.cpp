#include "ringweir/control/server.h"

#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>

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

 private:
  sigset_t set_;
};

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
  spdlog::info("stopping");
  process.stop();
  return 0;
}

}  // namespace ringweir::control
