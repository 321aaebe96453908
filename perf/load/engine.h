// The workloads of single requests: starts transactions, answers challenges, retransmits, counts.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "drive.h"
#include "message.h"
#include "options.h"
#include "outcome.h"
#include "peers.h"
#include "phones.h"
#include "reply.h"

namespace ringweir::load {

class Engine {
 public:
  Engine(const Options& options, Peers& peers);
  Outcome run(const Phase& phase);

  // What Drive asks.
  bool room() const noexcept { return in_flight_ < options_.window; }
  bool begin(Workload workload, std::int64_t started_ns, std::int64_t now);
  void take(std::uint32_t peer, std::string_view message, std::int64_t now);
  void run_timers(std::int64_t now);
  std::uint32_t in_flight() const noexcept { return in_flight_; }
  std::int64_t patience_ns() const noexcept { return kTransactionNs + kT1Ns; }
  bool& counting() noexcept { return counting_; }

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

  void enter(Exchange& exchange, Step step, std::int64_t now);
  void send(const Exchange& exchange);
  void finish(Exchange& exchange, bool completed, std::int64_t now);
  void take_final(Exchange& exchange, int status, std::string_view message, std::int64_t now);
  void take_challenge(Exchange& exchange, std::string_view message, std::int64_t now);
  void accept_challenge(Exchange& exchange, const Challenge& challenge, std::int64_t now);
  void reshape(const Challenge& challenge);
  bool answers(const Exchange& exchange, std::string_view message);
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
  std::uint64_t generation_ = 0, random_state_ = 0, replies_ = 0;
  std::uint32_t in_flight_ = 0;
  bool counting_ = false;
  Outcome outcome_;
};

}  // namespace ringweir::load
