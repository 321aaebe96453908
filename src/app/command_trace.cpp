#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <ctime>
#include <memory>
#include <set>

#include "app/admin_option.h"
#include "app/output.h"
#include "ringweir/control/trace_view.h"

namespace ringweir::app {
namespace {

struct Options {
  AdminOption admin;
  OutputOption output;
  std::string call_id;
  std::uint64_t count = 0;  // 0: until interrupted
  bool full = false;
  bool on = false;
};

control::TraceStyle style_of_terminal() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return {on_terminal(), static_cast<std::int32_t>(local.tm_gmtoff)};
}

shard::TraceEntry entry_of(const Json& json) {
  shard::TraceEntry entry;
  entry.sequence = json.value("sequence", std::uint64_t{0});
  entry.wall_us = json.value("time_us", std::int64_t{0});
  entry.direction = json.value("direction", "in") == "in" ? shard::Direction::in : shard::Direction::out;
  entry.shard = json.value("shard", 0u);
  entry.peer = parse_endpoint(json.value("peer", "")).value_or(Endpoint{});
  entry.local = parse_endpoint(json.value("local", "")).value_or(Endpoint{});
  entry.text = json.value("text", "");
  return entry;
}

int tail(const Options& options) {
  int code = kDone;
  const auto client = options.admin.client(code);
  if (!client) return code;
  const control::TraceStyle style = style_of_terminal();
  std::uint64_t shown = 0;
  const auto followed = client->follow("/api/v1/trace?follow=1", [&](std::string_view line) {
    if (line.empty()) return true;
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_discarded()) return true;
    if (json.contains("lost")) {
      fmt::print(stderr, "... {} messages passed too fast to be shown\n", json["lost"].get<std::uint64_t>());
      return true;
    }
    if (options.output.json()) {
      print(std::string(line) + '\n');
    } else {
      const shard::TraceEntry entry = entry_of(json);
      print(options.full ? render_message_full(entry, style) : render_message(entry, style));
    }
    return options.count == 0 || ++shown < options.count;
  });
  if (!followed) return fail(kFailed, followed.error());
  if (options.count == 0 || shown < options.count) return fail(kFailed, "ringweir ended the trace");
  return kDone;
}

struct Found {
  Json entries = Json::array();
  bool recording = false;
};

std::expected<Found, Refused> find(const control::AdminClient& client, const std::string& call_id, bool prefix) {
  Found found;
  std::string since;
  bool more = true;
  while (more) {
    std::string target = "/api/v1/trace?limit=1000&call_id=" + control::encode_component(call_id);
    if (prefix) target += "&match=prefix";
    if (!since.empty()) target += "&since=" + since;
    const auto page = get_json(client, target);
    if (!page) return std::unexpected(page.error());
    for (const Json& entry : page->at("entries")) found.entries.push_back(entry);
    found.recording = page->value("recording", false);
    more = page->value("more", false);
    since = page->value("next", "");
  }
  return found;
}

// What the upstreams call their targets. Only names: without an answer the ladder has addresses.
std::vector<control::PeerName> target_names(const control::AdminClient& client) {
  std::vector<control::PeerName> names;
  const auto answer = get_json(client, "/api/v1/upstreams");
  if (!answer) return names;
  for (const Json& upstream : answer->value("upstreams", Json::array())) {
    for (const Json& target : upstream.value("targets", Json::array())) {
      const auto peer = parse_endpoint(target.value("endpoint", ""));
      if (peer) names.push_back({*peer, upstream.value("name", "")});
    }
  }
  return names;
}

int call(const Options& options) {
  int code = kDone;
  const auto client = options.admin.client(code);
  if (!client) return code;
  auto found = find(*client, options.call_id, false);
  if (found && found->entries.empty()) found = find(*client, options.call_id, true);
  if (!found) return fail(kFailed, found.error().why);
  std::set<std::string> ids;
  for (const Json& entry : found->entries) ids.insert(entry.value("call_id", ""));
  if (ids.size() > 1) {
    std::string list;
    std::size_t n = 0;
    for (const std::string& id : ids) {
      if (++n <= 10) list += "\n  " + control::printable(id);
    }
    return fail(kFailed, fmt::format("{} calls begin so:{}{}", ids.size(), list, n > 10 ? "\n  ..." : ""));
  }
  if (ids.empty()) {
    return fail(kFailed, "no message of that Call-ID is kept" +
                             std::string(found->recording ? "" : "; nothing is being recorded: `ringweir trace record on`"));
  }
  if (options.output.json()) {
    print(found->entries.dump(2) + '\n');
    return kDone;
  }
  std::vector<shard::TraceEntry> entries;
  for (const Json& entry : found->entries) entries.push_back(entry_of(entry));
  const control::TraceStyle style = style_of_terminal();
  print(render_ladder(*ids.begin(), entries, style, target_names(*client)));
  if (options.full) {
    print("\n");
    for (const shard::TraceEntry& entry : entries) print(render_message_full(entry, style));
  }
  return kDone;
}

int record(const Options& options) {
  int code = kDone;
  const auto client = options.admin.client(code);
  if (!client) return code;
  const auto answer = post_json(*client, std::string("/api/v1/trace/recording?on=") + (options.on ? "1" : "0"));
  if (!answer) return fail(kFailed, answer.error().why);
  print(answer->value("recording", false) ? "recording\n" : "not recording\n");
  return kDone;
}

}  // namespace

void add_trace(CLI::App& app, Outcome& outcome) {
  auto* trace = app.add_subcommand("trace", "the messages themselves");
  trace->require_subcommand(1);
  trace->footer("Example: ringweir trace tail -v");
  const auto options = std::make_shared<Options>();

  auto* tailing = trace->add_subcommand("tail", "every message from now on, a line each, until interrupted");
  tailing->add_flag("-v,--verbose", options->full, "with the whole text");
  tailing->add_option("--count", options->count, "stop after so many")->check(CLI::PositiveNumber);
  tailing->footer("Example: ringweir trace tail --count 20");
  tailing->callback([options, &outcome] { outcome.code = tail(*options); });

  auto* calling = trace->add_subcommand("call", "the ladder of one call");
  calling->add_option("CALL-ID", options->call_id, "whole, or as much of its beginning as no other call shares")->required();
  calling->add_flag("-v,--verbose", options->full, "with the whole text of each message");
  calling->footer("Example: ringweir trace call MDhjYTg0");
  calling->callback([options, &outcome] { outcome.code = call(*options); });

  auto* recording = trace->add_subcommand("record", "keep recording while nobody follows, for `trace call`; or stop that");
  recording->add_option("STATE", options->on, "on or off")->required();
  recording->footer("Example: ringweir trace record on");
  recording->callback([options, &outcome] { outcome.code = record(*options); });

  for (auto* command : {tailing, calling, recording}) add_admin_option(*command, options->admin);
  for (auto* command : {tailing, calling}) add_output_option(*command, options->output);
}

}  // namespace ringweir::app
