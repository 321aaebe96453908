#include "sim/call_knobs.h"

#include <fmt/format.h>

namespace ringweir::sim {

const char* to_string(CallBreak kind) noexcept {
  switch (kind) {
    case CallBreak::none: return "none";
    case CallBreak::twice: return "twice";
    case CallBreak::unfinished: return "unfinished";
    case CallBreak::cancel_mute: return "cancel_mute";
    case CallBreak::cancel_deaf: return "cancel_deaf";
    case CallBreak::drained: return "drained";
    case CallBreak::astray: return "astray";
    case CallBreak::relay: return "relay";
    case CallBreak::bare: return "bare";
    case CallBreak::reorder: return "reorder";
    case CallBreak::two: return "two";
    case CallBreak::leak_buffer: return "leak_buffer";
    case CallBreak::leak_parcel: return "leak_parcel";
    case CallBreak::leak_text: return "leak_text";
    case CallBreak::immortal: return "immortal";
    case CallBreak::uncounted: return "uncounted";
    case CallBreak::unpaired: return "unpaired";
    case CallBreak::lopsided: return "lopsided";
    case CallBreak::password: return "password";
    case CallBreak::deaf: return "deaf";
    case CallBreak::drift: return "drift";
    case CallBreak::count_: break;
  }
  return "?";
}

CallKnobs CallKnobs::from(std::uint64_t seed) {
  Random random(seed ^ 0x63616c6c73ull);
  const auto one_in = [&random](std::uint32_t n) { return random.below(n) == 0; };
  CallKnobs knobs;
  knobs.shards = 1 + random.below(4);
  knobs.ordered = one_in(4);
  constexpr std::uint32_t kDepths[] = {2, 4, 16, 64};
  knobs.mailbox_depth = knobs.ordered ? 512 : kDepths[random.below(4)];
  knobs.inputs = knobs.ordered ? 512 : one_in(5) ? 3 + random.below(8) : 128;
  knobs.all_to_one = one_in(4);
  knobs.aors = 1 + random.below(4);
  knobs.phones_per_aor = 1 + random.below(4);
  knobs.serial = one_in(2);
  knobs.targets = 1 + random.below(6);
  knobs.backups = knobs.targets > 2 && one_in(4) ? 1 : 0;
  knobs.weights = one_in(3);
  knobs.algorithm = static_cast<balance::Algorithm>(random.below(9));
  knobs.tries = 1 + random.below(3);
  knobs.fails_over_on_503 = !one_in(4);
  knobs.ejects = !one_in(4);
  knobs.slow_start = one_in(4);
  knobs.authenticates = !one_in(4);
  knobs.two_sockets = one_in(3);
  knobs.reloads = one_in(3);
  knobs.probes = !one_in(3);
  knobs.icmp = !one_in(3);
  knobs.tight = one_in(8) && !knobs.ordered;
  knobs.traced = one_in(8);
  if (!knobs.ordered) {
    if (!one_in(4)) knobs.loss = random.below(200'000);
    if (!one_in(4)) knobs.duplicate = random.below(200'000);
    knobs.delay_spread = one_in(3) ? Duration{1'000ms} : Duration{1ms + random.below(100) * 1ms};
    if (one_in(3)) knobs.unsent = random.below(30'000);
    if (!one_in(3)) knobs.hostile = random.below(200'000);
  } else {
    knobs.delay_spread = Duration::zero();
  }
  if (!one_in(3)) knobs.stalls = random.below(4'000);
  knobs.stall_most = one_in(3) ? Duration{1'500ms} : Duration{300ms};  // a message lives at most T4, as RFC 3261 17.1.1.2 assumes
  knobs.odd = one_in(5) ? 0 : random.below(900'000);
  knobs.mishap_every = one_in(4) ? Duration::zero() : Duration{4s + random.below(20) * 1s};
  knobs.timer_c = 10s + random.below(30) * 1s;
  knobs.failover_after = 600ms + random.below(2'500) * 1ms;
  knobs.forks_max = one_in(4) ? 2 : 8;
  knobs.pause = 1s + random.below(8'000) * 1ms;
  return knobs;
}

std::string CallKnobs::text() const {
  return fmt::format(
      "shards {} depth {} inputs {} one {} ordered {} aors {} phones/aor {} serial {} targets {} backups {} weights {} {} tries {} "
      "on503 {} ejects {} slow {} auth {} sockets {} reloads {} probes {} icmp {} tight {} loss {} dup {} spread {}ms hostile {} "
      "stalls {} of {}ms unsent {} odd {} mishap {}s timer C {}s failover {}ms forks {} pause {}ms",
      shards, mailbox_depth, inputs, all_to_one, ordered, aors, phones_per_aor, serial, targets, backups, weights,
      balance::to_string(algorithm), tries, fails_over_on_503, ejects, slow_start, authenticates, two_sockets ? 2 : 1, reloads, probes,
      icmp, tight, loss, duplicate, to_ms(delay_spread), hostile, stalls, to_ms(stall_most), unsent, odd, to_s(mishap_every),
      to_s(timer_c), to_ms(failover_after), forks_max, to_ms(pause));
}

}  // namespace ringweir::sim
