#include "sim/stage.h"

#include <fmt/format.h>

#include "ringweir/base/hash.h"

namespace ringweir::sim {
namespace {

constexpr Duration kTurnEvery = 1s;           // a shard naps no longer
constexpr std::uint32_t kTurnsMost = 20'000;  // of all shards in a second: more is a shard that finds no rest

}  // namespace

support::RigOptions stage_options(std::uint64_t seed, const StageKnobs& knobs) {
  support::RigOptions options;
  options.shards = knobs.shards;
  options.mailbox_depth = knobs.mailbox_depth;
  options.key = {seed * 0x9e3779b97f4a7c15ull + 1, seed ^ 0xabcdef};
  options.bindings_max = 1'000;
  options.answered_capacity = 1u << 15;
  options.trace_entries = 256;
  options.driver.inputs = knobs.inputs;
  options.driver.send_buffers = 300;
  options.local = {{IpAddress::v4(192, 0, 2, 10), 5060}, {*parse_ip("2001:db8::10"), 5060}};
  return options;
}

Stage::Stage(std::uint64_t seed, const StageKnobs& knobs, const support::RigOptions& options, const shard::Snapshot& first, bool aloud)
    : seed_(seed),
      aloud_(aloud),
      random_(seed),
      rig_(options, first),
      stage_(knobs),
      turn_at_(knobs.shards, Instant::max()),
      stalled_(knobs.shards, false),
      unsent_seen_(knobs.shards, 0) {
  rig_.clock.advance(1'000s);
}

void Stage::fail(std::string kind, std::string text) {
  if (!violation_) violation_ = Violation{std::move(kind), std::move(text)};
}

void Stage::record(char what, std::string_view bytes, std::uint64_t where) {
  static const KeyedHash hash(Key128{7, 7});
  const auto now = static_cast<std::uint64_t>(rig_.clock.now.time_since_epoch().count());
  std::uint64_t h = hash_ ^ hash(bytes) ^ (now * 0x9e3779b97f4a7c15ull) ^ (where << 8 | static_cast<std::uint8_t>(what));
  h *= 0xd6e8feb86659fd93ull;
  hash_ = h ^ (h >> 29);
  if (aloud_) fmt::print("{:.4f} {} {}\n{}\n", static_cast<double>(now) / 1e9, what, where, bytes);
}

// --- network

std::uint32_t Stage::shard_of(const Endpoint& peer) const {
  if (stage_.all_to_one) return 0;
  return (peer.ip.octets[15] * 31u + peer.port) % stage_.shards;
}

void Stage::carry(Event event) {
  const int copies = calm_ ? 1 : (random_.chance(stage_.loss) ? 0 : 1) + (random_.chance(stage_.duplicate) ? 1 : 0);
  const auto spread_us = static_cast<std::uint32_t>(stage_.delay_spread / 1us);
  for (int i = 0; i < copies; ++i) {
    Event copy = event;
    copy.at = rig_.clock.now + stage_.delay_least;
    if (!calm_ && spread_us != 0) copy.at += random_.below(spread_us) * 1us;
    queue_.push(std::move(copy));
  }
}

void Stage::deliver(const Event& event) {
  const std::uint32_t shard = shard_of(event.from);
  if (!hears(shard)) return;
  const io::SocketIndex socket = event.from.ip.is_v4() ? 0 : 1;
  record('>', event.bytes, shard);
  ++datagrams_;
  if (!rig_.drivers[shard]->deliver(event.bytes, event.from, socket)) {
    ++dropped_at_socket_;
    return;
  }
  delivered(event);
  schedule(shard, rig_.clock.now + random_.below(2'000) * 1us);
}

// --- shards

void Stage::schedule(std::uint32_t shard, Instant at) {
  if (stalled_[shard] || at >= turn_at_[shard]) return;
  turn_at_[shard] = at;
  queue_.push({.at = at, .what = What::turn, .index = shard});
}

void Stage::turn(std::uint32_t shard) {
  turn_at_[shard] = Instant::max();
  if (rig_.clock.now - spin_since_ > 1s) {
    spin_since_ = rig_.clock.now;
    spins_ = 0;
  }
  if (++spins_ > kTurnsMost) return fail("spin", "a shard turns for ever");
  io::Sim& driver = *rig_.drivers[shard];
  if (!calm_ && random_.chance(stage_.stalls)) {
    stalled_[shard] = true;
    const Duration stall = 50ms + random_.below(static_cast<std::uint32_t>(to_ms(stage_.stall_most))) * 1ms;
    queue_.push({.at = rig_.clock.now + stall, .what = What::stall_ends, .index = shard});
    record('z', {}, shard);
    return;
  }
  before_turn(shard);
  driver.fail_buffers(!calm_ && random_.chance(stage_.unsent));
  rig_.turn(shard);
  driver.fail_buffers(false);
  const std::uint64_t wanted = driver.counters().send_buffers_exhausted.read();
  if (wanted != unsent_seen_[shard]) unsent();
  unsent_seen_[shard] = wanted;
  for (const io::SimSent& sent : driver.sent()) observe(shard, sent);
  driver.clear_sent();
  after_turn(shard);
  rest(shard);
}

// When it turns again, and who else has to.
void Stage::rest(std::uint32_t shard) {
  Instant next = rig_.clock.now + kTurnEvery;
  next = std::min({next, rig_.shards[shard]->registrations().next_expiry(), rig_.shards[shard]->engine().next_due()});
  if (rig_.drivers[shard]->has_input() || rig_.has_mail(shard)) next = rig_.clock.now + 100us;
  schedule(shard, std::max(next, rig_.clock.now + 1us));
  for (std::uint32_t other = 0; other < stage_.shards; ++other) {
    if (other != shard && rig_.has_mail(other)) schedule(other, rig_.clock.now + random_.below(500) * 1us);
  }
}

bool Stage::nothing_inside() {
  for (std::uint32_t i = 0; i < stage_.shards; ++i) {
    if (rig_.drivers[i]->has_input() || rig_.has_mail(i)) return false;
  }
  return true;
}

bool Stage::is_stalled() const { return std::find(stalled_.begin(), stalled_.end(), true) != stalled_.end(); }

// --- events

void Stage::step() {
  const Event event = queue_.pop();
  if (event.at > rig_.clock.now) rig_.clock.advance(event.at - rig_.clock.now);
  switch (event.what) {
    case What::to_edge: return deliver(event);
    case What::turn:
      if (!stalled_[event.index] && event.at == turn_at_[event.index]) turn(event.index);
      return;
    case What::stall_ends:
      stalled_[event.index] = false;
      punctual_since_ = rig_.clock.now;
      return schedule(event.index, rig_.clock.now);
    case What::unreachable:
      record('u', {}, event.index);
      rig_.drivers[event.index]->report_unreachable(event.to, static_cast<io::SocketIndex>(event.token));
      return schedule(event.index, rig_.clock.now);
    default: return happen(event);
  }
}

bool Stage::run_until(Instant end) {
  while (!violated() && !queue_.empty() && queue_.next_at() <= end) step();
  if (!violated() && end > rig_.clock.now) rig_.clock.advance(end - rig_.clock.now);
  return !violated();
}

}  // namespace ringweir::sim
