// The AOR directory: what all shards share of the registrations (RFC 3261 10.3's "location service").
// Readers are wait-free on any thread that has a Participant; writers are the shards' Registrations.
#pragma once
#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ringweir/base/hash.h"
#include "ringweir/location/aor_table.h"
#include "ringweir/location/binding_set.h"
#include "ringweir/location/block_pool.h"
#include "ringweir/location/grace.h"
#include "ringweir/location/user_agents.h"

namespace ringweir::location {

struct Config {
  std::uint32_t shards = 1;
  std::uint64_t bindings_max = 1'000'000;
  Key128 hash_key{};
  std::uint32_t buckets = 0;  // 0: two a binding. Tests ask for few, so that chains form
};

class Directory {
 public:
  // Address space for the worst case that is planned for; only what is used is touched.
  static std::size_t region_bytes(const Config& config) noexcept;
  // `region`: region_bytes(config) zeroed octets, aligned to a page, outliving this (an anonymous mapping).
  Directory(const Config& config, std::span<std::byte> region);
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  // Of the canonical address of record.
  std::uint64_t hash(std::string_view aor) const noexcept { return hash_(aor); }
  // Starts the first cache miss of find() or apply() early.
  void prefetch(std::uint64_t aor_hash) const noexcept { table_.prefetch(aor_hash); }
  void prefetch_set(std::uint64_t aor_hash) const noexcept { table_.prefetch_set(aor_hash); }
  void prefetch_members(std::uint64_t aor_hash) const noexcept { table_.prefetch_members(aor_hash); }
  // Null when nothing is bound. Any participant, wait-free; good until its next quiescent().
  const BindingSet* find(std::string_view aor, std::uint64_t aor_hash) const noexcept {
    return table_.find(aor, aor_hash);
  }
  std::string_view user_agent(std::uint16_t id) const noexcept { return user_agents_.text(id); }

  // Visits a slice of the directory, then says quiescent(). False when the cursor (which begins at 0) reached
  // the end. An AOR that is there throughout is visited exactly once; one that comes or goes meanwhile, at
  // most once.
  template <class Visit>
  bool for_each(Participant& reader, std::uint32_t& cursor, Visit&& visit,
                std::uint32_t buckets_most = 4'096) const {
    for (; buckets_most > 0 && cursor < table_.size(); --buckets_most, ++cursor) {
      for (const BindingSet* set = table_.chain(cursor); set; set = AorTable::next(set)) visit(*set);
    }
    reader.quiescent();
    return cursor < table_.size();
  }

  // Any thread. Bindings counts what the sets hold, which may include some that have just expired.
  std::uint64_t bindings() const noexcept { return counts_.bindings.load(std::memory_order_relaxed); }
  std::uint64_t aors() const noexcept { return counts_.aors.load(std::memory_order_relaxed); }
  std::uint64_t user_agents() const noexcept { return user_agents_.size(); }
  std::uint64_t bytes_used() const noexcept { return store_.bytes_used() + buckets_bytes(config_); }
  std::uint64_t bindings_max() const noexcept { return config_.bindings_max; }
  Grace& grace() noexcept { return grace_; }

 private:
  friend class Registrations;
  // Bindings that another shard took out of the directory, on their way to the shard that holds their timer.
  struct alignas(64) Inbox {
    std::atomic<Binding*> head{nullptr};
  };
  struct alignas(64) Counts {
    std::atomic<std::uint64_t> bindings{0};
    std::atomic<std::uint64_t> aors{0};
  };
  static std::uint32_t bucket_count(const Config& config) noexcept;
  static std::size_t buckets_bytes(const Config& config) noexcept;

  Config config_;
  KeyedHash hash_;
  Grace grace_;
  BlockStore store_;
  AorTable table_;
  UserAgents user_agents_;
  std::vector<Inbox> inboxes_;
  Counts counts_;
};

}  // namespace ringweir::location
