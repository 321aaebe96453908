// Drives one phase of load: starts transactions, answers challenges, retransmits, counts.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "histogram.h"
#include "message.h"
#include "options.h"
#include "peers.h"
#include "phones.h"
#include "reply.h"
#include "usage.h"

namespace ringweir::load {

struct Phase {
  Workload workload = Workload::options;
  double rate = 0;
  double duration_s = 0;
  double warm_up_s = 0;
  std::uint64_t count = 0;
};

// A transaction here is what the workload counts: an OPTIONS and its 200; a REGISTER, its challenge, the
// REGISTER with credentials and its 200; an authorised refresh and its 200.
struct Outcome {
  std::uint64_t completed = 0;  // between the two usage readings, as is the latency
  Histogram latency;
  std::uint64_t retransmissions = 0;
  std::uint64_t timeouts = 0;               // Timer F
  std::uint64_t challenges = 0;             // first challenges
  std::uint64_t stale = 0;                  // challenged again with stale=true, then accepted or not
  std::uint64_t late = 0;                   // replies to what was already answered
  std::uint64_t mismatches = 0;             // replies that are not an answer to what was asked
  std::uint64_t not_started = 0;            // open loop: the bound on transactions in flight was reached
  std::uint64_t abandoned = 0;              // in flight when the phase ended
  std::map<int, std::uint64_t> unexpected;  // by status; 0 is a challenge we cannot answer
  Usage from, to;

  bool clean() const noexcept {
    return completed != 0 && timeouts == 0 && mismatches == 0 && unexpected.empty() && abandoned == 0 &&
           not_started == 0;
  }
};

class Engine {
 public:
  Engine(const Options& options, Peers& peers);
  Outcome run(const Phase& phase);

 private:
  enum class Step : std::uint8_t { free, options, unauthorised, authorised };

  struct Exchange {
    std::uint64_t token = 0;
    std::int64_t started_ns = 0;  // or was due, in an open loop
    std::int64_t sent_ns = 0;     // this step's first sending: Timer F counts from here
    std::int64_t resend_ns = 0;   // Timer E
    std::int64_t interval_ns = 0;
    std::uint32_t phone = 0, cseq = 0, nc = 0;
    Step step = Step::free;
    std::uint8_t challenged = 0;
  };

  bool begin(Workload workload, std::int64_t started_ns, std::int64_t now);
  void start_due(const Phase& phase, std::int64_t now);
  void enter(Exchange& exchange, Step step, std::int64_t now);
  void send(const Exchange& exchange);
  void finish(Exchange& exchange, bool completed, std::int64_t now);
  void take(std::string_view message, std::int64_t now);
  void take_final(Exchange& exchange, int status, std::string_view message, std::int64_t now);
  void take_challenge(Exchange& exchange, std::string_view message, std::int64_t now);
  void accept_challenge(Exchange& exchange, const Challenge& challenge, std::int64_t now);
  void reshape(const Challenge& challenge);
  bool answers(const Exchange& exchange, std::string_view message);
  void run_timers(std::int64_t now);
  void pause();
  std::uint64_t random() noexcept;

  const Options& options_;
  Peers& peers_;
  Phones phones_;
  std::vector<Exchange> exchanges_;
  std::vector<std::uint32_t> free_;
  std::vector<Common> commons_;
  std::vector<Template> options_templates_, register_templates_, authorised_templates_;
  ChallengeShape shape_;
  Hex32 ha2_{};
  std::uint64_t generation_ = 0, random_state_ = 0, started_ = 0, replies_ = 0;
  std::uint32_t in_flight_ = 0;
  std::int64_t due_ns_ = 0;
  bool counting_ = false;
  Outcome outcome_;
};

}  // namespace ringweir::load
