// What a seed decides about a run.
#pragma once
#include <cstdint>
#include <string>

#include "ringweir/base/random.h"
#include "ringweir/base/time.h"
#include "sim/stage.h"

namespace ringweir::sim {

// A fault put into the harness on purpose, to show that the check for it can fail.
enum class Break : std::uint8_t {
  none,
  lose,         // a binding vanishes from the directory as the sweep sees it
  unlist,       // a 200 lacks one Contact
  undead,       // a binding stays visible past its expiry
  twice,        // an answered transaction is answered again, otherwise
  replay,       // a replayed nonce count is accepted
  misdirect,    // an answer goes to another port
  leak_buffer,  // a send buffer is taken and kept
  leak_parcel,  // a parcel is not given back to its shard
  leak_binding, // a binding that nobody asked for
  deaf,         // shard 0 hears nothing once the network is calm
  mute,         // an answer is swallowed inside the edge
  drift,        // the second run of a seed differs in one octet
  count_
};
const char* to_string(Break kind) noexcept;

struct Knobs : StageKnobs {
  static Knobs from(std::uint64_t seed);
  std::string text() const;

  std::uint32_t aors = 4;
  std::uint32_t phones_per_aor = 2;
  std::uint32_t contacts_max = 10;
  bool two_sockets = false;          // the second one for IPv6
  bool authenticates = true;
  bool proxy = false;                // 407 instead of 401
  bool qop = true;
  bool traced = false;
  bool long_contacts = false;        // so that lists need the larger send buffer, and requests the larger parcel
  bool swaps = false;                // users are added while it runs
  std::uint32_t hostile = 0;         // per million, beside each datagram of a phone
  std::int64_t nonce_lifetime_ms = 300'000;
  std::uint32_t min_expires_s = 10, max_expires_s = 60;
  Duration chaos = 400s;
};

}  // namespace ringweir::sim
