// Traces as people read them: one message a line, its full text, or the ladder of one call. Pure functions of entries and
// style. What a peer sent is never given to a terminal as it is: control octets come out as \x1b.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ringweir/shard/trace_ring.h"

namespace ringweir::control {

// What a peer is called where it has a lane of its own.
struct PeerName {
  Endpoint peer;
  std::string name;
};

struct TraceStyle {
  bool colour = false;             // ANSI colours and box drawing: only for a terminal
  std::int32_t utc_offset_s = 0;   // of the times shown
};

// "12:00:00.000123"
std::string format_time_of_day(std::int64_t wall_us, const TraceStyle& style);

// "12:00:00.000123 s0 <- 192.0.2.1:5060  REGISTER sip:example.com  (1 REGISTER)", with a line end. An arrow to the left is a
// message that arrived.
std::string render_message(const shard::TraceEntry& entry, const TraceStyle& style);
// The same line, then every line of the message, indented, then an empty line.
std::string render_message_full(const shard::TraceEntry& entry, const TraceStyle& style);

// One arrow a message, in the order given: time, what passed since the message before, start line, CSeq, and what is worth
// knowing about it (challenge, credentials, bindings, retransmission). Lanes: who spoke first, the edge, then each whom the
// edge asked something, four at most, the fourth for all the rest. A lane has the name given for its peer, else its user.
std::string render_ladder(std::string_view call_id, std::span<const shard::TraceEntry> entries, const TraceStyle& style,
                          std::span<const PeerName> names = {});

// Text that is safe to print: control octets, DEL, C1 controls and octets that are not UTF-8 as \xNN. Tabs become a blank;
// line ends are control octets here.
std::string printable(std::string_view text);

}  // namespace ringweir::control
