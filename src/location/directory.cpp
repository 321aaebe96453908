#include "ringweir/location/directory.h"

#include <algorithm>

#include "ringweir/base/check.h"

namespace ringweir::location {
namespace {

constexpr std::size_t kPage = 4'096;
// Twice what a binding of the usual lengths takes with its set; longer ones reach no_memory before
// bindings_max.
constexpr std::size_t kBindingBytesPlanned = 512;
constexpr std::size_t kShardBytesPlanned = 2 * 1024 * 1024;  // chunks begun: one of each size at most

std::span<AorTable::Bucket> buckets_in(std::span<std::byte> region, std::uint32_t count) noexcept {
  static_assert(sizeof(AorTable::Bucket) == sizeof(void*));
  // All zero octets are null heads; writing them here would touch pages that may never be used.
  return {reinterpret_cast<AorTable::Bucket*>(region.data()), count};
}

}  // namespace

std::uint32_t Directory::bucket_count(const Config& config) noexcept {
  if (config.buckets > 0) return config.buckets;
  // PERF: two a binding. One would cost 8 octets less and a quarter of a cache miss more a lookup.
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(2 * config.bindings_max, 16, 1u << 31));
}

std::size_t Directory::buckets_bytes(const Config& config) noexcept {
  return (bucket_count(config) * sizeof(AorTable::Bucket) + kPage - 1) & ~(kPage - 1);
}

std::size_t Directory::region_bytes(const Config& config) noexcept {
  return buckets_bytes(config) + config.bindings_max * kBindingBytesPlanned +
         config.shards * kShardBytesPlanned;
}

Directory::Directory(const Config& config, std::span<std::byte> region)
    : config_(config),
      hash_(config.hash_key),
      store_(region.subspan(buckets_bytes(config))),
      table_(buckets_in(region, bucket_count(config))),
      inboxes_(config.shards) {
  check(config.shards > 0 && config.shards <= limits::kShardsMax, "shards");
  check(region.size() > buckets_bytes(config), "region");
  check(reinterpret_cast<std::uintptr_t>(region.data()) % kPage == 0, "region's alignment");
}

}  // namespace ringweir::location
