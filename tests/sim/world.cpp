#include "sim/world.h"

#include <fmt/format.h>

namespace ringweir::sim {
namespace {

constexpr Duration kCalm = 90s;
constexpr Duration kPunctual = 500ms;   // this long after the last stall every shard has caught up

support::SnapshotOptions snapshot_options(const Knobs& knobs, bool late) {
  support::SnapshotOptions options;
  options.sheds = false;  // a shard that stalls is no shard that has too much to do: the oracle expects its answers
  options.generation = late ? 2 : 1;
  options.users.clear();
  for (std::uint32_t i = 0; i < knobs.aors; ++i) {
    if (knobs.swaps && !late && i + 1 == knobs.aors) continue;
    const std::string user = fmt::format("u{}", i);
    options.users.emplace_back(user, "secret-" + user);
  }
  options.authenticates = knobs.authenticates;
  options.proxy = knobs.proxy;
  options.qop = knobs.qop;
  options.nonce_lifetime_ms = knobs.nonce_lifetime_ms;
  options.registrar = {knobs.min_expires_s, 30, knobs.max_expires_s, knobs.contacts_max};
  return options;
}

// What is shed and throttled has tests of its own (tests/unit/shard): here every request is heard.
shard::Snapshot make_snapshot(const Knobs& knobs, bool later) {
  shard::Snapshot made = support::make_snapshot(snapshot_options(knobs, later));
  made.limits.overload.enabled = false;
  made.limits.failed_auth = false;
  return made;
}

support::RigOptions rig_options(std::uint64_t seed, const Knobs& knobs) {
  support::RigOptions options = stage_options(seed, knobs);
  if (knobs.long_contacts) options.driver.octets_each = 2'048;  // a list of some contacts needs a large buffer
  return options;
}

}  // namespace

World::World(std::uint64_t seed, const Knobs& knobs, Break broken, bool aloud)
    : Begun{make_snapshot(knobs, false)},
      Stage(seed, knobs, rig_options(seed, knobs), before_, aloud),
      knobs_(knobs),
      broken_(broken),
      after_(make_snapshot(knobs, true)),
      oracle_(knobs.aors, knobs.contacts_max, knobs.authenticates),
      hostile_(seed ^ 0x6576696c, {IpAddress::v4(203, 0, 113, 66), 666}) {
  if (knobs_.traced) {
    for (const auto& face : rig_.shared.faces) face->trace.start();
  }
  add_phones(seed);
  for (std::uint32_t i = 0; i < knobs_.shards; ++i) schedule(i, rig_.clock.now);
  queue_.push({.at = rig_.clock.now + 30s, .what = What::power});
  if (knobs_.swaps) queue_.push({.at = rig_.clock.now + knobs_.chaos / 3, .what = What::swap});
}

void World::add_phones(std::uint64_t seed) {
  for (std::uint32_t aor = 0; aor < knobs_.aors; ++aor) {
    const std::string user = fmt::format("u{}", aor);
    aors_.push_back(user + "@example.com");
    for (std::uint32_t n = 0; n < knobs_.phones_per_aor; ++n) {
      const auto index = static_cast<std::uint32_t>(phones_.size());
      PhoneIdentity identity{.index = index, .aor = aor, .user = user, .password = "secret-" + user,
                             .realm = "example.com", .domain = "example.com", .address = {}};
      const auto low = static_cast<std::uint8_t>(index + 1);
      identity.address = {IpAddress::v4(10, 0, 0, low), static_cast<std::uint16_t>(5060 + index)};
      if (knobs_.two_sockets && index % 2 == 1) identity.address.ip = *parse_ip(fmt::format("2001:db8:1::{:x}", index + 1));
      identity.known = !(knobs_.swaps && aor + 1 == knobs_.aors);
      if (index % 7 == 6) {
        identity.password = "wrong";
        identity.wrong_password = true;
        identity.known = false;
      }
      const Endpoint from = identity.address;
      PhoneOutside outside;
      outside.send = [this, from](const std::string& bytes, const std::string& branch) { send_to_edge(bytes, branch, from); };
      outside.asked = [this](const Asked& asked) { oracle_.asked(asked); };
      outside.timer = [this, index](Duration after, What what, std::uint64_t token) {
        queue_.push({.at = rig_.clock.now + after, .what = what, .index = index, .token = token});
      };
      phones_.push_back(std::make_unique<Phone>(std::move(identity), knobs_, seed * 1'000 + index, std::move(outside)));
      queue_.push({.at = rig_.clock.now + random_.below(3'000) * 1ms, .what = What::wake, .index = index});
    }
  }
}

// --- network

void World::send_to_edge(const std::string& bytes, const std::string& branch, const Endpoint& from) {
  hostile_.hears(bytes, branch, from);
  carry({.what = What::to_edge, .bytes = bytes, .from = from, .branch = branch});
  if (!calm_ && random_.chance(knobs_.hostile)) attack();
}

void World::attack() {
  Hostile::Attack attack = hostile_.attack(oracle_);
  // Where nobody is asked for a password, an altered message is as good as any.
  if (!knobs_.authenticates && attack.bytes.find("Via: SIP/2.0/UDP") != std::string::npos) return;
  carry({.what = What::to_edge, .bytes = std::move(attack.bytes), .from = attack.from, .branch = std::move(attack.branch)});
}

bool World::hears(std::uint32_t shard) {
  const bool deaf = broken_ == Break::deaf && calm_ && shard == 0;
  broke_ |= deaf;
  return !deaf;
}

void World::delivered(const Event& event) {
  if (!event.branch.empty()) oracle_.delivered(event.branch, rig_.clock.now);
}

// --- shards

void World::after_turn(std::uint32_t) {
  if (broken_ != Break::none) break_something();
  if (nothing_inside()) oracle_.settled(rig_.clock.now);
  sweep();
  bounded();
  if (oracle_.violation()) violation_ = oracle_.violation();
}

void World::observe(std::uint32_t, const io::SimSent& sent) {
  Endpoint to = sent.to;
  std::string bytes{sent.bytes};
  const bool drifts = broken_ == Break::drift && !broke_ && tally_.answers > 20;
  broke_ |= drifts;
  record('<', bytes, to.port + drifts);
  auto response = support::read_sip(bytes);
  if (!response) {
    if (bytes != "\r\n") fail("unreadable", "the edge sent what nobody can read: " + bytes);
    return;
  }
  ++tally_.answers;
  if (broken_ == Break::mute && !broke_ && response->status == 200 && tally_.answers > 20) {
    broke_ = true;
    return;
  }
  const support::SipText shown = seen(*std::move(response), to);
  oracle_.answered(shown, to, rig_.clock.now);
  if (broken_ == Break::twice && !broke_ && shown.status == 200 && tally_.answers > 20) {
    broke_ = true;
    support::SipText again = shown;
    again.status = 500;
    oracle_.answered(again, to, rig_.clock.now);
  }
  carry({.what = What::to_phone, .bytes = std::move(bytes), .to = sent.to});
}

std::vector<Shown> World::shown(std::size_t aor) {
  std::vector<Shown> all;
  const std::string& name = aors_[aor];
  const location::BindingSet* set = rig_.directory.find(name, rig_.directory.hash(name));
  for (std::size_t i = 0; set && i < set->size(); ++i) {
    const location::BindingView view = set->view(i);
    all.push_back({std::string{support::bracketed(view.contact)}, {view.expires_at, view.expires_at}});
  }
  return all;
}

void World::sweep() {
  const bool punctual = !is_stalled() && rig_.clock.now - punctual_since_ > kPunctual;
  rig_.reader.online();
  for (std::size_t aor = 0; aor < aors_.size(); ++aor) {
    std::vector<Shown> all = shown(aor);
    if (broken_ == Break::lose && !all.empty() && tally_.answers > 30) {
      broke_ = true;
      all.pop_back();
    }
    if (broken_ == Break::undead && !all.empty() && !ghost_) {
      broke_ = true;
      ghost_ = all.front();
    }
    if (broken_ == Break::undead && ghost_ && aor == 0 && all.empty()) all.push_back(*ghost_);
    oracle_.swept(aor, all, rig_.clock.now, punctual);
  }
  rig_.reader.offline();
}

// What is held grows with what is registered, not with what was asked.
void World::bounded() {
  const std::size_t possible = oracle_.contacts_possible();
  if (rig_.parcels_out() > knobs_.shards * (knobs_.shards * knobs_.mailbox_depth + 16)) fail("memory", "parcels grow");
  const auto blocks = static_cast<std::size_t>(rig_.blocks());
  // Sets, bindings and what waits for a stalled shard's quiescent state: a stall of 8 s holds back what changed meanwhile.
  const std::size_t most = 8 * (possible + aors_.size()) + 4'000;
  if (blocks > most) fail("memory", fmt::format("{} blocks out, {} contacts possible", blocks, possible));
  for (const auto& driver : rig_.drivers) {
    if (driver->buffers_taken() != 0 && broken_ != Break::leak_buffer) fail("leak", "a send buffer outlives its turn");
  }
}

// --- events

void World::happen(const Event& event) {
  switch (event.what) {
    case What::to_phone:
      for (const auto& phone : phones_) {
        if (phone->identity().address == event.to) phone->receive(event.bytes, rig_.clock.now);
      }
      return;
    case What::retransmit: return phones_[event.index]->retransmit(event.token);
    case What::give_up: return phones_[event.index]->give_up(event.token, rig_.clock.now);
    case What::wake: return phones_[event.index]->wake(event.token, rig_.clock.now);
    case What::power:
      for (const auto& phone : phones_) phone->wake(0, rig_.clock.now);
      if (!calm_) queue_.push({.at = rig_.clock.now + 5s + random_.below(40'000) * 1ms, .what = What::power});
      return;
    case What::swap:
      rig_.publish(after_);
      oracle_.users_added();
      for (const auto& phone : phones_) phone->users_added();
      return record('s', {}, 0);
    default: return;
  }
}

std::optional<Violation> World::run() {
  if (run_until(rig_.clock.now + knobs_.chaos)) {
    calm_ = true;
    for (const auto& phone : phones_) phone->calm();
    run_until(rig_.clock.now + 45s);  // timers run out, stalls end, late datagrams arrive
  }
  if (!violated() && everyone_registers()) nothing_left();
  count();
  return violation_;
}

void World::count() {
  tally_.hash = hash_;
  tally_.datagrams = datagrams_;
  tally_.dropped_at_socket = dropped_at_socket_;
  for (const auto& face : rig_.shared.faces) {
    tally_.shed += face->counters.mailbox_full.read();
    tally_.retransmissions += face->counters.retransmissions.read();
    tally_.handed_over += face->counters.handed_over.read();
    tally_.registrations += face->counters.registrations[static_cast<std::size_t>(registrar::Result::updated)].read();
    tally_.replays_refused += face->counters.authentications[static_cast<std::size_t>(auth::Reason::replayed)].read();
  }
  tally_.lists_exact = oracle_.lists_exact();
}

// Once nothing goes wrong any more, whoever has the right password gets in.
bool World::everyone_registers() {
  for (const auto& phone : phones_) {
    const Instant end = rig_.clock.now + kCalm;
    int status = 0;
    do {
      phone->register_once(rig_.clock.now);
      while (!violated() && phone->busy() && !queue_.empty()) step();
      if (violated()) return false;
      status = phone->last_status();
      if (status == 503) run_until(rig_.clock.now + 3s);  // told to come back
    } while (status == 503 && rig_.clock.now < end);
    const bool right = !knobs_.authenticates || phone->identity().known;
    const bool expected = right ? status == 200 || (status == 403 && knobs_.contacts_max < 10) : status == 401 || status == 407;
    if (!expected) fail("deaf", fmt::format("phone {} ends with {} on a calm network", phone->identity().index, status));
  }
  return !violated();
}

// After the last expiry and a quiescent state of everyone, everything taken has been given back.
void World::nothing_left() {
  for (std::size_t i = 0; i < phones_.size(); i += 2) {
    phones_[i]->leave(rig_.clock.now);
    while (!violated() && phones_[i]->busy() && !queue_.empty()) step();
  }
  if (!run_until(rig_.clock.now + std::chrono::seconds(knobs_.max_expires_s) + 5s)) return;
  rig_.turn_all();
  rig_.turn_all();
  rig_.turn_all();
  const auto zero = [this](std::uint64_t n, const char* what) {
    if (n != 0) fail("leak", fmt::format("{} {} left after everything expired", n, what));
  };
  zero(rig_.live(), "registrations");
  zero(rig_.parcels_out(), "parcels");
  zero(rig_.directory.bindings(), "bindings in the directory");
  zero(rig_.directory.aors(), "AORs in the directory");
  zero(static_cast<std::uint64_t>(rig_.blocks()), "blocks of the directory");
  for (const auto& driver : rig_.drivers) zero(driver->buffers_taken(), "send buffers");
  for (const auto& shard : rig_.shards) zero(shard->registrations().unsettled(), "shards with something unsettled");
}

// --- faults on purpose

support::SipText World::seen(support::SipText response, Endpoint& to) {
  if (broke_ || tally_.answers < 20) return response;
  if (broken_ == Break::misdirect) {
    broke_ = true;
    ++to.port;
  }
  if (broken_ == Break::unlist && response.status == 200 && response.has("contact")) {
    broke_ = true;
    std::erase_if(response.headers, [](const auto& header) { return header.first == "contact"; });
  }
  if (broken_ == Break::replay && (response.status == 401 || response.status == 407) &&
      response.get("via").find("evil") != std::string_view::npos) {
    broke_ = true;
    response.status = 200;
  }
  return response;
}

void World::break_something() {
  if (broke_ || tally_.answers < 20) return;
  if (broken_ == Break::leak_buffer) {
    broke_ = true;
    rig_.drivers[0]->take_buffer(100);
  }
  if (broken_ == Break::leak_parcel) {
    for (std::uint32_t from = 0; from < knobs_.shards; ++from) {
      for (std::uint32_t to = 0; to < knobs_.shards; ++to) {
        if (from != to && !broke_) broke_ = rig_.shared.exchange.lane(from, to).take_empty() != nullptr;
      }
    }
  }
  if (broken_ == Break::leak_binding) {
    broke_ = true;
    strangers_.push_back(std::make_unique<location::Registrations>(rig_.directory, 0, rig_.clock.now));
    const location::ContactUpdate contact{"<sip:ghost@192.0.2.99>", *sip::parse_uri("sip:ghost@192.0.2.99"), 1000, 7200};
    const location::BindingSet* result = nullptr;
    rig_.reader.online();
    strangers_.back()->apply({.aor = "ghost@example.com", .aor_hash = rig_.directory.hash("ghost@example.com"),
                              .call_id = "ghost", .cseq = 1, .star = false, .contacts = {&contact, 1}, .source = {},
                              .socket = 0, .user_agent = {}, .now = rig_.clock.now, .contacts_max = 10}, result);
    rig_.reader.offline();
  }
}

}  // namespace ringweir::sim
