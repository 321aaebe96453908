// What one shard counts on the message path. The shard's thread writes, the scrape reads and sums.
#pragma once
#include <array>

#include "ringweir/base/counters.h"
#include "ringweir/proxy/counters.h"
#include "ringweir/registrar/registrar.h"
#include "ringweir/shard/admission.h"
#include "ringweir/sip/method.h"

namespace ringweir::shard {

// Why a datagram ended in silence.
enum class Dropped : std::uint8_t {
  garbage,            // cannot begin a SIP message
  no_call_id,
  unanswerable,       // malformed, and nothing to answer it by (no usable Via)
  stray_response,     // matches no transaction of ours
  stray_ack,          // an ACK that belongs to nothing
  mailbox_full,       // owner's queue full, and the peer will retransmit
  no_send_buffer,
  oversized_answer,   // the answer does not fit the largest buffer
  overload,           // shed where even refusals do not fit
  source_limit,       // its source is over its limit
  failed_source,      // its source has failed to authenticate too often
  count_
};

// Upper bounds of the histogram of waits; the last class has none.
inline constexpr std::array<Duration, 10> kWaitBounds{1ms, 2ms, 5ms, 10ms, 20ms, 50ms, 100ms, 200ms, 500ms, 1s};

struct Counters {
  template <class E, std::size_t n = static_cast<std::size_t>(E::count_)>
  using PerKind = std::array<Counter, n>;

  std::array<Counter, sip::kMethods> requests;
  Counter responses_received;
  std::array<Counter, 700> responses_sent;  // by status
  PerKind<Dropped> dropped;
  Counter malformed;          // answered by 400, 505, 513
  Counter keep_alives;        // double CRLF answered (RFC 5626 4.4.1)
  Counter retransmissions;    // absorbed by the transaction memory
  std::array<Counter, 16> authentications;  // by auth::Reason
  std::array<Counter, registrar::kResults> registrations;
  Counter handed_over;        // received here, owned elsewhere
  Counter taken_in;           // owned here, received elsewhere
  Counter mailbox_full;       // hand-overs that found the queue or the parcels exhausted
  PerKind<Load> shed;           // refused by 503, by what it would have begun
  PerKind<Load> shed_silently;
  Counter throttled;          // attempts to authenticate that were not looked at
  std::array<Counter, kWaitBounds.size() + 1> waits;  // messages by how long they had waited, see kWaitBounds
  Counter waits_us;           // all together
  Counter turns_busy;         // turns that had work
  proxy::Counters proxy;
};

}  // namespace ringweir::shard
