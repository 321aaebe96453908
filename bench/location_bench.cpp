// Registering, refreshing, taking over and finding among a million bindings, and what each costs in resident
// memory. The reference for lookups is liburcu's rculfhash, filled with nodes of the same size. Lookups are
// timed in batches on fresh random AORs; the counters give the median and 99th percentile over batches.
#include <benchmark/benchmark.h>
#include <sys/mman.h>
#include <unistd.h>
#include <urcu-qsbr.h>
#include <urcu/rculfhash.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "ringweir/base/random.h"
#include "ringweir/location/directory.h"
#include "ringweir/location/registrations.h"
#include "ringweir/sip/uri.h"

namespace ringweir::location {
namespace {

constexpr std::uint32_t kBindings = 1'000'000;
constexpr std::uint32_t kBatch = 64;
constexpr Instant kStart{1'000s};
const Config kConfig{.shards = 2, .bindings_max = kBindings, .hash_key = {31, 32}, .buckets = 0};

double resident_bytes() {
  long pages = 0, resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

class Mapping {
 public:
  Mapping() : size_(Directory::region_bytes(kConfig)) {
    void* at =
        mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) std::abort();
    if (!std::getenv("LOCATION_BENCH_SMALL_PAGES")) madvise(at, size_, MADV_HUGEPAGE);
    bytes_ = static_cast<std::byte*>(at);
  }
  ~Mapping() { munmap(bytes_, size_); }
  std::span<std::byte> span() const { return {bytes_, size_}; }

 private:
  std::size_t size_;
  std::byte* bytes_ = nullptr;
};

// One phone's REGISTER: an AOR of 25 octets, a contact of 60, a Call-ID of 32.
struct Phone {
  char aor[32], contact[64], call_id[40];

  Phone(std::uint32_t n, std::uint32_t generation) {
    std::snprintf(aor, sizeof aor, "user%08u@voip.example", n);
    std::snprintf(contact, sizeof contact, "<sip:user%08u@198.51.100.%03u:5060;transport=udp;ob>;x=%02u", n,
                  n % 250, n % 100);
    std::snprintf(call_id, sizeof call_id, "%08x-%04x-4c1d-9e2a-%08u", n, generation, n);
  }
};

struct Office {
  Mapping mapping;
  std::unique_ptr<Directory> directory = std::make_unique<Directory>(kConfig, mapping.span());
  Registrations shards[2]{{*directory, 0, kStart}, {*directory, 1, kStart}};

  bool apply(std::uint32_t shard, const Phone& phone, std::uint32_t cseq, Instant now) {
    const std::string_view contact(phone.contact);
    const ContactUpdate update{.text = contact,
                               .uri = *sip::parse_uri(contact.substr(1, contact.find('>') - 1)),
                               .q_thousandths = 1000,
                               .expires_s = 3600};
    const BindingSet* result = nullptr;
    const std::string_view aor(phone.aor);
    const Outcome outcome = shards[shard].apply({.aor = aor,
                                                 .aor_hash = directory->hash(aor),
                                                 .call_id = phone.call_id,
                                                 .cseq = cseq,
                                                 .star = false,
                                                 .contacts = {&update, 1},
                                                 .source = {IpAddress::v4(198, 51, 100, 7), 5060},
                                                 .socket = 1,
                                                 .user_agent = "Linphone/5.2.1 (belle-sip)",
                                                 .now = now,
                                                 .contacts_max = 10},
                                                result);
    return outcome == Outcome::done && result && result->size() == 1;
  }
  void fill(Participant& reader) {
    for (std::uint32_t n = 0; n < kBindings; ++n) {
      if (!apply(0, Phone(n, 0), 1, kStart)) std::abort();
      if (n % kBatch == 0) turn(reader);
    }
  }
  void turn(Participant& reader) {
    reader.quiescent();
    for (auto& shard : shards) shard.turn();
  }
};

// Nanoseconds an operation, over batches.
class Batches {
 public:
  template <class F>
  void time(F&& batch) {
    const auto begin = std::chrono::steady_clock::now();
    batch();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    samples_.push_back(took.count() / kBatch);
  }
  void report(benchmark::State& state) {
    if (samples_.empty()) return;
    std::ranges::sort(samples_);
    state.counters["p10_ns"] = samples_[samples_.size() / 10];
    state.counters["median_ns"] = samples_[samples_.size() / 2];
    state.counters["p99_ns"] = samples_[samples_.size() * 99 / 100];
    state.SetItemsProcessed(static_cast<std::int64_t>(samples_.size()) * kBatch);
  }

 private:
  std::vector<double> samples_;
};

void register_new(benchmark::State& state) {
  Batches batches;
  double per_binding = 0;
  for (auto _ : state) {
    const double before = resident_bytes();
    Office office;
    Participant reader(office.directory->grace());
    for (std::uint32_t n = 0; n + kBatch <= kBindings; n += kBatch) {
      std::vector<Phone> phones;
      for (std::uint32_t i = 0; i < kBatch; ++i) phones.emplace_back(n + i, 0);
      batches.time([&] {
        for (const Phone& phone : phones) office.apply(0, phone, 1, kStart);
        office.turn(reader);
      });
    }
    per_binding = (resident_bytes() - before) / kBindings;
    state.counters["used_bytes"] = static_cast<double>(office.directory->bytes_used()) / kBindings;
  }
  state.counters["resident_bytes"] = per_binding;
  batches.report(state);
}
BENCHMARK(register_new)->Iterations(1)->Unit(benchmark::kMillisecond);

// `take_over`: each batch comes back under new Call-IDs on the other shard.
void register_again(benchmark::State& state, bool take_over) {
  Office office;
  Participant reader(office.directory->grace());
  office.fill(reader);
  Random random(1);
  Batches batches;
  std::uint32_t cseq = 1;
  std::vector<std::uint8_t> generation(kBindings);
  for (auto _ : state) {
    std::vector<Phone> phones;
    std::vector<std::uint32_t> shards;
    for (std::uint32_t i = 0; i < kBatch; ++i) {
      const std::uint32_t n = random.below(static_cast<std::uint32_t>(state.range(0)));
      if (take_over) ++generation[n];
      phones.emplace_back(n, generation[n]);
      shards.push_back(generation[n] % 2);
    }
    ++cseq;
    bool done = true;
    batches.time([&] {
      for (std::uint32_t i = 0; i < kBatch; ++i)
        done &= office.apply(shards[i], phones[i], cseq, kStart + 10s);
      office.turn(reader);
    });
    if (!done) state.counters["repeated"] = 1;  // the same phone twice in a batch: out of order
  }
  batches.report(state);
}
BENCHMARK_CAPTURE(register_again, refresh, false)->Arg(1'000)->Arg(kBindings)->Iterations(10'000);
BENCHMARK_CAPTURE(register_again, take_over, true)->Arg(1'000)->Arg(kBindings)->Iterations(10'000);

struct Key {
  char aor[32];
  std::uint64_t hash;
};

// A lookup as the proxy does it: find, and see whether the contact is alive. Texts and hashes are made
// outside the timing; a hash costs what keyed_hash says in base_bench.
template <class Lookup>
void look_up(benchmark::State& state, const Directory& directory, std::uint32_t among, Participant& reader,
             Lookup&& lookup) {
  Random random(7);
  Batches batches;
  std::array<Key, kBatch> keys;
  std::uint64_t alive = 0;
  for (auto _ : state) {
    for (Key& key : keys) {
      std::snprintf(key.aor, sizeof key.aor, "user%08u@voip.example", random.below(among));
      key.hash = directory.hash(key.aor);
    }
    batches.time([&] {
      for (const Key& key : keys) alive += lookup(key);
    });
    reader.quiescent();
  }
  if (alive != static_cast<std::uint64_t>(state.iterations()) * kBatch)
    state.SkipWithError("a binding was not found");
  batches.report(state);
}

void find(benchmark::State& state) {
  Office office;
  Participant reader(office.directory->grace());
  office.fill(reader);
  const auto among = static_cast<std::uint32_t>(state.range(0));
  look_up(state, *office.directory, among, reader, [&](const Key& key) {
    const BindingSet* set = office.directory->find(key.aor, key.hash);
    return set ? set->alive(kStart + 20s) : 0;
  });
}
BENCHMARK(find)->Arg(1'000)->Arg(kBindings)->Iterations(20'000);

// The owner refreshes at full speed on a thread of its own meanwhile; the lookups are timed here.
void find_while_refreshed(benchmark::State& state) {
  Office office;
  std::atomic<bool> stop = false, ready = false;
  std::atomic<std::uint64_t> refreshed = 0;
  std::thread owner([&] {
    Participant reader(office.directory->grace());
    office.fill(reader);
    ready = true;
    Random random(5);
    for (std::uint32_t cseq = 2; !stop.load(std::memory_order_relaxed); ++cseq) {
      for (std::uint32_t i = 0; i < kBatch; ++i)
        office.apply(0, Phone(random.below(kBindings), 0), cseq, kStart + 10s);
      refreshed.fetch_add(kBatch, std::memory_order_relaxed);
      office.turn(reader);
    }
  });
  while (!ready) std::this_thread::yield();
  const std::uint64_t before = refreshed;
  const auto begin = std::chrono::steady_clock::now();
  Participant reader(office.directory->grace());
  look_up(state, *office.directory, kBindings, reader, [&](const Key& key) {
    const BindingSet* set = office.directory->find(key.aor, key.hash);
    return set ? set->alive(kStart + 20s) : 0;
  });
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  state.counters["refreshes/s"] = static_cast<double>(refreshed - before) / took.count();
  stop = true;
  owner.join();
}
BENCHMARK(find_while_refreshed)->Iterations(20'000)->UseRealTime();

// What liburcu's lock-free table would cost: the same 64 octets a set, its node in place of our link and
// hash.
struct UrcuBinding {
  std::uint64_t expires;
  char rest[168];
};
struct UrcuSet {
  cds_lfht_node node;
  const UrcuBinding* binding;
  std::uint8_t aor_size;
  char aor[39];
};
static_assert(sizeof(UrcuSet) == 64);

int same_aor(cds_lfht_node* node, const void* key) {
  const auto* set = reinterpret_cast<const UrcuSet*>(node);
  return std::string_view(set->aor, set->aor_size) == static_cast<const Key*>(key)->aor;
}

void find_in_rculfhash(benchmark::State& state) {
  Mapping mapping;
  const auto directory = std::make_unique<Directory>(kConfig, mapping.span());
  Participant reader(directory->grace());
  const double before = resident_bytes();
  cds_lfht* table = cds_lfht_new(1u << 20, 1u << 20, 1u << 20, 0, nullptr);
  const double buckets = resident_bytes() - before;
  urcu_qsbr_register_thread();
  // Nodes and bindings lie in the same kind of memory as ours; its buckets are its own to allocate.
  auto* const nodes = reinterpret_cast<UrcuSet*>(mapping.span().data() + mapping.span().size() / 2);
  auto* const bindings = reinterpret_cast<UrcuBinding*>(nodes + kBindings);
  for (std::uint32_t n = 0; n < kBindings; ++n) {
    UrcuSet& set = nodes[n];
    cds_lfht_node_init(&set.node);
    bindings[n].expires = 1;
    set.binding = &bindings[n];
    set.aor_size =
        static_cast<std::uint8_t>(std::snprintf(set.aor, sizeof set.aor, "user%08u@voip.example", n));
    cds_lfht_add(table, directory->hash({set.aor, set.aor_size}), &set.node);
  }
  const auto among = static_cast<std::uint32_t>(state.range(0));
  look_up(state, *directory, among, reader, [&](const Key& key) {
    cds_lfht_iter found;
    cds_lfht_lookup(table, key.hash, same_aor, &key, &found);
    const cds_lfht_node* node = cds_lfht_iter_get_node(&found);
    return node ? reinterpret_cast<const UrcuSet*>(node)->binding->expires : 0;
  });
  state.counters["bucket_bytes"] = buckets / kBindings;
  for (std::uint32_t n = 0; n < kBindings; ++n) cds_lfht_del(table, &nodes[n].node);
  urcu_qsbr_unregister_thread();
  cds_lfht_destroy(table, nullptr);
}
BENCHMARK(find_in_rculfhash)->Arg(1'000)->Arg(kBindings)->Iterations(20'000);

}  // namespace
}  // namespace ringweir::location
