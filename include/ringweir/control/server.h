// A running ringweir: configuration, shared state, shards and admin server put together, reloaded and stopped.
#pragma once
#include <filesystem>

namespace ringweir::control {

struct ServeOptions {
  std::filesystem::path config;  // empty with lab
  bool lab = false;
};

// Runs until SIGTERM or SIGINT; SIGHUP reloads. On the first SIGTERM it is not ready any more, begins no dialog, and waits for
// the transactions under way, at most node.drain; a second one ends it at once. Returns the exit code: 0 done, 1 failed, 2 configuration.
int serve(const ServeOptions& options);

}  // namespace ringweir::control
