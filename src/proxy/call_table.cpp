#include "ringweir/proxy/call_table.h"

#include <bit>
#include <new>

namespace ringweir::proxy {
namespace {

constexpr std::size_t kBucketsPerSweep = 4;

std::uint32_t seconds(Instant at) noexcept { return static_cast<std::uint32_t>(to_s(at.time_since_epoch())); }

}  // namespace

CallTable::CallTable(std::uint32_t capacity)
    : mask_(std::bit_ceil(std::size_t{capacity < kWays ? kWays : capacity} / kWays) - 1),
      buckets_(static_cast<Bucket*>(std::calloc(mask_ + 1, sizeof(Bucket)))) {
  if (!buckets_) throw std::bad_alloc();  // at start
}

// Targets outlive every table: what is still open ends with the shard.
CallTable::~CallTable() {
  for (std::size_t i = 0; open_ != 0 && i <= mask_; ++i) {
    for (Entry& entry : buckets_.get()[i].entries) close(entry);
  }
}

bool CallTable::idle(const Entry& entry, std::uint32_t now_s) const noexcept {
  const auto silent = now_s - entry.seen_s;
  return silent >= static_cast<std::uint32_t>(to_s(entry.call.open ? Duration{kIdleMax} : Duration{kEndedKept}));
}

void CallTable::close(Entry& entry) noexcept {
  if (!entry.call.target || !entry.call.open) return;
  entry.call.target->call_ended();
  entry.call.open = false;
  --open_;
}

CallTable::Entry* CallTable::lookup(std::uint64_t hash) noexcept {
  for (Entry& entry : buckets_.get()[index(hash)].entries) {
    if (entry.call.target && entry.hash_low == static_cast<std::uint32_t>(hash) &&
        entry.hash_high == static_cast<std::uint32_t>(hash >> 32)) {
      return &entry;
    }
  }
  return nullptr;
}

const CallTable::Call* CallTable::find(std::uint64_t call_id_hash, Instant now) noexcept {
  Entry* entry = lookup(call_id_hash);
  if (!entry) return nullptr;
  if (idle(*entry, seconds(now))) {
    close(*entry);
    entry->call.target = nullptr;
    return nullptr;
  }
  entry->seen_s = seconds(now);
  return &entry->call;
}

// An empty place, else the one whose call has ended longest, else the one silent for longest.
CallTable::Entry& CallTable::place(std::uint64_t hash) noexcept {
  Entry* victim = nullptr;
  for (Entry& entry : buckets_.get()[index(hash)].entries) {
    if (!entry.call.target) return entry;
    const bool better = !victim || (entry.call.open != victim->call.open ? !entry.call.open : entry.seen_s < victim->seen_s);
    if (better) victim = &entry;
  }
  evicted_ += victim->call.open;
  close(*victim);
  return *victim;
}

bool CallTable::begin(std::uint64_t call_id_hash, balance::TargetState& target, const Endpoint& endpoint, Instant now) noexcept {
  Entry* entry = lookup(call_id_hash);
  if (entry && entry->call.open && entry->call.target == &target) {
    entry->seen_s = seconds(now);
    return false;
  }
  if (entry) {
    close(*entry);
  } else {
    entry = &place(call_id_hash);
  }
  *entry = {{&target, endpoint, true}, seconds(now), static_cast<std::uint32_t>(call_id_hash),
            static_cast<std::uint32_t>(call_id_hash >> 32)};
  target.call_began();
  ++open_;
  return true;
}

void CallTable::end(std::uint64_t call_id_hash, Instant now) noexcept {
  Entry* entry = lookup(call_id_hash);
  if (!entry) return;
  close(*entry);
  entry->seen_s = seconds(now);
}

void CallTable::sweep(Instant now) noexcept {
  if (open_ == 0) return;
  const std::uint32_t now_s = seconds(now);
  for (std::size_t n = 0; n < kBucketsPerSweep; ++n) {
    for (Entry& entry : buckets_.get()[swept_].entries) {
      if (entry.call.target && entry.call.open && idle(entry, now_s)) {
        close(entry);
        entry.call.target = nullptr;
      }
    }
    swept_ = (swept_ + 1) & mask_;
  }
}

}  // namespace ringweir::proxy
