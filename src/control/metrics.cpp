#include "ringweir/control/metrics.h"

#include <prometheus/text_serializer.h>

#include <chrono>
#include <limits>
#include <span>

#include "control/metrics_family.h"
#include "control/metrics_host.h"
#include "control/metrics_proxy.h"
#include "ringweir/auth/authenticate.h"

namespace ringweir::control {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr const char* kDropped[] = {"garbage",      "no_call_id",     "unanswerable", "stray_response", "stray_ack",
                                    "mailbox_full", "no_send_buffer", "oversized_answer", "overload", "source_limit", "failed_source"};
static_assert(std::size(kDropped) == static_cast<std::size_t>(shard::Dropped::count_));

// By shard::Load; what is never shed has none.
constexpr const char* kShed[] = {nullptr, nullptr, "other", "registration_begun", "registration", "dialog"};
static_assert(std::size(kShed) == shard::kLoads);

constexpr const char* name_of(registrar::Result result) noexcept {
  switch (result) {
    case registrar::Result::updated: return "updated";
    case registrar::Result::queried: return "queried";
    case registrar::Result::bad_contact: return "bad_contact";
    case registrar::Result::bad_wildcard: return "bad_wildcard";
    case registrar::Result::interval_too_brief: return "interval_too_brief";
    case registrar::Result::out_of_order: return "out_of_order";
    case registrar::Result::too_many_contacts: return "too_many_contacts";
    case registrar::Result::too_long: return "too_long";
    case registrar::Result::no_memory: return "no_memory";
  }
  return "unknown";
}

void collect_sip(std::vector<MetricFamily>& all, const Sums& sums) {
  const auto counter = [&](const char* name, const char* help) { return Family(all, MetricType::Counter, name, help); };
  {
    Family requests = counter("ringweir_sip_requests_total", "Requests decided, by method.");
    for (std::size_t i = 0; i < sip::kMethods; ++i) {
      const auto method = static_cast<sip::Method>(i);
      const std::string label(method == sip::Method::unknown ? "other" : sip::to_string(method));
      requests.add(sums.of([i](const shard::Counters& c) -> const Counter& { return c.requests[i]; }),
                   {{"method", label}, {"transport", "udp"}});
    }
  }
  {
    Family responses = counter("ringweir_sip_responses_total",
                               "Responses sent, by status code, and responses received (of any code).");
    responses.add(sums.plain(&shard::Counters::responses_received), {{"code", "any"}, {"direction", "in"}});
    for (std::size_t i = 100; i < 700; ++i) {
      const std::uint64_t sent = sums.of([i](const shard::Counters& c) -> const Counter& { return c.responses_sent[i]; });
      if (sent > 0) responses.add(sent, {{"code", std::to_string(i)}, {"direction", "out"}});
    }
  }
  {
    Family dropped = counter("ringweir_sip_dropped_total", "Datagrams that ended in silence, by reason.");
    for (std::size_t i = 0; i < std::size(kDropped); ++i) {
      dropped.add(sums.of([i](const shard::Counters& c) -> const Counter& { return c.dropped[i]; }),
                  {{"reason", kDropped[i]}});
    }
  }
  {
    Family shed = counter("ringweir_shed_total", "Requests turned away, by reason; of overload by what they would have begun.");
    for (std::size_t i = 0; i < shard::kLoads; ++i) {
      if (kShed[i] == nullptr) continue;
      shed.add(sums.of([i](const shard::Counters& c) -> const Counter& { return c.shed[i]; }),
               {{"reason", "overload"}, {"begins", kShed[i]}, {"answer", "503"}});
      shed.add(sums.of([i](const shard::Counters& c) -> const Counter& { return c.shed_silently[i]; }),
               {{"reason", "overload"}, {"begins", kShed[i]}, {"answer", "none"}});
    }
    const auto dropped = [](shard::Dropped why) {
      return [why](const shard::Counters& c) -> const Counter& { return c.dropped[static_cast<std::size_t>(why)]; };
    };
    shed.add(sums.of(dropped(shard::Dropped::source_limit)), {{"reason", "source_limit"}, {"begins", "any"}, {"answer", "none"}});
    shed.add(sums.plain(&shard::Counters::throttled), {{"reason", "failed_auth"}, {"begins", "any"}, {"answer", "any"}});
    shed.add(sums.plain(&shard::Counters::mailbox_full), {{"reason", "mailbox_full"}, {"begins", "any"}, {"answer", "any"}});
  }
  {
    Family waits(all, MetricType::Histogram, "ringweir_queue_delay_seconds",
                 "How long messages had waited in the kernel and between shards; the first class is not measured apart.");
    prometheus::ClientMetric metric;
    std::uint64_t below = 0;
    for (std::size_t i = 0; i <= shard::kWaitBounds.size(); ++i) {
      below += sums.of([i](const shard::Counters& c) -> const Counter& { return c.waits[i]; });
      const bool has_bound = i < shard::kWaitBounds.size();
      metric.histogram.bucket.push_back(
          {below, has_bound ? std::chrono::duration<double>(shard::kWaitBounds[i]).count()
                            : std::numeric_limits<double>::infinity()});
    }
    metric.histogram.sample_count = below;
    metric.histogram.sample_sum = static_cast<double>(sums.plain(&shard::Counters::waits_us)) / 1e6;
    waits.add(std::move(metric));
  }
  counter("ringweir_sip_malformed_total", "Malformed requests that were answered so.")
      .add(sums.plain(&shard::Counters::malformed));
  counter("ringweir_sip_retransmissions_total", "Retransmitted requests absorbed.")
      .add(sums.plain(&shard::Counters::retransmissions));
  counter("ringweir_sip_keep_alives_total", "CRLF keep-alives received.").add(sums.plain(&shard::Counters::keep_alives));
}

void collect_registrar(std::vector<MetricFamily>& all, const Sums& sums) {
  {
    Family auth(all, MetricType::Counter, "ringweir_auth_total", "Decisions on credentials, by result.");
    for (std::size_t i = 0; i < static_cast<std::size_t>(auth::Reason::count_); ++i) {
      auth.add(sums.of([i](const shard::Counters& c) -> const Counter& { return c.authentications[i]; }),
               {{"result", std::string(to_string(static_cast<auth::Reason>(i)))}});
    }
  }
  {
    Family registrations(all, MetricType::Counter, "ringweir_registrations_total", "REGISTERs handled, by result.");
    for (std::size_t i = 0; i < registrar::kResults; ++i) {
      registrations.add(sums.of([i](const shard::Counters& c) -> const Counter& { return c.registrations[i]; }),
                        {{"result", name_of(static_cast<registrar::Result>(i))}});
    }
  }
  std::uint64_t bindings = 0;
  for (const auto& face : sums.process.shared.faces) bindings += face->bindings.load(std::memory_order_relaxed);
  Family(all, MetricType::Gauge, "ringweir_bindings", "Contacts registered now.").add(bindings);
  Family(all, MetricType::Gauge, "ringweir_aors", "Addresses of record with a binding.")
      .add(sums.process.directory.aors());
  Family(all, MetricType::Gauge, "ringweir_location_bytes", "Memory in use by bindings and the directory.")
      .add(sums.process.directory.bytes_used());
}

void collect_io(std::vector<MetricFamily>& all, const Sums& sums) {
  using Io = io::DriverCounters;
  const auto family = [&](const char* name, const char* help) { return Family(all, MetricType::Counter, name, help); };
  family("ringweir_datagrams_total", "Datagrams received and sent.")
      .add(sums.io(&Io::datagrams_in), {{"direction", "in"}})
      .add(sums.io(&Io::datagrams_out), {{"direction", "out"}});
  family("ringweir_bytes_total", "Octets received and sent, as datagram payload.")
      .add(sums.io(&Io::bytes_in), {{"direction", "in"}})
      .add(sums.io(&Io::bytes_out), {{"direction", "out"}});
  family("ringweir_send_trains_total", "Sends of several datagrams at once, and those the kernel refused (sent one by one).")
      .add(sums.io(&Io::trains), {{"outcome", "asked"}})
      .add(sums.io(&Io::trains_refused), {{"outcome", "refused"}});
  family("ringweir_io_errors_total", "What the sockets and their buffers refused, by kind.")
      .add(sums.io(&Io::send_errors), {{"kind", "send"}})
      .add(sums.io(&Io::send_buffers_exhausted), {{"kind", "send_buffers_exhausted"}})
      .add(sums.io(&Io::receive_buffers_exhausted), {{"kind", "receive_buffers_exhausted"}})
      .add(sums.io(&Io::queue_overflows), {{"kind", "queue_overflow"}})
      .add(sums.io(&Io::truncated), {{"kind", "truncated"}});
  family("ringweir_unreachable_total", "Peers reported unreachable by the network: ICMP, or no route.")
      .add(sums.io(&Io::unreachable));
  family("ringweir_turns_total", "Turns of the shards' loops.")
      .add(sums.io(&Io::turns));
  Family(all, MetricType::Gauge, "ringweir_io_backend_info", "The driver in use, and why not the better one.")
      .add(1.0, {{"backend", sums.process.io_backend}, {"reason", sums.process.io_reason}});
}

void collect_shards(std::vector<MetricFamily>& all, const Sums& sums) {
  Family(all, MetricType::Counter, "ringweir_mailbox_handed_over_total", "Messages received by one shard and owned by another.")
      .add(sums.plain(&shard::Counters::handed_over));
  Family(all, MetricType::Counter, "ringweir_mailbox_full_total", "Messages shed because the owner had no room.")
      .add(sums.plain(&shard::Counters::mailbox_full));
  Family(all, MetricType::Gauge, "ringweir_shards", "Shards, each a thread.").add(std::uint64_t{sums.process.shards()});
  Family(all, MetricType::Gauge, "ringweir_ready", "1 while /readyz says so.")
      .add(sums.process.ready.load(std::memory_order_acquire) ? 1.0 : 0.0);
  Family(all, MetricType::Gauge, "ringweir_build_info", "The version that runs.")
      .add(1.0, {{"version", sums.process.version}});
  if (sums.process.shard_cpu) {
    Family cpu(all, MetricType::Counter, "ringweir_shard_cpu_seconds_total", "Processor time of each shard's thread.");
    const std::vector<Duration> used = sums.process.shard_cpu();
    for (std::size_t i = 0; i < used.size(); ++i) {
      cpu.add(std::chrono::duration<double>(used[i]).count(), {{"shard", std::to_string(i)}});
    }
  }
  if (const auto users = sums.process.users ? sums.process.users() : nullptr) {
    Family(all, MetricType::Gauge, "ringweir_users", "Users who may authenticate.").add(std::uint64_t{users->size()});
  }
}

// The names that Prometheus' own client libraries use.
void collect_host(std::vector<MetricFamily>& all, const ProcessView& process) {
  const HostFigures host = read_host_figures();
  const auto gauge = [&](const char* name, const char* help) { return Family(all, MetricType::Gauge, name, help); };
  Family(all, MetricType::Counter, "process_cpu_seconds_total", "User and system CPU time.").add(host.cpu_seconds);
  gauge("process_resident_memory_bytes", "Resident memory.").add(host.resident_bytes);
  gauge("process_virtual_memory_bytes", "Address space in use.").add(host.virtual_bytes);
  gauge("process_open_fds", "Open file descriptors.").add(host.open_fds);
  gauge("process_max_fds", "File descriptors allowed.").add(host.max_fds);
  gauge("process_threads", "Threads.").add(host.threads);
  gauge("process_start_time_seconds", "When the process started, in seconds since 1970.")
      .add(static_cast<double>(process.started_ms) / 1000);
}

}  // namespace

std::vector<MetricFamily> ProcessMetrics::Collect() const {
  std::vector<MetricFamily> all;
  const Sums sums{process_};
  collect_sip(all, sums);
  collect_registrar(all, sums);
  collect_proxy(all, sums);
  collect_upstreams(all, process_);
  collect_io(all, sums);
  collect_shards(all, sums);
  collect_host(all, process_);
  return all;
}

std::string metrics_text(const ProcessView& process) {
  return prometheus::TextSerializer{}.Serialize(ProcessMetrics(process).Collect());
}

}  // namespace ringweir::control
