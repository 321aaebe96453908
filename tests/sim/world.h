// One run of the registrar: phones, a hostile peer, and the oracle beside them, on a stage.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "sim/hostile.h"
#include "sim/knobs.h"
#include "sim/oracle.h"
#include "sim/phone.h"
#include "sim/stage.h"

namespace ringweir::sim {

struct Tally {
  std::uint64_t hash = 0;  // over everything that was delivered and sent, with its time
  std::uint64_t datagrams = 0, answers = 0, lists_exact = 0, registrations = 0, shed = 0, retransmissions = 0, handed_over = 0,
                replays_refused = 0, dropped_at_socket = 0;
  void add(const Tally& more) {
    datagrams += more.datagrams;
    answers += more.answers;
    lists_exact += more.lists_exact;
    registrations += more.registrations;
    shed += more.shed;
    retransmissions += more.retransmissions;
    handed_over += more.handed_over;
    replays_refused += more.replays_refused;
  }
};

// The configuration a world begins with: there before its shards are.
struct Begun {
  shard::Snapshot before_;
};

class World : private Begun, private Stage {
 public:
  // `aloud`: every datagram is printed as the edge gets and sends it.
  World(std::uint64_t seed, const Knobs& knobs, Break broken = Break::none, bool aloud = false);

  // Empty when every check held.
  std::optional<Violation> run();
  const Tally& tally() const { return tally_; }

 private:
  // Stage.
  bool hears(std::uint32_t shard) override;
  void delivered(const Event& event) override;
  void unsent() override { oracle_.unsent(rig_.clock.now); }
  void observe(std::uint32_t shard, const io::SimSent& sent) override;
  void after_turn(std::uint32_t shard) override;
  void happen(const Event& event) override;

  void add_phones(std::uint64_t seed);
  void send_to_edge(const std::string& bytes, const std::string& branch, const Endpoint& from);
  void attack();
  support::SipText seen(support::SipText response, Endpoint& to);
  void sweep();
  std::vector<Shown> shown(std::size_t aor);
  void bounded();

  // Phases.
  bool everyone_registers();
  void nothing_left();
  void break_something();
  void count();

  Knobs knobs_;
  Break broken_;
  bool broke_ = false;
  shard::Snapshot after_;
  Oracle oracle_;
  Hostile hostile_;
  std::vector<std::unique_ptr<Phone>> phones_;
  std::vector<std::string> aors_;
  std::optional<Shown> ghost_;
  std::vector<std::unique_ptr<location::Registrations>> strangers_;
  Tally tally_;
};

}  // namespace ringweir::sim
