#include "ringweir/control/prober.h"

#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "ringweir/base/check.h"
#include "ringweir/base/random.h"
#include "ringweir/control/probe_message.h"
#include "ringweir/control/upstreams.h"
#include "ringweir/io/clock.h"
#include "ringweir/io/sockaddr.h"
#include "ringweir/io/socket.h"

namespace ringweir::control {
namespace {

constexpr Duration kT1 = 500ms, kT2 = 4s;  // RFC 3261 17.1.2.1, timer E
constexpr Duration kRetryNoSocket = 1s;
constexpr std::uint64_t kWakeTag = UINT64_MAX;
constexpr int kEventsMax = 64;

using Key = std::pair<std::string, Endpoint>;

std::uint64_t random_word() {
  std::uint64_t word = 0;
  check(getrandom(&word, sizeof word, 0) == sizeof word, "the kernel gives random octets");
  return word;
}

// A connected socket and the address it got; nullopt with errno set.
std::optional<std::pair<io::OwnedFd, Endpoint>> connect_to(const Endpoint& to) {
  const bool v6 = !to.ip.is_v4();
  io::OwnedFd fd(::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return std::nullopt;
  io::SocketName name;
  const socklen_t size = io::name_of(to, v6, name);
  if (::connect(fd.get(), &name.any, size) != 0) return std::nullopt;
  socklen_t room = sizeof name;
  if (::getsockname(fd.get(), &name.any, &room) != 0) return std::nullopt;
  return std::pair(std::move(fd), v6 ? io::endpoint_v6(&name) : io::endpoint_v4(&name));
}

bool means_unreachable(int error) noexcept {
  return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH || error == EHOSTDOWN;
}

}  // namespace

std::string_view to_string(ProbeOutcome outcome) noexcept {
  constexpr std::string_view kNames[] = {"answered", "bad_status", "timeout", "unreachable", "not_sent"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(ProbeOutcome::count_));
  return kNames[static_cast<std::size_t>(outcome)];
}

std::vector<ProbeTarget> probe_targets(const Config& config, std::span<const balance::Upstream> upstreams) {
  std::vector<ProbeTarget> targets;
  for (std::size_t i = 0; i < config.upstreams.size() && i < upstreams.size(); ++i) {
    const Health& health = config.upstreams[i].health;
    balance::StatusSet bad;
    for (const std::uint16_t code : health.passive ? health.passive->codes : PassiveHealth{}.codes)
      bad.add(code);
    for (const balance::Target& target : upstreams[i].targets()) {
      targets.push_back({config.upstreams[i].name, target.endpoint, target.uri, target.state, health.method,
                         health.timeout, make_probing(health), bad});
    }
  }
  return targets;
}

// One probe that waits for its answer.
struct InFlight {
  io::OwnedFd fd;
  ProbeMessage message;
  std::string text;
  Instant sent, deadline, again;
  Duration interval = kT1;
};

struct Watched {
  ProbeTarget target;
  Instant next{};
  std::optional<InFlight> in_flight;
  std::optional<LastProbe> last;
  std::uint64_t id = 0;  // of epoll's events; never used twice

  Instant due() const noexcept { return in_flight ? std::min(in_flight->again, in_flight->deadline) : next; }
};

struct Prober::Running {
  explicit Running(Prober& owner) : counts(owner.counts_), random(random_word()) {}

  void run();
  int harvest();
  void serve(Instant now);
  void begin(Watched& watched, Instant now);
  void send(Watched& watched, Instant now);
  void hear(Watched& watched, Instant now);
  void end(Watched& watched, ProbeOutcome outcome, std::uint16_t status, Instant now);
  void reschedule(Watched& watched);
  void watch(std::vector<ProbeTarget> targets);
  Instant next_due() const { return turns.empty() ? Instant::max() : turns.begin()->first; }

  decltype(Prober::counts_)& counts;
  mutable std::mutex mutex;  // held by the thread but while it waits, and by whoever asks
  std::map<Key, Watched> all;
  std::map<std::uint64_t, Watched*> by_id;
  std::set<std::pair<Instant, std::uint64_t>> turns;  // what is due when, by id
  std::map<std::uint64_t, Instant> turn_of;
  std::size_t in_flight = 0;
  std::uint64_t next_id = 0;
  Random random;
  io::OwnedFd epoll, wake;
  std::atomic<bool> stopping{false};
  std::thread thread;
};

void Prober::Running::reschedule(Watched& watched) {
  if (const auto found = turn_of.find(watched.id); found != turn_of.end())
    turns.erase({found->second, watched.id});
  const Instant due = watched.due();
  turn_of[watched.id] = due;
  turns.emplace(due, watched.id);
}

void Prober::Running::watch(std::vector<ProbeTarget> targets) {
  const Instant now = io::monotonic_now();
  std::set<Key> wanted;
  for (ProbeTarget& target : targets) {
    Key key{target.upstream, target.endpoint};
    if (target.probing.every <= Duration::zero() || !wanted.insert(key).second) continue;
    const auto [at, is_new] = all.try_emplace(key);
    Watched& watched = at->second;
    const bool keeps_turn = !is_new && watched.target.probing.every == target.probing.every;
    watched.target = std::move(target);
    if (is_new) watched.id = next_id++;
    by_id[watched.id] = &watched;
    if (!keeps_turn) watched.next = balance::first_probe(now, watched.target.probing, random);
    reschedule(watched);
  }
  for (auto at = all.begin(); at != all.end();) {
    if (wanted.contains(at->first)) {
      ++at;
      continue;
    }
    Watched& gone = at->second;
    if (gone.in_flight) --in_flight;
    gone.target.state->probing_stopped(now);
    turns.erase({turn_of[gone.id], gone.id});
    turn_of.erase(gone.id);
    by_id.erase(gone.id);
    at = all.erase(at);
  }
}

void Prober::Running::begin(Watched& watched, Instant now) {
  if (in_flight >= kInFlightMax) {
    watched.next = now + 10ms;
    return;
  }
  auto connected = connect_to(watched.target.endpoint);
  const int error = errno;
  InFlight probe;
  probe.sent = now;
  if (!connected) {
    watched.in_flight.emplace(std::move(probe));
    ++in_flight;
    return end(watched, means_unreachable(error) ? ProbeOutcome::unreachable : ProbeOutcome::not_sent, 0,
               now);
  }
  probe.fd = std::move(connected->first);
  probe.message = {watched.target.method, watched.target.uri, connected->second, random_word()};
  probe.text = write_probe(probe.message);
  probe.deadline = now + watched.target.timeout;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLERR;
  event.data.u64 = watched.id;
  const bool listening = epoll_ctl(epoll.get(), EPOLL_CTL_ADD, probe.fd.get(), &event) == 0;
  watched.in_flight.emplace(std::move(probe));
  ++in_flight;
  if (!listening) return end(watched, ProbeOutcome::not_sent, 0, now);
  send(watched, now);
}

void Prober::Running::send(Watched& watched, Instant now) {
  InFlight& probe = *watched.in_flight;
  probe.again = now + probe.interval;
  probe.interval = std::min(probe.interval * 2, kT2);
  if (::send(probe.fd.get(), probe.text.data(), probe.text.size(), MSG_NOSIGNAL) >= 0) return;
  if (means_unreachable(errno)) return end(watched, ProbeOutcome::unreachable, 0, now);
  // A full socket buffer is ours: the next repetition may have room.
}

void Prober::Running::hear(Watched& watched, Instant now) {
  char room[65'536];
  for (int n = 0; n < 16 && watched.in_flight; ++n) {
    const ssize_t size = ::recv(watched.in_flight->fd.get(), room, sizeof room, 0);
    if (size < 0) {
      if (means_unreachable(errno)) return end(watched, ProbeOutcome::unreachable, 0, now);
      return;
    }
    const auto status = probe_answer(watched.in_flight->message, {room, static_cast<std::size_t>(size)});
    if (!status || *status < 200) continue;
    const bool bad = watched.target.bad.has(*status);
    end(watched, bad ? ProbeOutcome::bad_status : ProbeOutcome::answered, *status, now);
  }
}

void Prober::Running::end(Watched& watched, ProbeOutcome outcome, std::uint16_t status, Instant now) {
  ProbeTarget& target = watched.target;
  watched.last = LastProbe{outcome, status, now - watched.in_flight->sent, now};
  watched.in_flight.reset();  // closes the socket, which leaves epoll by that
  --in_flight;
  counts[static_cast<std::size_t>(outcome)].fetch_add(1, std::memory_order_relaxed);
  watched.next = balance::next_probe(now, target.probing, random);
  const std::string why(status != 0 ? std::to_string(status) : std::string(to_string(outcome)));
  if (outcome == ProbeOutcome::not_sent) {
    watched.next = std::min(watched.next, now + kRetryNoSocket);
  } else if (outcome == ProbeOutcome::answered) {
    if (target.state->probe_succeeded(now, target.probing)) {
      spdlog::info("upstream {}: {} is up again: its probe was answered by {}", target.upstream,
                   to_string(target.endpoint), why);
    }
  } else {
    balance::Probing probing = target.probing;
    if (outcome == ProbeOutcome::unreachable)
      probing.fail = 1;  // the kernel knows; nothing is gained by asking again
    if (target.state->probe_failed(now, probing)) {
      spdlog::warn("upstream {}: {} is down: {}", target.upstream, to_string(target.endpoint), why);
    }
  }
}

void Prober::Running::serve(Instant now) {
  while (!turns.empty() && turns.begin()->first <= now && !stopping.load(std::memory_order_relaxed)) {
    Watched& watched = *by_id.at(turns.begin()->second);
    if (!watched.in_flight) {
      begin(watched, now);
    } else if (watched.in_flight->deadline <= now) {
      end(watched, ProbeOutcome::timeout, 0, now);
    } else {
      send(watched, now);
    }
    reschedule(watched);
  }
}

int Prober::Running::harvest() {
  epoll_event events[kEventsMax];
  int wait_ms = -1;
  {
    const std::lock_guard lock(mutex);
    const Instant due = next_due();
    if (due != Instant::max()) {
      wait_ms = static_cast<int>(std::clamp<std::int64_t>(to_ms(due - io::monotonic_now()) + 1, 0, 60'000));
    }
  }
  const int n = epoll_wait(epoll.get(), events, kEventsMax, wait_ms);
  const std::lock_guard lock(mutex);
  const Instant now = io::monotonic_now();
  for (int i = 0; i < n; ++i) {
    if (events[i].data.u64 == kWakeTag) {
      std::uint64_t ignored = 0;
      (void)!::read(wake.get(), &ignored, sizeof ignored);
      continue;
    }
    const auto found = by_id.find(events[i].data.u64);  // gone when the list changed meanwhile
    if (found == by_id.end() || !found->second->in_flight) continue;
    hear(*found->second, now);
    reschedule(*found->second);
  }
  serve(now);
  return n;
}

void Prober::Running::run() {
  pthread_setname_np(pthread_self(), "prober");
  while (!stopping.load(std::memory_order_acquire)) {
    if (harvest() < 0 && errno != EINTR) return;
  }
}

Prober::Prober() = default;
Prober::~Prober() {
  stop();
}

io::Opened Prober::start() {
  auto running = std::make_unique<Running>(*this);
  running->epoll = io::OwnedFd(::epoll_create1(EPOLL_CLOEXEC));
  running->wake = io::OwnedFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeTag;
  if (running->epoll.get() < 0 || running->wake.get() < 0 ||
      epoll_ctl(running->epoll.get(), EPOLL_CTL_ADD, running->wake.get(), &event) != 0) {
    return std::unexpected(io::OpenError{errno, "cannot make what health probes wait on"});
  }
  running_ = std::move(running);
  running_->thread = std::thread([self = running_.get()] { self->run(); });
  return {};
}

void Prober::stop() noexcept {
  if (!running_) return;
  running_->stopping.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  (void)!::write(running_->wake.get(), &one, sizeof one);
  running_->thread.join();
  running_.reset();
}

void Prober::watch(std::vector<ProbeTarget> targets) {
  if (!running_) return;
  {
    const std::lock_guard lock(running_->mutex);
    running_->watch(std::move(targets));
  }
  const std::uint64_t one = 1;
  (void)!::write(running_->wake.get(), &one, sizeof one);
}

std::optional<LastProbe> Prober::last(std::string_view upstream, const Endpoint& endpoint) const {
  if (!running_) return std::nullopt;
  const std::lock_guard lock(running_->mutex);
  const auto found = running_->all.find({std::string(upstream), endpoint});
  return found == running_->all.end() ? std::nullopt : found->second.last;
}

}  // namespace ringweir::control
