// What a phase of load found.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "histogram.h"
#include "usage.h"

namespace ringweir::load {

// What only calls have. A call that is not as it should be is in one of these, in Outcome::unexpected or in
// Outcome::timeouts.
struct CallCounts {
  Histogram first_response;  // INVITE to whatever is answered first, a refusal as well
  Histogram ringing;         // INVITE to 180; Outcome::latency is to 200
  std::uint64_t begun = 0, answered = 0;
  std::uint64_t last_token = 0;       // of the last call begun; its Call-ID has it
  std::size_t invite_octets = 0;      // of the last INVITE sent
  std::size_t forwarded_octets = 0;   // of the last INVITE that reached a callee
  std::uint64_t trying = 0;           // 100 seen
  std::uint64_t without_ringing = 0;  // 200 before any 180, which may be lost (RFC 3261 13.2.2.1)
  std::uint64_t answered_again = 0;   // the 200 came again and got its ACK again
  std::uint64_t invited_again = 0;    // the INVITE came to its callee again
  // Faults of what lies between caller and callee.
  std::uint64_t disorder = 0;       // 180 after 200, or ACK after BYE
  std::uint64_t misrouted = 0;      // ACK or BYE to another callee than the INVITE
  std::uint64_t reached_twice = 0;  // an INVITE to a second callee
  // Timeouts by what did not come.
  std::uint64_t lost_invite = 0, lost_answer = 0, lost_bye = 0;
  std::int64_t last_failed_begun_ns = 0;  // CLOCK_MONOTONIC, of the calls that were never answered; 0: none
  std::map<int, std::uint64_t> bye_refused;         // by status
  std::map<std::string, std::uint64_t> strange;     // requests that no caller of ours sent, by method
  std::map<std::string, std::uint64_t> per_target;  // calls that first came to this address

  bool clean() const noexcept {
    return disorder == 0 && misrouted == 0 && reached_twice == 0 && strange.empty() && bye_refused.empty();
  }
};

struct FloodCounts {
  std::map<int, std::uint64_t> answers;  // by status; 0 is no SIP
};

// A transaction here is what the workload counts: an OPTIONS and its 200; a REGISTER, its challenge, the
// REGISTER with credentials and its 200; an authorised refresh and its 200; a call from INVITE to the 200 of
// its BYE; a datagram of a flood.
struct Outcome {
  std::uint64_t completed = 0;  // between the two usage readings, as is the latency
  Histogram latency;
  std::uint64_t retransmissions = 0;
  std::uint64_t timeouts = 0;               // Timers B and F
  std::uint64_t challenges = 0;             // first challenges
  std::uint64_t stale = 0;                  // challenged again with stale=true, then accepted or not
  std::uint64_t late = 0;                   // replies to what was already answered
  std::uint64_t mismatches = 0;             // messages that are not what they should be
  std::uint64_t not_started = 0;            // open loop: the bound on transactions in flight was reached
  std::uint64_t abandoned = 0;              // in flight when the phase ended
  std::map<int, std::uint64_t> unexpected;  // by status; 0 is a challenge we cannot answer
  std::optional<CallCounts> calls;
  std::optional<FloodCounts> flood;
  Usage from, to;

  bool clean() const noexcept {
    return completed != 0 && timeouts == 0 && mismatches == 0 && unexpected.empty() && abandoned == 0 &&
           not_started == 0 && (!calls || calls->clean());
  }
};

}  // namespace ringweir::load
