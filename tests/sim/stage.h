// What every seeded world stands on: shards that take turns, stall and run out of buffers, a network that loses, repeats, delays and
// reorders, one queue of events, and a hash over all that was delivered and sent. One thread; the seed decides everything.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "ringweir/base/random.h"
#include "sim/event_queue.h"
#include "sim/violation.h"
#include "support/shard_rig.h"

namespace ringweir::sim {

struct StageKnobs {
  std::uint32_t shards = 1;
  std::uint32_t mailbox_depth = 64;
  std::uint32_t inputs = 128;        // datagrams a socket holds
  bool all_to_one = false;           // the kernel delivers every datagram to shard 0
  std::uint32_t loss = 0, duplicate = 0;           // per million datagrams
  Duration delay_least = 1ms, delay_spread = 20ms; // the spread reorders
  std::uint32_t stalls = 0;          // per million turns
  Duration stall_most = 2s;
  std::uint32_t unsent = 0;          // per million turns during which no send buffer is to be had
};

class Stage {
 public:
  Stage(std::uint64_t seed, const StageKnobs& knobs, const support::RigOptions& options, const shard::Snapshot& first, bool aloud);
  virtual ~Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

 protected:
  // What a world adds.
  virtual bool hears(std::uint32_t) { return true; }            // a shard: false loses what comes to it
  virtual void delivered(const Event&) {}                       // into a socket's buffer
  virtual void unsent() {}                                      // somebody wanted a send buffer in vain
  virtual void before_turn(std::uint32_t) {}
  virtual void observe(std::uint32_t shard, const io::SimSent& sent) = 0;
  virtual void after_turn(std::uint32_t shard) = 0;             // the checks
  virtual void happen(const Event& event) = 0;                  // all but what the stage does itself

  bool run_until(Instant end);
  void step();
  bool violated() const { return violation_.has_value(); }
  void fail(std::string kind, std::string text);
  void record(char what, std::string_view bytes, std::uint64_t where);

  void carry(Event event);  // by the network, with its faults
  void deliver(const Event& event);
  std::uint32_t shard_of(const Endpoint& peer) const;
  void schedule(std::uint32_t shard, Instant at);
  void turn(std::uint32_t shard);
  bool nothing_inside();
  bool is_stalled() const;

  const std::uint64_t seed_;
  bool aloud_;
  Random random_;
  support::ShardRig rig_;
  EventQueue queue_;
  Instant punctual_since_{};  // no shard has stalled since
  bool calm_ = false;         // nothing goes wrong any more
  std::optional<Violation> violation_;
  std::uint64_t hash_ = 0;    // over everything that was delivered and sent, with its time
  std::uint64_t datagrams_ = 0, dropped_at_socket_ = 0;

 private:
  void rest(std::uint32_t shard);

  const StageKnobs stage_;
  std::vector<Instant> turn_at_;
  std::vector<bool> stalled_;
  std::vector<std::uint64_t> unsent_seen_;
  Instant spin_since_{};
  std::uint32_t spins_ = 0;
};

// Of what any world's rig is made of.
support::RigOptions stage_options(std::uint64_t seed, const StageKnobs& knobs);

}  // namespace ringweir::sim
