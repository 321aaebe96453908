// Shards on the sim driver with everything they share: what the simulation, the unit tests and the benchmark stand on.
#pragma once
#include <sys/mman.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ringweir/base/check.h"
#include "ringweir/io/sim.h"
#include "ringweir/shard/shard.h"

namespace ringweir::support {

// Zeroed pages that cost nothing until they are touched.
class Pages {
 public:
  explicit Pages(std::size_t bytes) : bytes_(bytes) {
    at_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    check(at_ != MAP_FAILED, "address space for a test");
  }
  ~Pages() {
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(at_, bytes_);  // whoever gets these addresses next has not freed them
#endif
    munmap(at_, bytes_);
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  std::span<std::byte> span() const { return {static_cast<std::byte*>(at_), bytes_}; }

 private:
  std::size_t bytes_;
  void* at_;
};

struct SnapshotOptions {
  std::uint64_t generation = 1;
  std::vector<std::string> domains{"example.com"};
  std::vector<Endpoint> endpoints{{IpAddress::v4(192, 0, 2, 10), 5060}};
  std::string realm = "example.com";
  std::vector<std::pair<std::string, std::string>> users{{"100", "100"}, {"101", "101"}, {"102", "102"}};
  auth::AlgorithmList algorithms{auth::Algorithm::md5};
  bool authenticates = true;
  bool proxy = false;
  bool qop = true;
  bool throttles_failures = false;
  bool sheds = true;
  std::int64_t nonce_lifetime_ms = 300'000;
  registrar::Policy registrar{};
  std::vector<proxy::Route> routes = usual_routes();

  // The lab's: REGISTER here, our users by location, the rest refused.
  static std::vector<proxy::Route> usual_routes() {
    proxy::Route registers, lookup;
    registers.match.methods = {"REGISTER"};
    registers.action.kind = proxy::Action::Kind::register_local;
    lookup.match.local_domain = true;
    lookup.action.kind = proxy::Action::Kind::lookup_location;
    lookup.action.code = 0;
    return {registers, lookup};
  }
};

inline shard::Snapshot make_snapshot(const SnapshotOptions& options) {
  shard::Snapshot snapshot;
  snapshot.generation = options.generation;
  snapshot.domains = proxy::DomainSet(options.domains, options.endpoints);
  snapshot.routes = proxy::RouteTable(options.routes);
  snapshot.authenticates = options.authenticates;
  snapshot.methods_authenticated = 1u << static_cast<unsigned>(sip::Method::register_);
  snapshot.auth.realm = options.realm;
  snapshot.auth.algorithms = options.algorithms;
  snapshot.auth.proxy = options.proxy;
  snapshot.auth.qop = options.qop;
  snapshot.auth.nonce_lifetime_ms = options.nonce_lifetime_ms;
  auth::CredentialsBuilder users(options.realm, {options.algorithms.data(), options.algorithms.size()}, Key128{1, 2});
  for (const auto& [name, password] : options.users) {
    check(!users.add_password(name, password).has_value(), "a test's own user");
  }
  snapshot.users = std::move(users).build();
  snapshot.registrar = options.registrar;
  snapshot.limits.failed_auth = options.throttles_failures;
  snapshot.limits.overload.enabled = options.sheds;
  for (const Endpoint& endpoint : options.endpoints) {
    snapshot.sockets.push_back({to_string(endpoint), endpoint, !endpoint.ip.is_v4()});
  }
  snapshot.route_key = {11, 12};
  return snapshot;
}

struct RigOptions {
  std::uint32_t shards = 1;
  std::uint32_t mailbox_depth = 64;
  Key128 key{0x0123456789abcdef, 0xfedcba9876543210};
  std::uint64_t bindings_max = 10'000;
  std::uint32_t nonce_slots = 1u << 14;
  std::uint32_t answered_capacity = 1u << 16;
  std::uint32_t trace_entries = 1'024;
  io::SimOptions driver{};
  std::vector<Endpoint> local{{IpAddress::v4(192, 0, 2, 10), 5060}};  // one a socket
  proxy::EngineOptions engine{.contexts = 4'096, .branches = 8'192, .calls = 4'096};
  std::size_t texts_bytes = std::size_t{64} << 20;
};

class ShardRig {
 public:
  using Shard = shard::Shard<io::Sim>;

  // `snapshot` outlives the rig, or until another is published.
  ShardRig(const RigOptions& options, const shard::Snapshot& snapshot)
      : config_{.shards = options.shards, .bindings_max = options.bindings_max, .hash_key = options.key},
        pages_(location::Directory::region_bytes(config_)),
        directory(config_, pages_.span()),
        window(options.shards, options.nonce_slots),
        shared({.shards = options.shards,
                .mailbox_depth = options.mailbox_depth,
                .trace_entries = options.trace_entries,
                .placement_key = options.key,
                .nonce_key = {options.key[1], options.key[0]},
                .started_ms = clock.wall_ms,
                .process = 7},
               directory, window),
        reader(directory.grace()) {
    reader.offline();
    std::vector<io::Sim*> all;
    for (std::uint32_t i = 0; i < options.shards; ++i) {
      drivers.push_back(std::make_unique<io::Sim>(clock, options.driver));
      all.push_back(drivers.back().get());
    }
    for (const auto& driver : drivers) driver->connect(all);
    publish(snapshot);
    for (std::uint32_t i = 0; i < options.shards; ++i) {
      shard::ShardOptions one;
      one.index = i;
      one.answered_capacity = options.answered_capacity;
      one.local = options.local;
      one.engine = options.engine;
      one.texts_bytes = options.texts_bytes;
      shards.push_back(std::make_unique<Shard>(shared, one, *drivers[i]));
    }
  }

  void publish(const shard::Snapshot& snapshot) {
    for (const auto& face : shared.faces) face->snapshot.store(&snapshot, std::memory_order_release);
  }
  bool has_mail(std::uint32_t shard) {
    for (std::uint32_t from = 0; from < shards.size(); ++from) {
      if (from != shard && shared.exchange.lane(from, shard).has_mail()) return true;
    }
    return false;
  }
  void turn(std::uint32_t shard) { shards[shard]->turn(clock.now + 1s); }
  // Until nothing waits anywhere.
  void turn_all() {
    for (bool busy = true; busy;) {
      busy = false;
      for (std::uint32_t i = 0; i < shards.size(); ++i) {
        turn(i);
        busy |= drivers[i]->has_input();
      }
      for (std::uint32_t i = 0; i < shards.size(); ++i) busy |= has_mail(i);
    }
    for (std::uint32_t i = 0; i < shards.size(); ++i) turn(i);  // empties go home
  }
  std::uint32_t parcels_out() const {
    std::uint32_t out = 0;
    for (const auto& shard : shards) out += shard->parcels_out();
    return out;
  }
  std::size_t live() const {
    std::size_t live = 0;
    for (const auto& shard : shards) live += shard->registrations().live();
    return live;
  }
  // Blocks out of the pools but for the User-Agent texts, which are kept for ever.
  std::int64_t blocks() const {
    std::int64_t out = 0;
    for (const auto& shard : shards) out += shard->registrations().blocks();
    return out - static_cast<std::int64_t>(directory.user_agents());
  }

  io::SimClock clock;

 private:
  location::Config config_;
  Pages pages_;

 public:
  location::Directory directory;
  auth::NonceWindow window;
  shard::Shared shared;
  location::Participant reader;  // of the test itself; offline unless it looks
  std::vector<std::unique_ptr<io::Sim>> drivers;
  std::vector<std::unique_ptr<Shard>> shards;
};

}  // namespace ringweir::support
