#include "ringweir/control/resolver.h"

#include <arpa/nameser.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "control/dns_channel.h"
#include "control/dns_records.h"
#include "ringweir/io/clock.h"
#include "ringweir/io/socket.h"

namespace ringweir::control {
namespace {

constexpr std::size_t kLookupsMax = 64;  // at once
constexpr int kNaptr = 35;               // RFC 3403 4.1; not every arpa/nameser.h names it

using Addresses = std::map<std::string, std::vector<IpAddress>>;

std::string text_of(const Name& name) {
  return name.second ? name.first + ':' + std::to_string(name.second) : name.first;
}

}  // namespace

Families families_of(const Config& config) {
  Families families{false, false};
  for (const Listener& listener : config.listeners) {
    const IpAddress& ip = listener.bind.ip;
    families.v6 |= !ip.is_v4();
    families.v4 |= ip.is_v4() || ip.is_unspecified();  // [::] takes IPv4 as well
  }
  return families;
}

// A name that is watched.
struct Watched {
  std::vector<Resolved> places;
  Addresses addresses;  // of the hosts that it led to last, for when one of them fails
  Instant next{};
  bool tried = false;
  std::uint64_t lookup = 0;  // under way; 0: none
};

// One name's questions, from NAPTR to addresses.
struct Lookup {
  Name name;
  std::vector<SrvRecord> srv;
  Addresses addresses;
  std::set<std::string> failed;  // hosts
  std::size_t waiting = 0;
  std::uint32_t ttl_s = UINT32_MAX;
};

struct Resolver::Running {
  void run();
  void apply_wishes();
  void begin_due(Instant now);
  void begin(const Name& name, Watched& watched);
  void ask_naptr(std::uint64_t id);
  void ask_srv(std::uint64_t id, const std::string& domain);
  void ask_hosts(std::uint64_t id, const std::set<std::string>& hosts);
  void heard_host(std::uint64_t id, const std::string& host, Asked asked, std::vector<IpAddress> found,
                  std::uint32_t ttl_s);
  void settle(std::uint64_t id);
  void end(std::uint64_t id, bool good, std::vector<Resolved> places, bool denied = false);
  Lookup* find(std::uint64_t id) {
    const auto found = lookups.find(id);
    return found == lookups.end() ? nullptr : &found->second;
  }
  void wake() {
    const std::uint64_t one = 1;
    (void)!::write(wake_fd.get(), &one, sizeof one);
  }

  // Under the mutex: what others read and write.
  mutable std::mutex mutex;
  mutable std::condition_variable tried_all;
  std::vector<Name> wanted;
  Dns dns;
  Families families;
  std::uint64_t wishes = 0;  // raised with each watch()
  std::uint64_t applied = 0;
  std::map<Name, Watched> names;
  Tallies tallies;
  bool changed = false;

  // The thread's own.
  std::function<void()> on_change;
  Dns used;
  std::unique_ptr<DnsChannel> channel;
  std::map<std::uint64_t, Lookup> lookups;
  std::uint64_t next_lookup = 1;
  io::OwnedFd wake_fd;
  std::atomic<bool> stopping{false};
  std::thread thread;
};

void Resolver::Running::apply_wishes() {
  if (applied == wishes) return;
  applied = wishes;
  const std::set<Name> set(wanted.begin(), wanted.end());
  std::erase_if(names, [&](const auto& each) { return !set.contains(each.first); });
  for (const Name& name : set) names.try_emplace(name);
  if (!channel || !(used == dns)) {
    lookups.clear();  // so that those who hear `dropped` find nothing
    for (auto& [name, watched] : names) {
      watched.lookup = 0;
      watched.next = {};
    }
    channel.reset();
    used = dns;
    std::string why;
    channel = DnsChannel::open(used, why);
    if (!channel) spdlog::error("names cannot be resolved: {}", why);
  }
  if (names.empty()) tried_all.notify_all();
}

void Resolver::Running::begin_due(Instant now) {
  for (auto& [name, watched] : names) {
    if (lookups.size() >= kLookupsMax) return;
    if (watched.lookup == 0 && watched.next <= now) begin(name, watched);
  }
}

void Resolver::Running::begin(const Name& name, Watched& watched) {
  const std::uint64_t id = next_lookup++;
  watched.lookup = id;
  lookups[id].name = name;
  if (!channel) return end(id, false, {});
  name.second != 0 ? ask_hosts(id, {name.first}) : ask_naptr(id);
}

void Resolver::Running::ask_naptr(std::uint64_t id) {
  channel->ask(find(id)->name.first, kNaptr, [this, id](Asked asked, std::span<const unsigned char> message) {
    Lookup* lookup = find(id);
    if (!lookup || asked == Asked::dropped) return;
    if (asked == Asked::failed) return end(id, false, {});
    std::vector<NaptrRecord> records;
    if (asked == Asked::answered) {
      records = read_naptr(message);
      lookup->ttl_s = std::min(lookup->ttl_s, least_ttl(message));
    }
    ask_srv(id, srv_domain(lookup->name.first, records));
  });
}

void Resolver::Running::ask_srv(std::uint64_t id, const std::string& domain) {
  channel->ask(domain, T_SRV, [this, id](Asked asked, std::span<const unsigned char> message) {
    Lookup* lookup = find(id);
    if (!lookup || asked == Asked::dropped) return;
    if (asked == Asked::failed) return end(id, false, {});
    if (asked == Asked::answered) {
      lookup->srv = read_srv(message);
      lookup->ttl_s = std::min(lookup->ttl_s, least_ttl(message));
    }
    if (denies_service(lookup->srv)) return end(id, true, {}, true);
    std::set<std::string> hosts;
    for (const SrvRecord& each : lookup->srv) hosts.insert(each.target);
    if (hosts.empty()) hosts.insert(lookup->name.first);  // RFC 3263 4.2: no SRV, so the name itself
    ask_hosts(id, hosts);
  });
}

void Resolver::Running::ask_hosts(std::uint64_t id, const std::set<std::string>& hosts) {
  const int family = families.v4 && families.v6 ? AF_UNSPEC : families.v6 ? AF_INET6 : AF_INET;
  find(id)->waiting = hosts.size();
  for (const std::string& host : hosts) {
    channel->ask_addresses(host, family,
                           [this, id, host](Asked asked, std::vector<IpAddress> found, std::uint32_t ttl_s) {
                             heard_host(id, host, asked, std::move(found), ttl_s);
                           });
  }
}

void Resolver::Running::heard_host(std::uint64_t id, const std::string& host, Asked asked,
                                   std::vector<IpAddress> found, std::uint32_t ttl_s) {
  Lookup* lookup = find(id);
  if (!lookup || asked == Asked::dropped) return;
  if (asked == Asked::failed) lookup->failed.insert(host);
  if (asked == Asked::answered) {
    lookup->addresses[host] = std::move(found);
    lookup->ttl_s = std::min(lookup->ttl_s, ttl_s);
  }
  if (--lookup->waiting == 0) settle(id);
}

void Resolver::Running::settle(std::uint64_t id) {
  Lookup& lookup = *find(id);
  const auto watched = names.find(lookup.name);
  if (watched == names.end()) return void(lookups.erase(id));
  for (const std::string& host : lookup.failed) {  // where it was is the best there is to say
    const auto before = watched->second.addresses.find(host);
    if (before != watched->second.addresses.end()) lookup.addresses[host] = before->second;
  }
  const auto& [host, port] = lookup.name;
  std::vector<Resolved> places = lookup.srv.empty() ? places_of(host, port, lookup.addresses[host])
                                                    : places_of(lookup.srv, lookup.addresses);
  watched->second.addresses = std::move(lookup.addresses);
  const bool good = lookup.failed.empty() && !places.empty();  // before `places` moves on
  end(id, good, std::move(places));
}

void Resolver::Running::end(std::uint64_t id, bool good, std::vector<Resolved> places, bool denied) {
  const Lookup lookup = std::move(lookups.at(id));
  lookups.erase(id);
  const auto found = names.find(lookup.name);
  if (found == names.end()) return;
  Watched& watched = found->second;
  watched.lookup = 0;
  const Instant now = io::monotonic_now();
  const Duration ttl = good ? Duration(std::chrono::seconds(lookup.ttl_s)) : Duration::zero();
  watched.next = now + std::clamp(ttl, used.ttl_min, used.ttl_max);
  good ? ++tallies.answered : ++tallies.failed;
  if (!good) {
    spdlog::warn("name {}: no answer{}", text_of(lookup.name),
                 watched.places.empty() ? "" : ", what it was stays");
  }
  // A failure that found some of the places tells of those; one that found none changes nothing.
  if ((!places.empty() || denied) && places != watched.places) {
    watched.places = std::move(places);
    ++tallies.changed;
    changed = true;
    std::string list;
    for (const Resolved& each : watched.places) list += (list.empty() ? "" : ", ") + to_string(each.endpoint);
    spdlog::info("name {}: {}", text_of(lookup.name), list.empty() ? "no service" : list);
  }
  watched.tried = true;
  if (std::ranges::all_of(names, [](const auto& each) { return each.second.tried; })) tried_all.notify_all();
}

void Resolver::Running::run() {
  pthread_setname_np(pthread_self(), "names");
  std::vector<pollfd> waits;
  while (!stopping.load(std::memory_order_acquire)) {
    bool tell = false;
    int wait_ms = 0;
    {
      const std::lock_guard lock(mutex);
      apply_wishes();
      const Instant now = io::monotonic_now();
      begin_due(now);
      tell = std::exchange(changed, false);
      Duration longest = 1min;
      for (const auto& [name, watched] : names) {
        if (watched.lookup == 0 && lookups.size() < kLookupsMax)
          longest = std::min(longest, std::max(watched.next - now, Duration::zero()));
      }
      if (channel) longest = channel->wait(longest);
      wait_ms = static_cast<int>(to_ms(longest)) + 1;
      waits.assign(1, {wake_fd.get(), POLLIN, 0});
      if (channel) channel->add_sockets(waits);
    }
    if (tell) {
      on_change();
      continue;
    }
    if (::poll(waits.data(), waits.size(), wait_ms) < 0 && errno != EINTR) return;
    std::uint64_t ignored = 0;
    if (waits[0].revents != 0) (void)!::read(wake_fd.get(), &ignored, sizeof ignored);
    const std::lock_guard lock(mutex);
    if (channel) channel->process(std::span(waits).subspan(1));
  }
  const std::lock_guard lock(mutex);
  lookups.clear();
  channel.reset();
}

Resolver::Resolver() = default;
Resolver::~Resolver() {
  stop();
}

io::Opened Resolver::start(std::function<void()> on_change) {
  static const int library = ares_library_init(ARES_LIB_INIT_ALL);
  auto running = std::make_unique<Running>();
  running->on_change = std::move(on_change);
  running->wake_fd = io::OwnedFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (library != ARES_SUCCESS || running->wake_fd.get() < 0) {
    return std::unexpected(io::OpenError{errno, "cannot start the resolver of names"});
  }
  running_ = std::move(running);
  running_->thread = std::thread([self = running_.get()] { self->run(); });
  return {};
}

void Resolver::stop() noexcept {
  if (!running_) return;
  running_->stopping.store(true, std::memory_order_release);
  running_->wake();
  running_->thread.join();
  running_.reset();
}

void Resolver::watch(const std::vector<Name>& names, const Dns& dns, Families families) {
  if (!running_) return;
  {
    const std::lock_guard lock(running_->mutex);
    running_->wanted = names;
    running_->dns = dns;
    running_->families = families;
    ++running_->wishes;
  }
  running_->wake();
}

std::vector<Name> Resolver::wait_for_first(Duration longest) const {
  std::vector<Name> without;
  if (!running_) return without;
  std::unique_lock lock(running_->mutex);
  running_->tried_all.wait_for(lock, longest, [this] {
    return running_->applied == running_->wishes &&
           std::ranges::all_of(running_->names, [](const auto& each) { return each.second.tried; });
  });
  for (const Name& name : running_->wanted) {
    const auto found = running_->names.find(name);
    if (found == running_->names.end() || found->second.places.empty()) without.push_back(name);
  }
  return without;
}

NameBook Resolver::book() const {
  NameBook book;
  if (!running_) return book;
  const std::lock_guard lock(running_->mutex);
  for (const auto& [name, watched] : running_->names) book.emplace(name, watched.places);
  return book;
}

Resolver::Tallies Resolver::tallies() const {
  if (!running_) return {};
  const std::lock_guard lock(running_->mutex);
  return running_->tallies;
}

}  // namespace ringweir::control
