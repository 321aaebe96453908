// The metrics of forwarding: transactions, upstreams and their targets, probes.
#pragma once
#include "control/metrics_family.h"

namespace ringweir::control {

void collect_proxy(std::vector<prometheus::MetricFamily>& all, const Sums& sums);
void collect_upstreams(std::vector<prometheus::MetricFamily>& all, const ProcessView& process);

}  // namespace ringweir::control
