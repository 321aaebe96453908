// One run: phones, a network that loses, repeats, delays and reorders, shards that stall and run out of buffers, a hostile
// peer, and the oracle beside them. One thread, one event queue; the seed decides everything.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ringweir/base/random.h"
#include "sim/event_queue.h"
#include "sim/hostile.h"
#include "sim/knobs.h"
#include "sim/oracle.h"
#include "sim/phone.h"
#include "support/shard_rig.h"

namespace ringweir::sim {

struct Tally {
  std::uint64_t hash = 0;  // over everything that was delivered and sent, with its time
  std::uint64_t datagrams = 0, answers = 0, lists_exact = 0, registrations = 0, shed = 0, retransmissions = 0, handed_over = 0,
                replays_refused = 0, expired = 0, dropped_at_socket = 0;
};

class World {
 public:
  // `aloud`: every datagram is printed as the edge gets and sends it.
  World(std::uint64_t seed, const Knobs& knobs, Break broken = Break::none, bool aloud = false);

  // Empty when every check held.
  std::optional<Violation> run();
  const Tally& tally() const { return tally_; }

 private:
  void add_phones(std::uint64_t seed);
  void step();
  bool run_until(Instant end);
  bool violated() const { return violation_.has_value(); }
  void fail(std::string kind, std::string text);

  // Network.
  void send_to_edge(const std::string& bytes, const std::string& branch, const Endpoint& from);
  void carry(Event event);
  void deliver(const Event& event);
  void attack();
  std::uint32_t shard_of(const Endpoint& peer) const;

  // Shards.
  void schedule(std::uint32_t shard, Instant at);
  void turn(std::uint32_t shard);
  void after_turn(std::uint32_t shard);
  void observe(const io::SimSent& sent);
  support::SipText seen(support::SipText response, Endpoint& to);
  bool nothing_inside() const;
  void sweep();
  std::vector<Shown> shown(std::size_t aor);
  void bounded();

  // Phases.
  bool everyone_registers();
  void nothing_left();
  void break_something();
  void record(char what, std::string_view bytes, std::uint64_t where);

  const std::uint64_t seed_;
  Knobs knobs_;
  Break broken_;
  bool aloud_;
  bool broke_ = false;
  Random random_;
  shard::Snapshot before_, after_;
  support::ShardRig rig_;
  Oracle oracle_;
  Hostile hostile_;
  EventQueue queue_;
  std::vector<std::unique_ptr<Phone>> phones_;
  std::vector<std::string> aors_;
  std::vector<Instant> turn_at_;
  std::vector<bool> stalled_;
  std::vector<std::uint64_t> unsent_seen_;
  Instant punctual_since_{};
  Instant spin_since_{};
  std::uint32_t spins_ = 0;
  bool calm_ = false;
  std::optional<Violation> violation_;
  std::optional<Shown> ghost_;
  std::vector<std::unique_ptr<location::Registrations>> strangers_;
  Tally tally_;
};

}  // namespace ringweir::sim
