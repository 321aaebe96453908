#include "ringweir/shard/shard.h"

#include <cstdlib>
#include <new>

namespace ringweir::shard {

namespace {

std::span<std::byte> region_of(const io::Pages& pages) {
  if (!pages) throw std::bad_alloc();  // at start
  return {reinterpret_cast<std::byte*>(pages.get()), pages.size()};
}

proxy::EngineOptions engine_options(const ShardOptions& options) noexcept {
  proxy::EngineOptions engine = options.engine;
  engine.shard = static_cast<std::uint8_t>(options.index);
  return engine;
}

}  // namespace

Shared::Shared(const SharedOptions& options, location::Directory& aors, auth::NonceWindow& nonces)
    : hash(options.placement_key),
      nonce_key(options.nonce_key),
      started_ms(options.started_ms),
      process(options.process),
      huge_pages(options.huge_pages),
      exchange(options.shards, options.mailbox_depth),
      directory(aors),
      window(nonces),
      throttle({options.placement_key[1], ~options.placement_key[0]}) {
  faces.reserve(options.shards);
  for (std::uint32_t i = 0; i < options.shards; ++i) faces.push_back(std::make_unique<Face>(options.trace_entries, options.decision_entries));
}

ShardCore::ShardCore(Shared& shared, const ShardOptions& options, Instant now)
    : shared_(shared),
      index_(options.index),
      face_(*shared.faces[options.index]),
      participant_(shared.directory.grace()),
      registrations_(shared.directory, options.index, now),
      mint_(shared.nonce_key, options.index, shared.exchange.shards(), shared.started_ms, shared.process),
      answered_(options.answered_capacity),
      texts_(options.texts_bytes),
      engine_({shared.hash, shared.directory, face_.counters.proxy, face_.counters.responses_sent, region_of(texts_),
               {this, &ShardCore::note_decision}},
              engine_options(options), shared.process ^ options.index, now),
      sources_({shared.process ^ options.index, shared.hash("source limits")}),
      admission_(shared.hash("admission") + options.index),
      parcels_(shared.exchange.parcels_small(), shared.exchange.parcels_large()),
      local_(options.local) {
  if (shared.huge_pages) io::prefer_huge_pages(answered_.memory());
  for (Seat& seat : seats_) {
    seat.edge.emplace(EdgeParts{shared.directory, registrations_, mint_, shared.window, answered_, shared.hash,
                                face_.counters, engine_, admission_, shared.throttle, face_.draining});
  }
  adopt_snapshot();
  check(snapshot_ != nullptr, "a shard starts with a configuration");
}

void ShardCore::adopt_snapshot() noexcept {
  const Snapshot* next = face_.snapshot.load(std::memory_order_acquire);
  if (next == snapshot_) return;
  snapshot_ = next;
  for (Seat& seat : seats_) seat.edge->adopt(*next);
  face_.generation.store(next->generation, std::memory_order_release);  // control may free the one before
}

bool ShardCore::hand_over(const io::Received& in, std::uint64_t call_id_hash, std::uint32_t owner,
                          Instant now) noexcept {
  Parcel* parcel = parcels_.pack(in, call_id_hash, now);
  if (!parcel) {  // some may be on their way home
    reclaim_parcels();
    parcel = parcels_.pack(in, call_id_hash, now);
    if (!parcel) return false;
  }
  if (!shared_.exchange.lane(index_, owner).push(parcel)) {
    parcels_.release(parcel);
    return false;
  }
  face_.counters.handed_over.add();
  wake_mask_[owner / 64] |= std::uint64_t{1} << (owner % 64);
  handed_over_ = true;
  return true;
}

void ShardCore::note_wait(Duration waited) noexcept {
  std::size_t at = 0;
  if (waited > kWaitBounds[0]) [[unlikely]] {
    while (at < kWaitBounds.size() && waited > kWaitBounds[at]) ++at;
    face_.counters.waits_us.add(static_cast<std::uint64_t>(waited / 1us));
  }
  face_.counters.waits[at].add();
}

void ShardCore::reclaim_parcels() noexcept {
  if (parcels_.out() == 0) return;
  for (std::uint32_t to = 0; to < shared_.exchange.shards(); ++to) {
    if (to == index_) continue;
    Lane& lane = shared_.exchange.lane(index_, to);
    while (Parcel* parcel = lane.take_empty()) parcels_.release(parcel);
  }
}

bool ShardCore::mail_waiting() noexcept {
  for (std::uint32_t from = 0; from < shared_.exchange.shards(); ++from) {
    if (from != index_ && shared_.exchange.lane(from, index_).has_mail()) return true;
  }
  return false;
}

void ShardCore::note_decision(void* core, const proxy::Witness::Decision& decision) noexcept {
  const auto& self = *static_cast<ShardCore*>(core);
  self.face_.decisions.record(self.wall_ms_ * 1000, self.snapshot_->generation, decision.upstream, decision.kind, decision.target,
                              decision.why, decision.call_id);
}

void ShardCore::trace(Instant now, WallMs wall_ms, Duration into_turn, Direction direction, io::SocketIndex socket,
                      const Endpoint& peer, std::string_view text) noexcept {
  constexpr std::int64_t kClockGrainMs = 20;  // of the coarse wall clock, and some
  // Microseconds by the monotonic clock, anchored to the wall clock; anchored again when the wall clock was set.
  const std::int64_t monotonic_us = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  std::int64_t wall_us = trace_anchor_us_ + monotonic_us;
  if (std::abs(wall_us / 1000 - wall_ms) > kClockGrainMs) {
    trace_anchor_us_ = wall_ms * 1000 - monotonic_us;
    wall_us = wall_ms * 1000;
  }
  wall_us += std::chrono::duration_cast<std::chrono::microseconds>(into_turn).count();
  face_.trace.record(wall_us, direction, peer, local_[socket], text);
}

}  // namespace ringweir::shard
