// What a seed decides about a run of calls.
#pragma once
#include <cstdint>
#include <string>

#include "ringweir/balance/algorithm.h"
#include "sim/stage.h"

namespace ringweir::sim {

// A fault put into the harness on purpose, to show that the check for it can fail.
enum class CallBreak : std::uint8_t {
  none,
  twice,         // an INVITE is answered again, otherwise
  unfinished,    // a call's final responses are swallowed inside the edge
  cancel_mute,   // CANCELs are not answered
  cancel_deaf,   // CANCELs for callees are swallowed inside the edge
  drained,       // a target is drained and the edge is not told
  astray,        // a request of a call goes to another target
  relay,         // a request goes to somebody nobody knows
  bare,          // a response goes on without the caller's Via
  reorder,       // two messages of a call change places
  two,           // a caller keeps both of two answers
  leak_buffer,   // a send buffer is taken and kept
  leak_parcel,   // a parcel is not given back to its shard
  leak_text,     // a text of the pool is kept
  immortal,      // a transaction is there when all should be over
  uncounted,     // a call is counted at a target and never ends
  unpaired,      // a call ends at a target that counted none
  lopsided,      // a target gets the keys of another
  password,      // our users' credentials reach a target
  deaf,          // shard 0 hears nothing once the network is calm
  drift,         // the second run of a seed differs in one octet
  count_
};
const char* to_string(CallBreak kind) noexcept;

struct CallKnobs : StageKnobs {
  static CallKnobs from(std::uint64_t seed);
  std::string text() const;

  bool ordered = false;              // the network and the edge lose and reorder nothing: the order of messages is checked
  std::uint32_t aors = 3;            // users with phones
  std::uint32_t phones_per_aor = 2;
  bool serial = false;               // phones of different q
  std::uint32_t targets = 3;
  std::uint32_t backups = 0;         // of them, the last ones
  bool weights = false;
  balance::Algorithm algorithm = balance::Algorithm::call_id_hash;
  std::uint32_t tries = 2;
  bool fails_over_on_503 = true;
  bool ejects = true;
  bool slow_start = false;
  bool authenticates = true;
  bool two_sockets = false;          // the second one for IPv6
  bool reloads = false;
  bool probes = true;
  bool icmp = true;                  // a dead host says so
  bool tight = false;                // few transactions: room runs out
  bool traced = false;
  std::uint32_t hostile = 0;         // per million, beside each datagram to the edge
  std::uint32_t odd = 0;             // per million calls that come to somebody who does not simply answer
  Duration mishap_every = 10s;       // zero: none
  Duration timer_c = 30s, failover_after = 2s;
  std::uint32_t forks_max = 8;
  Duration pause = 5s;               // of a caller between two calls, about
  Duration chaos = 100s;
};

}  // namespace ringweir::sim
