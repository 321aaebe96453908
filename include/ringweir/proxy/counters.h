// What the engine counts. The shard's thread writes, the scrape reads and sums.
#pragma once
#include <array>

#include "ringweir/base/counters.h"

namespace ringweir::proxy {

// Why a message that the engine was given ended in silence.
enum class Stray : std::uint8_t {
  foreign_branch,   // a response whose top Via is not ours
  no_transaction,   // ours once, but over, or another shard's or process'
  wrong_method,     // the CSeq method is not the transaction's
  forged,           // a stateless branch that does not verify against the Via below it
  no_way_back,      // no Via below ours, or one that says nothing a response could be sent to
  ack,              // an ACK that belongs to nothing
  other_call,       // our branch, with the Call-ID or CSeq number of another request
  count_
};

struct Counters {
  std::array<Counter, 4> began;       // transactions by transaction::Machine
  std::array<Counter, 4> ended;       // the same; live ones are the difference
  Counter forwarded_requests, forwarded_responses;     // statefully, every copy
  Counter stateless_requests, stateless_responses;
  Counter requests_again, responses_again;             // retransmissions sent by timers or asked for
  Counter absorbed;                   // retransmissions received that changed nothing
  Counter forks;                      // branches beyond the first of a request
  Counter failovers;                  // requests that went on to another target
  Counter cancels;                    // CANCELs received for something alive
  Counter cancels_sent;
  Counter timeouts;                   // client transactions that got no final response
  Counter timer_c;                    // INVITEs that rang too long
  Counter acks_missing;               // final responses to INVITE that nobody acknowledged
  Counter unreachable;                // branches ended by what the network said
  Counter no_room;                    // requests shed: transactions or their texts used up
  Counter forgotten;                  // completed transactions given up early to make room
  Counter no_target;                  // requests for an upstream with nothing usable
  Counter routes_followed, routes_refused;  // signed Routes: verified, not verified
  Counter calls_evicted;
  std::array<Counter, static_cast<std::size_t>(Stray::count_)> strays;
};

}  // namespace ringweir::proxy
