// The call workloads: callers, callees and the clock of both.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "call_world.h"
#include "callees.h"
#include "callers.h"
#include "drive.h"

namespace ringweir::load {

class CallEngine {
 public:
  CallEngine(const Options& options, Peers& peers);
  Outcome run(const Phase& phase);

  // What Drive asks.
  bool room() const noexcept;
  bool begin(Workload workload, std::int64_t started_ns, std::int64_t now);
  void take(std::uint32_t peer, std::string_view message, std::int64_t now);
  void run_timers(std::int64_t now);
  std::uint32_t in_flight() const noexcept { return world_.table.open_count(); }
  std::int64_t patience_ns() const noexcept;
  bool& counting() noexcept { return world_.counting; }

 private:
  enum class Hold : std::uint8_t { none, gathering, ringing, answering };

  void reflect(std::uint32_t peer, std::string_view message);
  void reflect_request(std::uint32_t peer, std::string_view message);
  void run_hold();
  bool told() const;

  const Options& options_;
  Peers& peers_;
  CallWorld world_;
  Callers callers_;
  Callees callees_;
  Hold hold_ = Hold::none;
  std::int64_t ringing_since_ns_ = 0;
  std::uint64_t answered_ = 0, finished_before_ = 0;
  std::string reflected_;
};

}  // namespace ringweir::load
