#include "app/upstream_table.h"

#include <fmt/format.h>

#include "app/output.h"
#include "ringweir/control/trace_view.h"

namespace ringweir::app {
namespace {

using Json = nlohmann::ordered_json;

std::string number(const Json& json, const char* name) {
  return std::to_string(json.value(name, std::uint64_t{0}));
}

std::string probe_of(const Json& target) {
  const Json& last = target.at("last_probe");
  if (last.is_null()) return "none";
  const std::string what =
      last.contains("status") ? std::to_string(last["status"].get<int>()) : last.value("outcome", "");
  return fmt::format("{} {} ago", what, short_time(last.value("ago_ms", std::uint64_t{0}) * 1'000));
}

std::string state_of(const Json& target) {
  std::string state = target.value("state", "");
  if (target.contains("ejected")) state += " (" + target["ejected"].value("cause", "") + ")";
  return state;
}

}  // namespace

std::string short_time(std::uint64_t us) {
  if (us < 1'000) return fmt::format("{}us", us);
  if (us < 1'000'000) return fmt::format("{:.1f}ms", static_cast<double>(us) / 1e3);
  return us < 100'000'000 ? fmt::format("{:.1f}s", static_cast<double>(us) / 1e6)
                          : fmt::format("{}s", us / 1'000'000);
}

std::string upstream_table(const Json& upstreams) {
  std::vector<Row> rows;
  for (const Json& upstream : upstreams) {
    for (const Json& target : upstream.at("targets")) {
      Row row{upstream.value("name", ""),
              control::printable(target.value("uri", "")),
              target.value("endpoint", ""),
              state_of(target),
              number(target, "weight"),
              number(target, "priority"),
              number(target, "calls"),
              number(target, "in_flight"),
              short_time(target.value("ewma_us", std::uint64_t{0}))};
      for (const char* of_class : {"1xx", "2xx", "3xx", "4xx", "5xx", "6xx"})
        row.push_back(number(target["responses"], of_class));
      row.push_back(number(target, "failovers"));
      row.push_back(probe_of(target));
      rows.push_back(std::move(row));
    }
    if (upstream.at("targets").empty()) rows.push_back({upstream.value("name", ""), "-", "-", "no target"});
  }
  return table({"UPSTREAM", "TARGET", "ENDPOINT", "STATE", "WEIGHT", "PRIO", "CALLS", "IN-FLIGHT", "EWMA",
                "1XX", "2XX", "3XX", "4XX", "5XX", "6XX", "FAILOVERS", "LAST-PROBE"},
               rows);
}

}  // namespace ringweir::app
