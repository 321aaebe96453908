// The command line. Each command adds itself to the tree; its callback leaves the exit code in the Outcome.
#pragma once
#include <CLI/App.hpp>

namespace ringweir::app {

enum ExitCode : int { kDone = 0, kFailed = 1, kUsage = 2 };  // kUsage: usage or configuration

struct Outcome {
  int code = kDone;
};

void add_serve(CLI::App& app, Outcome& outcome);
void add_check(CLI::App& app, Outcome& outcome);
void add_doctor(CLI::App& app, Outcome& outcome);
void add_reg(CLI::App& app, Outcome& outcome);
void add_users(CLI::App& app, Outcome& outcome);
void add_digest(CLI::App& app, Outcome& outcome);
void add_trace(CLI::App& app, Outcome& outcome);
void add_upstream(CLI::App& app, Outcome& outcome);
void add_top(CLI::App& app, Outcome& outcome);
void add_reload(CLI::App& app, Outcome& outcome);
void add_status(CLI::App& app, Outcome& outcome);

// All of it: what main() returns.
int run(int argc, char** argv);

}  // namespace ringweir::app
