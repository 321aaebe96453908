// The figures of a process in Prometheus' own model. Counters live in the shards, one writer each; they are summed when
// somebody scrapes, so that nothing is paid for on the message path.
#pragma once
#include <prometheus/collectable.h>

#include <string>
#include <vector>

#include "ringweir/control/process.h"

namespace ringweir::control {

class ProcessMetrics : public prometheus::Collectable {
 public:
  explicit ProcessMetrics(const ProcessView& process) : process_(process) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const ProcessView& process_;
};

// All of it in the text exposition format, version 0.0.4.
std::string metrics_text(const ProcessView& process);
inline constexpr const char* kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace ringweir::control
