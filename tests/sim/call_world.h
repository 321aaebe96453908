// One run of calls: phones and a farm on a stage, a control that probes, drains and reloads, a hostile peer, and the oracle beside them.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ringweir/balance/target_state.h"
#include "sim/call_hostile.h"
#include "sim/call_knobs.h"
#include "sim/call_oracle.h"
#include "sim/party.h"
#include "sim/stage.h"

namespace ringweir::sim {

struct CallTally {
  std::uint64_t hash = 0, datagrams = 0, calls = 0, answered = 0, cancelled = 0, finals = 0, forks = 0, failovers = 0, strays = 0,
                shed = 0, handed_over = 0, again = 0, no_room = 0, followed = 0;
  void add(const CallTally& more);
  std::string text() const;
};

// The farm and the configurations: there before the shards are.
struct Farm {
  explicit Farm(const CallKnobs& knobs);
  std::vector<Endpoint> targets_;
  std::vector<std::uint32_t> weights_;
  std::vector<std::unique_ptr<balance::TargetState>> states_;
  shard::Snapshot before_, after_;
};

class CallWorld : private Farm, private Stage {
 public:
  CallWorld(std::uint64_t seed, const CallKnobs& knobs, CallBreak broken = CallBreak::none, bool aloud = false);

  std::optional<Violation> run();
  const CallTally& tally() const { return tally_; }

 private:
  // Stage.
  bool hears(std::uint32_t shard) override;
  void delivered(const Event& event) override;
  void before_turn(std::uint32_t shard) override;
  void observe(std::uint32_t shard, const io::SimSent& sent) override;
  void after_turn(std::uint32_t shard) override;
  void happen(const Event& event) override;

  void add_party(PartyIdentity identity);
  void add_people();
  PartyOutside outside_of(std::uint32_t index, const Endpoint& from);
  void from_party(const std::string& bytes, const Endpoint& from);
  Party* at(const Endpoint& address);

  // What goes on.
  void wake(Party& party);
  void mishap();
  void probe();
  void drain(std::size_t target, bool on);
  CallPlan plan();
  std::string somewhere();

  // Phases.
  void everyone_registers();
  void settle();                // nothing goes wrong any more, and all that was begun ends
  void calls_succeed();
  void one_call(Party& caller, const CallPlan& plan, std::vector<int> expected, const char* what);
  void fails_over(Party& caller);
  void nothing_left(const char* when);
  void calls_are_forgotten();
  void keys_are_spread();
  void one_answers_each();
  void bounded();
  void count();

  // Faults on purpose.
  bool spoil(support::SipText& message, Endpoint& to);  // false: swallow it
  void break_something();
  void begin_late();
  bool breaks(CallBreak kind) { return broken_ == kind && !broke_ && seen_ > 60; }

  CallKnobs knobs_;
  CallBreak broken_;
  bool broke_ = false;
  std::uint64_t seen_ = 0;
  std::string swallowed_;  // a call's Call-ID
  std::optional<std::pair<support::SipText, Endpoint>> held_back_;
  CallOracle oracle_;
  CallHostile hostile_;
  std::vector<std::unique_ptr<Party>> parties_;  // phones, then targets
  std::map<Endpoint, std::size_t> addresses_;
  bool reloaded_ = false;
  Instant looked_{};
  CallTally tally_;
};

}  // namespace ringweir::sim
