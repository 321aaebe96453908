#include "control/edge_process.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/random.h>

#include <algorithm>

#include "ringweir/control/config_changes.h"
#include "ringweir/control/config_users.h"
#include "ringweir/control/routes.h"
#include "ringweir/io/clock.h"
#include "ringweir/io/cpu.h"
#include "ringweir/io/pages.h"

namespace ringweir::control {
namespace {

constexpr Duration kPublishDeadline = 5s;
constexpr Duration kNamesDeadline = 3s;  // what a first answer of DNS is waited for; it may come later

template <class T>
void fill_random(T& value) {
  check(getrandom(&value, sizeof value, 0) == static_cast<ssize_t>(sizeof value), "the kernel gives random octets");
}

// Two independent halves of one secret: SipHash under two fixed keys.
Key128 derive_key(const Secret& secret) {
  const Hash128 hash = siphash128({0x72696e67, 0x77656972}, secret.reveal());
  return {hash.low, hash.high};
}

std::string plural(std::size_t n, std::string_view what) { return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s"); }

}  // namespace

Region::Region(std::size_t bytes, bool huge_pages)
    : size_(bytes),
      at_(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
  if (at_ == MAP_FAILED) throw std::bad_alloc();
  // PERF: random lookups in a million bindings take half the time (449 -> 199 ns in one run). A laptop's lab would only pay
  // the 2 MiB steps in resident memory.
  if (huge_pages) madvise(at_, size_, MADV_HUGEPAGE);
}
Region::~Region() { munmap(at_, size_); }

EdgeProcess::~EdgeProcess() { stop(); }

bool EdgeProcess::load(Config& config, std::shared_ptr<const auth::Credentials>& users, Diagnostics& problems) const {
  ConfigResult loaded = options_.lab ? load_config_text(lab_config_text(), "lab", std::filesystem::current_path())
                                     : load_config(options_.config);
  if (!loaded) {
    problems = std::move(loaded.error());
    return false;
  }
  auto credentials = load_users(*loaded, keys_.placement);
  if (!credentials) {
    problems = std::move(credentials.error());
    return false;
  }
  config = std::move(*loaded);
  users = std::move(*credentials);
  return true;
}

std::unique_ptr<shard::Snapshot> EdgeProcess::make_snapshot(const Config& config,
                                                            std::shared_ptr<const auth::Credentials> users) {
  auto snapshot = std::make_unique<shard::Snapshot>();
  snapshot->generation = ++generation_;
  snapshot->domains = make_domain_set(config, shards_->bound());
  snapshot->routes = make_route_table(config);
  snapshot->authenticates = users != nullptr;
  snapshot->methods_authenticated = make_method_set(config.auth);
  snapshot->auth = make_auth_policy(config.auth);
  if (users && !config.lab.enabled) {
    for (const auto table : users->memory()) io::gather_into_huge_pages(table);
  }
  snapshot->users = std::move(users);
  snapshot->registrar = make_registrar_policy(config.registrar);
  BuiltUpstreams built = make_upstreams(config, resolver_.book(), registry_, system_now(), generation_ > 1);
  for (const std::string& problem : built.problems) spdlog::error("{}", problem);
  snapshot->upstreams = std::move(built.upstreams);
  snapshot->sockets = make_sockets(config, shards_->bound());
  snapshot->sieve_hosts = make_sieve_hosts(config, snapshot->sockets);
  snapshot->proxy = make_proxy_policy(config.proxy);
  snapshot->route_key = make_route_key(config.keys, keys_.route);
  snapshot->limits = make_limits_policy(config.limits);
  snapshot->message_bytes_max = config.limits.max_message;
  snapshot->server = "ringweir/" RINGWEIR_VERSION;
  return snapshot;
}

// State and sockets, no thread yet.
std::optional<int> EdgeProcess::open() {
  const std::uint32_t shards = config_.node.shards ? config_.node.shards : io::usable_cpus();
  if (!config_.keys.secret.empty()) keys_.nonce = derive_key(config_.keys.secret);

  const location::Config places{shards, config_.registrar.max_bindings, keys_.directory};
  region_.emplace(location::Directory::region_bytes(places), !config_.lab.enabled);
  directory_.emplace(places, region_->bytes());
  window_.emplace(shards);
  if (!config_.lab.enabled) io::prefer_huge_pages(window_->memory());
  shard::SharedOptions options;
  options.shards = shards;
  options.trace_entries = std::max(config_.trace.ring / shards, 1u);
  options.placement_key = keys_.placement;
  options.nonce_key = keys_.nonce;
  options.started_ms = io::wall_now_ms();
  options.process = keys_.process;
  options.huge_pages = !config_.lab.enabled;
  shared_.emplace(options, *directory_, *window_);
  if (config_.trace.recording) {
    for (auto& face : shared_->faces) face->trace.start();
  }

  ShardThreadsOptions threads;
  threads.shards = shards;
  threads.pin = config_.node.pin;
  threads.send_trains = config_.node.send_trains;
  threads.io = config_.node.io;
  for (const Listener& listener : config_.listeners) threads.binds.push_back(listener.bind);
  auto opened = ShardThreads::open(*shared_, threads);
  if (!opened) {
    fmt::print(stderr, "ringweir: {}\n", opened.error().what);
    return 1;
  }
  shards_ = std::move(*opened);
  return std::nullopt;
}

bool EdgeProcess::open_admin() {
  view_.emplace(ProcessView{.shared = *shared_,
                            .directory = *directory_,
                            .drivers = shards_->counters(),
                            .io_backend = shards_->backend(),
                            .io_reason = shards_->reason(),
                            .node = config_.node.name,
                            .listeners = {},
                            .started_ms = shared_->started_ms,
                            .ready = ready_,
                            .why_not_ready = [this] { return std::string(draining_ ? "draining" : ready_ ? "" : "starting or stopping"); },
                            .users = [this] { return current()->users; },
                            .reload = [this] { return reload(); },
                            .snapshot = [this] { return current(); },
                            .shard_cpu = [this] { return shards_->cpu_used(); },
                            .prober = &prober_,
                            .resolver = &resolver_,
                            .now = system_now,
                            .wall_ms = system_wall_ms});
  for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
    view_->listeners.push_back({config_.listeners[i].name, shards_->bound()[i], {"udp"}});
  }
  if (!config_.admin.bind) return true;
  admin_ = std::make_unique<AdminServer>(*view_);
  const io::Opened opened = admin_->start(*config_.admin.bind);
  if (!opened) fmt::print(stderr, "ringweir: admin: {}\n", opened.error().what);
  return opened.has_value();
}

std::optional<int> EdgeProcess::start() {
  fill_random(keys_);
  Diagnostics problems;
  std::shared_ptr<const auth::Credentials> users;
  if (!load(config_, users, problems)) {
    for (const Diagnostic& problem : problems) fmt::print(stderr, "{}\n", to_string(problem));
    return 2;
  }
  if (const auto code = open()) return code;
  if (const io::Opened resolving = resolver_.start([this] { follow_names(); }); !resolving) {
    fmt::print(stderr, "ringweir: {}\n", resolving.error().what);
    return 1;
  }
  resolver_.watch(names_in(config_), config_.dns, families_of(config_));
  for (const Name& name : resolver_.wait_for_first(kNamesDeadline)) {
    spdlog::warn("upstreams: {} has no address yet", name.first);
  }
  become_current(make_snapshot(config_, std::move(users)));
  if (const io::Opened started = shards_->start(*current()); !started) {
    fmt::print(stderr, "ringweir: {}\n", started.error().what);
    return 1;
  }
  if (const io::Opened probing = prober_.start(); !probing) {
    fmt::print(stderr, "ringweir: {}\n", probing.error().what);
    return 1;
  }
  {
    // What DNS said since the first snapshot was built is in the next one.
    const std::lock_guard lock(publishing_);
    started_ = true;
    prober_.watch(probe_targets(config_, current()->upstreams));
  }
  if (!names_in(config_).empty()) follow_names();
  if (!open_admin()) return 1;
  ready_ = true;
  announce();
  return std::nullopt;
}

void EdgeProcess::announce() const {
  if (shards_->backend() == "epoll" && !shards_->reason().empty()) {
    spdlog::warn("io_uring is not available here ({}); using epoll", shards_->reason());
  }
  for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
    spdlog::info("listening on udp {} ({})", to_string(shards_->bound()[i]), config_.listeners[i].name);
  }
  if (admin_) spdlog::info("admin on http://{}", to_string(admin_->endpoint()));
  spdlog::info("ready: {} on {}, {}", plural(shared_->faces.size(), "shard"), shards_->backend(),
               current()->users ? plural(current()->users->size(), "user") : "no authentication");
}

std::shared_ptr<const shard::Snapshot> EdgeProcess::current() const {
  const std::lock_guard lock(current_);
  return snapshot_;
}

void EdgeProcess::become_current(std::shared_ptr<const shard::Snapshot> snapshot) {
  const std::lock_guard lock(current_);
  snapshot_ = std::move(snapshot);
}

// Shards read `next` from now on. False when one has not said so yet.
bool EdgeProcess::publish(std::shared_ptr<const shard::Snapshot> next) {
  const bool adopted = shards_->publish(*next, kPublishDeadline);
  // A shard that does not turn may still read the old one: it stays for good rather than be freed under it.
  if (!adopted) kept_.push_back(current());
  become_current(std::move(next));
  prober_.watch(probe_targets(config_, current()->upstreams));
  return adopted;
}

// DNS says something new: the same configuration with other targets.
void EdgeProcess::follow_names() {
  const std::lock_guard lock(publishing_);
  const auto old = current();
  if (!old || !started_) return;  // start() builds from what is known then
  publish(make_snapshot(config_, old->users));
}

ReloadReport EdgeProcess::reload() {
  const std::lock_guard one_at_a_time(loading_);
  ReloadReport report;
  Config next;
  std::shared_ptr<const auth::Credentials> users;
  Diagnostics problems;
  if (!load(next, users, problems)) {
    for (const Diagnostic& problem : problems) report.lines.push_back(to_string(problem));
    return report;
  }
  const Changes changes = describe_changes(config_, next);
  if (!changes.needs_restart.empty()) {
    report.lines = changes.needs_restart;
    return report;
  }
  report.lines = changes.applied;
  const auto old = current();
  const std::size_t before = old->users ? old->users->size() : 0;
  const std::size_t after = users ? users->size() : 0;
  report.lines.push_back(before == after ? fmt::format("users: {}", after) : fmt::format("users: {} -> {}", before, after));
  std::vector<Name> names = names_in(next);  // and those of the old one, which is in use until the new one is
  for (Name& name : names_in(config_)) names.push_back(std::move(name));
  resolver_.watch(names, next.dns, families_of(next));
  for (const Name& name : resolver_.wait_for_first(kNamesDeadline)) report.lines.push_back(name.first + " has no address yet");
  const std::lock_guard lock(publishing_);
  config_ = std::move(next);
  if (!publish(make_snapshot(config_, std::move(users)))) {
    report.lines.push_back("a shard has not answered yet; it takes the new configuration at its next turn");
  }
  resolver_.watch(names_in(config_), config_.dns, families_of(config_));
  report.done = true;
  return report;
}

void EdgeProcess::begin_drain() {
  draining_ = true;
  ready_ = false;
  for (auto& face : shared_->faces) face->draining.store(true, std::memory_order_relaxed);
}

Duration EdgeProcess::drain_time() {
  const std::lock_guard lock(publishing_);
  return config_.node.drain;
}

std::uint64_t EdgeProcess::unanswered() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& face : shared_->faces) sum += face->transactions.load(std::memory_order_relaxed);
  return sum;
}

void EdgeProcess::stop() {
  ready_ = false;
  if (admin_) admin_->stop();
  resolver_.stop();
  prober_.stop();
  if (shards_) shards_->stop();
}

}  // namespace ringweir::control
