// One core: its driver, its timers, its bindings, its mailboxes. A turn is harvest, decide, flush; nothing in
// it blocks but the driver's nap. Everything here belongs to the shard's thread except Face, which control
// reads and nudges.
#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "ringweir/base/hash.h"
#include "ringweir/io/pages.h"
#include "ringweir/proxy/engine.h"
#include "ringweir/shard/decision_ring.h"
#include "ringweir/shard/edge.h"
#include "ringweir/shard/mailbox.h"
#include "ringweir/shard/trace_ring.h"
#include "ringweir/sip/scan.h"

namespace ringweir::shard {

// What a shard shows to other threads. Each member says who writes.
struct alignas(64) Face {
  Face(std::uint32_t trace_entries, std::uint32_t decision_entries)
      : trace(trace_entries, kTraceOctetsEach), decisions(decision_entries) {}
  static constexpr std::uint32_t kTraceOctetsEach = 768;

  alignas(64) std::atomic<bool> sleeping{false};        // shard: in, or about to be in, the driver's nap
  alignas(64) std::atomic<const Snapshot*> snapshot{};  // control: the configuration to adopt
  std::atomic<bool> stop{false};                        // control
  std::atomic<bool> draining{false};                    // control: no new dialogs, 503 with Retry-After for them
  std::atomic<std::uint64_t> transactions{0};           // shard: requests that still wait for their final response, at each turn's end
  std::atomic<std::uint64_t> generation{0};             // shard: generation of the snapshot in use
  std::atomic<std::uint64_t> bindings{0};               // shard: live registrations it owns
  Counters counters;                                    // shard
  TraceRing trace;                                      // both, see trace_ring.h
  DecisionRing decisions;                               // shard
};

struct SharedOptions {
  std::uint32_t shards = 1;
  std::uint32_t mailbox_depth = limits::kMailboxDepth;
  std::uint32_t trace_entries = 20'000;  // a shard
  std::uint32_t decision_entries = 8'192;  // a shard, some 200 octets each
  Key128 placement_key{};                // random at each start
  Key128 nonce_key{};                    // from keys.secret, or random
  WallMs started_ms = 0;
  std::uint64_t process = 0;             // random, tells runs that share a key apart
  bool huge_pages = false;               // under the shards' own tables, where the system has them
};

// What all shards of a process share. Outlives them.
struct Shared {
  Shared(const SharedOptions& options, location::Directory& aors, auth::NonceWindow& nonces);
  KeyedHash hash;
  Key128 nonce_key;
  WallMs started_ms;
  std::uint64_t process;
  bool huge_pages;
  Exchange exchange;
  location::Directory& directory;
  auth::NonceWindow& window;
  auth::FailureThrottle throttle;
  std::vector<std::unique_ptr<Face>> faces;  // one a shard
};

struct ShardOptions {
  std::uint32_t index = 0;
  std::uint32_t answered_capacity = 1u << 20;  // see transaction/answered.h: 16 octets each
  std::vector<Endpoint> local;                 // per socket: where it is bound, for traces
  proxy::EngineOptions engine;                 // its shard is `index`
  std::size_t texts_bytes = std::size_t{2} << 30;  // address space for the messages that transactions keep
};

// The part of a shard that does not depend on its driver.
class ShardCore {
 public:
  ShardCore(Shared& shared, const ShardOptions& options, Instant now);

 protected:
  void adopt_snapshot() noexcept;
  // Packs and queues for `owner`; false when there is no room: the caller sheds.
  bool hand_over(const io::Received& in, std::uint64_t call_id_hash, std::uint32_t owner, Instant now) noexcept;
  void reclaim_parcels() noexcept;
  void note_wait(Duration waited) noexcept;
  bool mail_waiting() noexcept;
  // `into_turn`: since `now`, which stands still for a turn.
  void trace(Instant now, WallMs wall_ms, Duration into_turn, Direction direction, io::SocketIndex socket, const Endpoint& peer,
             std::string_view text) noexcept;
  static void note_decision(void* core, const proxy::Witness::Decision& decision) noexcept;

  Shared& shared_;
  const std::uint32_t index_;
  Face& face_;
  const Snapshot* snapshot_ = nullptr;
  location::Participant participant_;
  location::Registrations registrations_;
  auth::NonceMint mint_;
  transaction::Answered answered_;
  io::Pages texts_;
  proxy::Engine engine_;
  TokenBuckets sources_;
  Admission admission_;
  // One of a group of messages, with what has been read of it. PERF: a decision waits for memory four times, one behind the
  // other (bucket, set, binding; slot and record of the user). A group's waits pass side by side: all are read, then each
  // step's lines are asked for, then all are decided, in the order in which they came.
  struct Seat {
    std::optional<Edge> edge;
    io::Received in;
    std::uint64_t call_id_hash;
    Parcel* parcel;  // what holds the octets, when another shard sent them; goes home when it is decided
    Lane* lane;
  };
  static constexpr std::size_t kGroup = 8;
  std::array<Seat, kGroup> seats_;
  std::size_t seated_ = 0;
  ParcelStore parcels_;
  std::vector<Endpoint> local_;
  std::uint64_t wake_mask_[limits::kShardsMax / 64]{};  // owners that got mail this turn
  bool handed_over_ = false;
  bool offline_ = false;
  std::int64_t trace_anchor_us_ = 0;
  WallMs wall_ms_ = 0;  // of what is being decided
};

template <io::Driver D>
class Shard : private ShardCore {
 public:
  Shard(Shared& shared, const ShardOptions& options, D& driver)
      : ShardCore(shared, options, driver.now()), driver_(driver), outbox_(*this) {}

  // Until control says stop.
  void run() {
    while (!face_.stop.load(std::memory_order_acquire)) turn(driver_.now() + kNapMax);
  }

  // One turn: sleeps at most until `latest`, less when a timer is due or mail waits.
  void turn(Instant latest) {
    adopt_snapshot();
    const Instant settle = registrations_.unsettled() ? driver_.now() + kSettle : Instant::max();
    nap(std::min({latest, registrations_.next_expiry(), engine_.next_due(), settle}));
    if (offline_) come_online();
    if (driver_.overflowed()) [[unlikely]] admission_.overflowed();
    if (admission_.passes_per_million() != passes_) [[unlikely]] set_sieve();
    read_mail();
    registrations_.expire(driver_.now(), kExpiriesPerTurn);
    engine_.advance({driver_.now(), outbox_}, kTimersPerTurn);
    if (handed_over_) wake_owners();
    reclaim_parcels();
    face_.bindings.store(registrations_.live(), std::memory_order_relaxed);
    face_.transactions.store(engine_.unanswered(), std::memory_order_relaxed);
    participant_.quiescent();
    registrations_.turn();
  }

  // Driver's handler.
  void on_datagram(const io::Received& in) {
    if (offline_) [[unlikely]] come_online();
    const sip::Glimpse glimpse = sip::glimpse(in.bytes);
    if (glimpse.glance != sip::Glance::message) [[unlikely]] return not_a_message(in, glimpse.glance);
    if (snapshot_->limits.per_source && is_over_limit(in)) [[unlikely]] return drop(Dropped::source_limit);
    const std::uint64_t hash = shared_.hash(glimpse.call_id);
    const std::uint32_t owner = reduce(hash, shared_.exchange.shards());
    if (owner == index_) return take_seat(in, hash);
    if (!hand_over(in, hash, owner, driver_.now())) shed(in, hash);
  }

  void on_batch_end() { decide_group(); }

  // The kernel tells one of the sockets that share the port, not the one that sent: the other shards are told too.
  void on_unreachable(const Endpoint& peer, io::SocketIndex socket) {
    if (offline_) [[unlikely]] come_online();
    engine_.unreachable(peer, {driver_.now(), outbox_});
    if (driver_.now() < next_word_) return;
    next_word_ = driver_.now() + kWordEvery;
    io::Received word{};  // a parcel without a message
    word.bytes = "";
    word.peer = peer;
    word.socket = socket;
    for (std::uint32_t other = 0; other < shared_.exchange.shards(); ++other) {
      if (other != index_) (void)hand_over(word, 0, other, driver_.now());  // no room: its next retransmission is reported again
    }
  }

  const location::Registrations& registrations() const noexcept { return registrations_; }
  const proxy::Engine& engine() const noexcept { return engine_; }
  std::uint32_t parcels_out() const noexcept { return parcels_.out(); }

 private:
  static constexpr Duration kNapMax = 1s;            // a missed wake costs at most this
  static constexpr Duration kSettle = 10ms;          // blocks of ours wait for other threads' quiescent states
  static constexpr Duration kOfflineAfter = 1ms;     // longer naps leave the grace period to others
  static constexpr std::uint32_t kExpiriesPerTurn = 256;
  static constexpr std::uint32_t kTimersPerTurn = 512;
  static constexpr Duration kWordEvery = 10ms;  // a flood of reports must not fill the mailboxes

  // What the edge and the engine write leaves by the driver.
  class Outbox final : public proxy::Outbox {
   public:
    explicit Outbox(Shard& shard) noexcept : proxy::Outbox(&shard, &take_one, &drop_one, &send_one) {}

   private:
    static Buffer take_one(void* shard, std::uint32_t octets) noexcept {
      const io::SendBuffer buffer = static_cast<Shard*>(shard)->driver_.take_buffer(octets);
      return {buffer.data, buffer.capacity, buffer.slot};
    }
    static void drop_one(void* shard, const Buffer& buffer) noexcept {
      static_cast<Shard*>(shard)->driver_.drop_buffer({buffer.data, buffer.capacity, buffer.slot});
    }
    static void send_one(void* shard, const Buffer& buffer, std::uint32_t size, const proxy::Path& path) noexcept {
      static_cast<Shard*>(shard)->send({buffer.data, buffer.capacity, buffer.slot}, size, path);
    }
  };

  void nap(Instant until) {
    const Instant now = driver_.now();
    if (until > now) {
      // Announce, then look: whoever queues mail after this look sees the announcement and wakes us.
      face_.sleeping.store(true, std::memory_order_seq_cst);
      std::atomic_thread_fence(std::memory_order_seq_cst);
      if (mail_waiting() || face_.stop.load(std::memory_order_acquire)) until = now;
      if (until > now + kOfflineAfter) {
        participant_.offline();
        offline_ = true;
      }
    }
    driver_.turn(*this, until);
    face_.sleeping.store(false, std::memory_order_relaxed);
  }

  // New INVITEs to names of ours: what is within a dialog has the other side's address in its Request-URI.
  void set_sieve() {
    passes_ = admission_.passes_per_million();
    std::array<std::string_view, io::SievePattern::kHostsMax> hosts;
    const std::size_t count = std::min(snapshot_->sieve_hosts.size(), hosts.size());
    for (std::size_t i = 0; i < count; ++i) hosts[i] = snapshot_->sieve_hosts[i];
    driver_.sieve({"INVITE sip:", {hosts.data(), count}}, passes_);
  }

  void come_online() noexcept {
    participant_.online();
    offline_ = false;
  }

  // Of the source of a request, and before any work is done for it. Who is exempt is asked only of who is over.
  bool is_over_limit(const io::Received& in) noexcept {
    if (in.bytes.starts_with("SIP/2.0 ")) return false;
    return !sources_.take(in.peer.ip, *snapshot_->limits.per_source, driver_.now()) && !is_exempt(*snapshot_, in.peer.ip);
  }

  void take_seat(const io::Received& in, std::uint64_t hash, Parcel* parcel = nullptr, Lane* lane = nullptr) {
    if (seated_ == kGroup) decide_group();
    Seat& seat = seats_[seated_++];
    seat.in = in;
    seat.call_id_hash = hash;
    seat.parcel = parcel;
    seat.lane = lane;
    seat.edge->read(in, hash, *snapshot_);
  }

  void decide_group() {
    const std::span<Seat> group{seats_.data(), seated_};
    for (const Seat& seat : group) seat.edge->prefetch_sets(*snapshot_);
    for (const Seat& seat : group) seat.edge->prefetch_bindings();
    for (Seat& seat : group) {
      decide(seat);
      if (seat.parcel) seat.lane->give_back(seat.parcel);
    }
    seated_ = 0;
  }

  void decide(Seat& seat) {
    const io::Received& in = seat.in;
    note_wait(in.waited);
    const Instant now = driver_.now();
    const WallMs wall_ms = wall_ms_ = driver_.wall_ms();
    if (face_.trace.recording()) [[unlikely]] {
      trace(now, wall_ms, driver_.precise_now() - now, Direction::in, in.socket, in.peer, in.bytes);
    }
    seat.edge->decide({in, seat.call_id_hash, *snapshot_, now, wall_ms, outbox_});
  }

  void send(const io::SendBuffer& buffer, std::uint32_t size, const proxy::Path& path) {
    if (face_.trace.recording()) [[unlikely]] {
      const Instant now = driver_.now();
      trace(now, driver_.wall_ms(), driver_.precise_now() - now, Direction::out, path.socket, path.peer, {buffer.data, size});
    }
    driver_.send(buffer, size, path.socket, path.peer, path.local, path.order);
  }

  void not_a_message(const io::Received& in, sip::Glance glance) {
    if (glance == sip::Glance::no_call_id) return drop(Dropped::no_call_id);
    if (glance == sip::Glance::garbage) return drop(Dropped::garbage);
    // RFC 5626 4.4.1: a double CRLF is a ping, answered by one CRLF; a single one is somebody's pong.
    face_.counters.keep_alives.add();
    if (in.bytes.size() < 4) return;
    const io::SendBuffer buffer = driver_.take_buffer(2);
    if (!buffer.data) return drop(Dropped::no_send_buffer);
    std::memcpy(buffer.data, "\r\n", 2);
    driver_.send(buffer, 2, in.socket, in.peer, in.local);
  }

  // The owner has no room: 503 for what begins something, silence for the rest, and never a wait.
  void shed(const io::Received& in, std::uint64_t hash) {
    face_.counters.mailbox_full.add();
    decide_group();  // then any seat will do
    seats_[0].edge->refuse({in, hash, *snapshot_, driver_.now(), driver_.wall_ms(), outbox_});
  }

  void drop(Dropped why) noexcept { face_.counters.dropped[static_cast<std::size_t>(why)].add(); }

  void read_mail() {
    for (std::uint32_t from = 0; from < shared_.exchange.shards(); ++from) {
      if (from == index_) continue;
      Lane& lane = shared_.exchange.lane(from, index_);
      for (std::size_t n = 0; n < limits::kTurnBatchMax; ++n) {
        Parcel* parcel = lane.pop();
        if (!parcel) break;
        face_.counters.taken_in.add();
        parcel->received.waited += std::max(driver_.now() - parcel->handed_at, Duration::zero());
        if (parcel->received.bytes.empty()) [[unlikely]] {
          decide_group();  // what came before it goes before it
          engine_.unreachable(parcel->received.peer, {driver_.now(), outbox_});
          lane.give_back(parcel);
          continue;
        }
        take_seat(parcel->received, parcel->call_id_hash, parcel, &lane);
      }
    }
    decide_group();
  }

  void wake_owners() {
    handed_over_ = false;
    std::atomic_thread_fence(std::memory_order_seq_cst);  // pairs with nap(): the mail is visible before the flag is read
    for (std::uint32_t shard = 0; shard < shared_.exchange.shards(); ++shard) {
      std::uint64_t& word = wake_mask_[shard / 64];
      const std::uint64_t bit = std::uint64_t{1} << (shard % 64);
      if (!(word & bit)) continue;
      word &= ~bit;
      if (shared_.faces[shard]->sleeping.load(std::memory_order_relaxed)) driver_.wake(shard);
    }
  }

  D& driver_;
  Outbox outbox_;
  Instant next_word_{};
  std::uint32_t passes_ = 1'000'000;  // as told to the driver
};

}  // namespace ringweir::shard
