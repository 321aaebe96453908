// How metrics are collected: a family at a time, counters summed over the shards.
#pragma once
#include <prometheus/metric_family.h>

#include <cstdint>
#include <string>
#include <vector>

#include "ringweir/control/process.h"

namespace ringweir::control {

using Labels = std::vector<prometheus::ClientMetric::Label>;

// One family, filled sample by sample.
class Family {
 public:
  Family(std::vector<prometheus::MetricFamily>& all, prometheus::MetricType type, std::string name,
         std::string help)
      : all_(all) {
    family_.name = std::move(name);
    family_.help = std::move(help);
    family_.type = type;
  }
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;
  ~Family() { all_.push_back(std::move(family_)); }

  Family& add(double value, Labels labels = {}) {
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    if (family_.type == prometheus::MetricType::Counter) metric.counter.value = value;
    if (family_.type == prometheus::MetricType::Gauge) metric.gauge.value = value;
    family_.metric.push_back(std::move(metric));
    return *this;
  }
  Family& add(prometheus::ClientMetric metric) {
    family_.metric.push_back(std::move(metric));
    return *this;
  }
  Family& add(std::uint64_t value, Labels labels = {}) {
    return add(static_cast<double>(value), std::move(labels));
  }

 private:
  std::vector<prometheus::MetricFamily>& all_;
  prometheus::MetricFamily family_;
};

// Sums over the shards.
struct Sums {
  const ProcessView& process;

  template <class Pick>  // Counters -> const Counter&
  std::uint64_t of(Pick pick) const {
    std::uint64_t sum = 0;
    for (const auto& face : process.shared.faces) sum += pick(face->counters).read();
    return sum;
  }
  std::uint64_t io(Counter io::DriverCounters::*counter) const {
    std::uint64_t sum = 0;
    for (const io::DriverCounters* driver : process.drivers) sum += (driver->*counter).read();
    return sum;
  }
  std::uint64_t plain(Counter shard::Counters::*counter) const {
    return of([counter](const shard::Counters& counters) -> const Counter& { return counters.*counter; });
  }
};

}  // namespace ringweir::control
