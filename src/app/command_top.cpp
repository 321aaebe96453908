#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <memory>
#include <thread>

#include "app/admin_option.h"
#include "app/output.h"
#include "app/upstream_table.h"

namespace ringweir::app {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  AdminOption admin;
  bool once = false;
  double interval_s = 1;
};

struct Sample {
  Json status, upstreams;
  Clock::time_point at;
};

std::expected<Sample, Refused> sample(const control::AdminClient& client) {
  Sample taken;
  auto status = get_json(client, "/api/v1/status");
  if (!status) return std::unexpected(status.error());
  auto upstreams = get_json(client, "/api/v1/upstreams");
  if (!upstreams) return std::unexpected(upstreams.error());
  taken.status = std::move(*status);
  taken.upstreams = std::move(upstreams->at("upstreams"));
  taken.at = Clock::now();
  return taken;
}

// What a counter of one shard gained, a second.
struct Rates {
  const Json& before;
  const Json& after;
  double seconds;

  double of(const char* name) const {
    const double was = before.value(name, 0.0), is = after.value(name, 0.0);
    return is > was && seconds > 0 ? (is - was) / seconds : 0;
  }
  double of_class(const char* name) const {
    return Rates{before.value("responses_by_class", Json::object()),
                 after.value("responses_by_class", Json::object()), seconds}
        .of(name);
  }
};

Row shard_row(const Rates& rates) {
  const auto whole = [](double n) { return fmt::format("{:.0f}", n); };
  Row row{fmt::format("{}", rates.after.value("shard", 0u)), fmt::format("{:.0f}%", rates.of("cpu_us") / 1e4),
          whole(rates.of("requests"))};
  for (const char* of_class : {"1xx", "2xx", "3xx", "4xx", "5xx", "6xx"})
    row.push_back(whole(rates.of_class(of_class)));
  row.push_back(fmt::format("{}", rates.after.value("transactions", std::uint64_t{0})));
  row.push_back(fmt::format("{}", rates.after.value("bindings", std::uint64_t{0})));
  // The mean over the interval of what messages had waited before they were decided.
  const double messages = rates.of("waits");
  row.push_back(messages > 0 ? short_time(static_cast<std::uint64_t>(rates.of("waited_us") / messages))
                             : "-");
  row.push_back(whole(rates.of("dropped") + rates.of("mailbox_full")));
  return row;
}

std::string screen(const Sample& before, const Sample& now) {
  const double seconds = std::chrono::duration<double>(now.at - before.at).count();
  std::uint64_t calls = 0;
  for (const Json& upstream : now.upstreams) {
    for (const Json& target : upstream.at("targets")) calls += target.value("calls", std::uint64_t{0});
  }
  std::string out = fmt::format("{} {}, up {}s, {}; {} calls open at upstreams, {} bindings\n\n",
                                now.status.value("name", ""), now.status.value("version", ""),
                                now.status.value("uptime_s", std::int64_t{0}),
                                now.status.value("ready", false) ? "ready" : "not ready", calls,
                                now.status.value("bindings", std::uint64_t{0}));
  const Json& old = before.status.at("shards");
  std::vector<Row> rows;
  for (std::size_t i = 0; i < now.status.at("shards").size() && i < old.size(); ++i) {
    rows.push_back(shard_row({old[i], now.status["shards"][i], seconds}));
  }
  out += table({"SHARD", "BUSY", "REQUESTS/S", "1XX/S", "2XX/S", "3XX/S", "4XX/S", "5XX/S", "6XX/S",
                "TRANSACTIONS", "BINDINGS", "QUEUE-DELAY", "DROPPED/S"},
               rows);
  if (!now.upstreams.empty()) out += '\n' + upstream_table(now.upstreams);
  return out;
}

int top(const Options& options) {
  int code = kDone;
  const auto client = options.admin.client(code);
  if (!client) return code;
  auto before = sample(*client);
  if (!before) return fail(kFailed, before.error().why);
  for (;;) {
    std::this_thread::sleep_for(std::chrono::duration<double>(options.interval_s));
    auto now = sample(*client);
    if (!now) return fail(kFailed, now.error().why);
    // Home, then clear what is below: clearing first would flicker.
    print((on_terminal() && !options.once ? "\x1b[H\x1b[J" : "") + screen(*before, *now) +
          (options.once ? "" : "\n"));
    if (options.once) return kDone;
    before = std::move(now);
  }
}

}  // namespace

void add_top(CLI::App& app, Outcome& outcome) {
  auto* command =
      app.add_subcommand("top", "load as it is: shards and upstreams, each second, until interrupted");
  const auto options = std::make_shared<Options>();
  command->add_flag("--once", options->once, "measure over one interval, print that, and end");
  command->add_option("--interval", options->interval_s, "seconds between looks")
      ->check(CLI::Range(0.05, 3600.0))
      ->capture_default_str();
  add_admin_option(*command, options->admin);
  command->footer("Example: ringweir top --once --interval 5");
  command->callback([options, &outcome] { outcome.code = top(*options); });
}

}  // namespace ringweir::app
