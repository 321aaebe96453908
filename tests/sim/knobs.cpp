#include "sim/knobs.h"

#include <fmt/format.h>

namespace ringweir::sim {

const char* to_string(Break kind) noexcept {
  switch (kind) {
    case Break::none: return "none";
    case Break::lose: return "lose";
    case Break::unlist: return "unlist";
    case Break::undead: return "undead";
    case Break::twice: return "twice";
    case Break::replay: return "replay";
    case Break::misdirect: return "misdirect";
    case Break::leak_buffer: return "leak_buffer";
    case Break::leak_parcel: return "leak_parcel";
    case Break::leak_binding: return "leak_binding";
    case Break::deaf: return "deaf";
    case Break::mute: return "mute";
    case Break::drift: return "drift";
    case Break::count_: break;
  }
  return "?";
}

Knobs Knobs::from(std::uint64_t seed) {
  Random random(seed ^ 0x6b6e6f6273ull);
  const auto one_in = [&random](std::uint32_t n) { return random.below(n) == 0; };
  Knobs knobs;
  knobs.shards = 1 + random.below(4);
  constexpr std::uint32_t kDepths[] = {1, 2, 4, 64};
  knobs.mailbox_depth = kDepths[random.below(4)];
  knobs.inputs = one_in(4) ? 2 + random.below(6) : 128;
  knobs.aors = 1 + random.below(6);
  knobs.phones_per_aor = 1 + random.below(5);
  knobs.contacts_max = one_in(4) ? 2 + random.below(2) : 10;
  knobs.all_to_one = one_in(3);
  knobs.two_sockets = one_in(3);
  knobs.authenticates = !one_in(5);
  knobs.proxy = one_in(4);
  knobs.qop = !one_in(5);
  knobs.traced = one_in(4);
  knobs.swaps = one_in(2);
  if (!one_in(4)) knobs.loss = random.below(300'000);
  if (!one_in(4)) knobs.duplicate = random.below(300'000);
  knobs.delay_spread = one_in(3) ? Duration{1500ms} : Duration{1ms + random.below(200) * 1ms};
  if (!one_in(3)) knobs.hostile = random.below(400'000);
  if (!one_in(3)) knobs.stalls = random.below(20'000);
  knobs.stall_most = one_in(3) ? Duration{8s} : Duration{1s};
  if (one_in(2)) knobs.unsent = random.below(50'000);
  if (one_in(3)) knobs.nonce_lifetime_ms = 5'000 + random.below(20'000);
  knobs.max_expires_s = 20 + random.below(60);
  knobs.long_contacts = one_in(4);
  return knobs;
}

std::string Knobs::text() const {
  return fmt::format(
      "shards {} depth {} inputs {} aors {} phones/aor {} contacts {} one {} sockets {} auth {} proxy {} qop {} traced {} swaps {} "
      "loss {} dup {} spread {}ms hostile {} stalls {} unsent {} nonce {}ms expires {}..{}s long {}",
      shards, mailbox_depth, inputs, aors, phones_per_aor, contacts_max, all_to_one, two_sockets ? 2 : 1, authenticates, proxy,
      qop, traced, swaps, loss, duplicate, to_ms(delay_spread), hostile, stalls, unsent, nonce_lifetime_ms, min_expires_s,
      max_expires_s, long_contacts);
}

}  // namespace ringweir::sim
