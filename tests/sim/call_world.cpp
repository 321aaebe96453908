#include "sim/call_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace ringweir::sim {
namespace {

const Endpoint kEdge4{IpAddress::v4(192, 0, 2, 10), 5060};
Endpoint edge6() { return {*parse_ip("2001:db8::10"), 5060}; }
constexpr balance::Probing kProbing{.every = 2s, .fail = 2, .rise = 2};
constexpr const char* kFarm = "sip:9123@example.com";       // with state
constexpr const char* kFarmToo = "sip:8123@example.com";    // without
constexpr Duration kCancelMost = 2 * 64 * 500ms;  // RFC 3261 9.1: whoever rings just before Timer B is cancelled then

balance::Upstream upstream(const CallKnobs& knobs, const char* name, balance::Algorithm algorithm, const Farm& farm) {
  balance::Upstream::Settings settings;
  settings.name = name;
  settings.algorithm = algorithm;
  for (std::uint32_t i = 0; i < knobs.targets; ++i) {
    balance::Target target{farm.targets_[i], "sip:" + to_string(farm.targets_[i]), farm.weights_[i], 0, farm.states_[i].get()};
    if (i + knobs.backups >= knobs.targets) target.priority = 1;
    settings.targets.push_back(std::move(target));
  }
  settings.failover.tries = knobs.tries;
  if (knobs.fails_over_on_503) settings.failover.codes.add(503);
  settings.passive.codes.add(503);
  settings.passive.eject = knobs.ejects ? Duration{5s} : Duration::zero();
  settings.passive.eject_max = 20s;
  if (knobs.slow_start) settings.slow_start = 10s;
  return balance::Upstream(std::move(settings));
}

proxy::Route route(const char* user, proxy::Action::Kind kind) {
  proxy::Route route;
  route.match.has_user = user != nullptr;
  if (user) route.match.user = user;
  route.action.kind = kind;
  return route;
}

shard::Snapshot snapshot(const CallKnobs& knobs, const Farm& farm, bool reloaded) {
  support::SnapshotOptions options;
  options.generation = reloaded ? 2 : 1;
  options.endpoints = {kEdge4, edge6()};
  options.users.clear();
  for (std::uint32_t i = 0; i < knobs.aors; ++i) options.users.emplace_back(fmt::format("u{}", i), fmt::format("secret-{}", i));
  options.authenticates = knobs.authenticates;
  const std::uint16_t pbx = reloaded ? 1 : 0;
  using Kind = proxy::Action::Kind;
  proxy::Route registers = route(nullptr, Kind::register_local), lookup = route(nullptr, Kind::lookup_location);
  registers.match.methods = {"REGISTER"};
  lookup.match.local_domain = true;
  lookup.action.code = 0;
  proxy::Route stateful = route("9*", Kind::forward), stateless = route("8*", Kind::forward);
  stateful.action.upstream = pbx;
  stateful.action.strip = knobs.weights ? 1 : 0;
  stateless.action.upstream = static_cast<std::uint16_t>(1 - pbx);
  stateless.action.stateless = true;
  options.routes = {registers, stateful, stateless, lookup};
  shard::Snapshot made = support::make_snapshot(options);
  made.methods_authenticated |= 1u << static_cast<unsigned>(sip::Method::invite);
  // What is shed depends on how long a shard stalled: tests/unit/shard/guard_test.cpp and admission_test.cpp say that it is shed right.
  made.limits.overload.enabled = false;
  made.limits.failed_auth = false;
  made.proxy.timer_c = knobs.timer_c;
  made.proxy.failover_after = knobs.failover_after;
  made.proxy.forks_max = knobs.forks_max;
  made.upstreams.push_back(upstream(knobs, "pbx", knobs.algorithm, farm));
  made.upstreams.push_back(upstream(knobs, "too", balance::Algorithm::call_id_hash, farm));
  if (reloaded) std::swap(made.upstreams[0], made.upstreams[1]);
  return made;
}

support::RigOptions rig_options(std::uint64_t seed, const CallKnobs& knobs) {
  support::RigOptions options = stage_options(seed, knobs);
  options.engine = {.contexts = knobs.tight ? 24u : 4'096u, .branches = knobs.tight ? 40u : 8'192u, .calls = 512};
  options.texts_bytes = std::size_t{knobs.tight ? 2u : 16u} << 20;
  options.nonce_slots = 1u << 12;
  return options;
}

}  // namespace

Farm::Farm(const CallKnobs& knobs) {
  for (std::uint32_t i = 0; i < knobs.targets; ++i) {
    Endpoint endpoint{IpAddress::v4(10, 1, 0, static_cast<std::uint8_t>(i + 1)), 5060};
    if (knobs.two_sockets && i % 3 == 2) endpoint.ip = *parse_ip(fmt::format("2001:db8:2::{:x}", i + 1));
    targets_.push_back(endpoint);
    weights_.push_back(knobs.weights ? 1 + i : 1);
    states_.push_back(std::make_unique<balance::TargetState>());
  }
  before_ = snapshot(knobs, *this, false);
  after_ = snapshot(knobs, *this, true);
}

CallWorld::CallWorld(std::uint64_t seed, const CallKnobs& knobs, CallBreak broken, bool aloud)
    : Farm(knobs),
      Stage(seed, knobs, rig_options(seed, knobs), before_, aloud),
      knobs_(knobs),
      broken_(broken),
      oracle_({.ordered = knobs.ordered, .may_forget = knobs.tight, .cancel_most = kCancelMost + 2 * knobs.stall_most + 3s}),
      hostile_(seed ^ 0x6576696c, {IpAddress::v4(203, 0, 113, 66), 5066}, kEdge4) {
  if (knobs_.traced) {
    for (const auto& face : rig_.shared.faces) face->trace.start();
  }
  oracle_.hostile_at(hostile_.address().ip);
  add_people();
  for (std::uint32_t i = 0; i < knobs_.shards; ++i) schedule(i, rig_.clock.now);
}

PartyOutside CallWorld::outside_of(std::uint32_t index, const Endpoint& from) {
  PartyOutside outside;
  outside.send = [this, from](const std::string& bytes) { from_party(bytes, from); };
  outside.timer = [this, index](Duration after, std::uint64_t token) {
    queue_.push({.at = rig_.clock.now + after, .what = What::timer, .index = index, .token = token});
  };
  outside.invited = [this](const Invited& invite) { oracle_.invited(invite); };
  outside.cancelled = [this](const std::string& branch) { oracle_.cancelled(branch, rig_.clock.now); };
  outside.fail = [this](const std::string& kind, const std::string& text) { fail(kind, text); };
  outside.died = [this, from] { oracle_.died(from); };
  outside.now = [this] { return rig_.clock.now; };
  return outside;
}

void CallWorld::add_party(PartyIdentity identity) {
  const auto index = static_cast<std::uint32_t>(parties_.size());
  identity.index = index;
  identity.edge = identity.address.ip.is_v4() ? kEdge4 : edge6();
  oracle_.knows(identity.address, index, identity.is_target);
  addresses_[identity.address] = index;
  PartyOutside outside = outside_of(index, identity.address);
  parties_.push_back(std::make_unique<Party>(std::move(identity), knobs_, seed_ * 1'000 + index, std::move(outside)));
}

void CallWorld::add_people() {
  for (std::uint32_t aor = 0; aor < knobs_.aors; ++aor) {
    std::set<Endpoint> phones;
    for (std::uint32_t n = 0; n < knobs_.phones_per_aor; ++n) {
      const auto index = static_cast<std::uint32_t>(parties_.size());
      PartyIdentity identity;
      identity.user = fmt::format("u{}", aor);
      identity.password = fmt::format("secret-{}", aor);
      identity.address = {IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(index + 1)), static_cast<std::uint16_t>(5060 + index)};
      if (knobs_.two_sockets && index % 2 == 1) identity.address.ip = *parse_ip(fmt::format("2001:db8:1::{:x}", index + 1));
      if (knobs_.serial) identity.q = fmt::format(";q=0.{}", 9 - n / 2);
      phones.insert(identity.address);
      add_party(std::move(identity));
    }
    oracle_.leads(fmt::format("sip:u{}@example.com", aor), std::move(phones), false);
  }
  const std::set<Endpoint> farm(targets_.begin(), targets_.end());
  oracle_.leads(kFarm, farm, false);
  oracle_.leads(kFarmToo, farm, true);
  for (const Endpoint& target : targets_) {
    PartyIdentity identity;
    identity.address = target;
    identity.is_target = true;
    add_party(std::move(identity));
  }
}

Party* CallWorld::at(const Endpoint& address) {
  const auto found = addresses_.find(address);
  return found == addresses_.end() ? nullptr : parties_[found->second].get();
}

// --- network

void CallWorld::from_party(const std::string& bytes, const Endpoint& from) {
  hostile_.hears(bytes);
  carry({.what = What::to_edge, .bytes = bytes, .from = from});
  if (!calm_ && random_.chance(knobs_.hostile)) {
    carry({.what = What::to_edge, .bytes = hostile_.attack(), .from = hostile_.address()});
  }
}

bool CallWorld::hears(std::uint32_t shard) {
  const bool deaf = broken_ == CallBreak::deaf && calm_ && shard == 0 && seen_ > 60;
  broke_ |= deaf;
  return !deaf;
}

void CallWorld::delivered(const Event& event) {
  if (!event.bytes.starts_with("SIP/2.0 2") || event.from == hostile_.address()) return;
  const auto response = support::read_sip(event.bytes);
  if (response && response->get("cseq").ends_with(" INVITE")) oracle_.accepted(*response);
}

// --- shards

void CallWorld::before_turn(std::uint32_t) {
  oracle_.at(rig_.clock.now);
  for (std::size_t i = 0; i < targets_.size(); ++i) oracle_.put_aside(targets_[i], states_[i]->ejection().holds(rig_.clock.now));
}

void CallWorld::observe(std::uint32_t shard, const io::SimSent& sent) {
  ++seen_;
  Endpoint to = sent.to;
  const bool drifts = breaks(CallBreak::drift);
  broke_ |= drifts;
  record('<', sent.bytes, to.port + drifts);
  if (to.ip.is_v4() != (sent.socket == 0)) fail("socket", "a datagram left by a socket of the other family");
  auto message = support::read_sip(sent.bytes);
  if (!message) {
    if (sent.bytes != "\r\n") fail("unreadable", "the edge sent what nobody can read: " + fmt::format("{} octets: {}", sent.bytes.size(), sent.bytes));
    return;
  }
  if (!spoil(*message, to)) return;
  const std::uint32_t owner = reduce(rig_.shared.hash(message->get("call-id")), knobs_.shards);
  if (message->status == 0) hostile_.sees_branch(support::parameter_of(message->get("via"), "branch"));
  oracle_.sent(*message, to, owner == shard, rig_.clock.now);
  std::string bytes{sent.bytes};
  if (bytes.starts_with("INVITE") && at(to) && at(to)->identity().is_target && breaks(CallBreak::password)) {
    broke_ = true;
    bytes.insert(bytes.find("\r\n") + 2, "Proxy-Authorization: Digest username=\"u0\", realm=\"example.com\"\r\n");
  }
  carry({.what = What::to_phone, .index = shard, .token = sent.socket, .bytes = std::move(bytes), .to = sent.to});
}

void CallWorld::after_turn(std::uint32_t) {
  if (broken_ != CallBreak::none) break_something();
  bounded();
  if (rig_.clock.now - looked_ >= 1s) {
    looked_ = rig_.clock.now;
    oracle_.watch(rig_.clock.now);
    one_answers_each();
  }
  if (oracle_.violation() && !violated()) violation_ = oracle_.violation();
}

// What a shard keeps grows with what is under way.
void CallWorld::bounded() {
  if (rig_.parcels_out() > knobs_.shards * (knobs_.shards * knobs_.mailbox_depth + 16)) fail("memory", "parcels grow");
  for (const auto& shard : rig_.shards) {
    const proxy::Engine& engine = shard->engine();
    // A request's text, its answer's, its challenges', and one of each branch.
    const std::uint64_t texts = engine.texts().counters().texts.read();
    if (texts > 5 * std::uint64_t{engine.contexts()} + engine.branches() && broken_ != CallBreak::leak_text) {
      fail("memory", fmt::format("{} texts for {} contexts", texts, engine.contexts()));
    }
  }
  for (const auto& driver : rig_.drivers) {
    if (driver->buffers_taken() != 0 && broken_ != CallBreak::leak_buffer) fail("leak", "a send buffer outlives its turn");
  }
}

// Two who have answered one call: the caller keeps one of them (RFC 3261 13.2.2.4).
void CallWorld::one_answers_each() {
  constexpr Duration kUntilEnded = 64 * 500ms + 5s;
  std::map<std::string, int> stand;
  for (const auto& party : parties_) {
    if (!party->alive()) continue;
    for (const Party::Talk& talk : party->talks()) {
      if (talk.answered && rig_.clock.now - talk.since > kUntilEnded) ++stand[talk.call_id];
    }
  }
  for (const auto& [call_id, answers] : stand) {
    if (answers < 2) continue;
    const bool caller_lives = std::any_of(parties_.begin(), parties_.end(), [&](const auto& party) { return party->called(call_id); });
    // Where there is no room a BYE may be refused, and not be tried again.
    if (caller_lives && !knobs_.tight) fail("two", fmt::format("{} stays answered by {}", call_id, answers));
  }
}

// --- events

void CallWorld::happen(const Event& event) {
  switch (event.what) {
    case What::to_phone: {
      Party* party = at(event.to);
      if (!party) return;
      if (party->alive()) return party->receive(event.bytes);
      if (knobs_.icmp) {
        queue_.push({.at = rig_.clock.now + 1ms, .what = What::unreachable, .index = event.index, .token = event.token, .to = event.to});
      }
      return;
    }
    case What::timer: return parties_[event.index]->ring(event.token);
    case What::wake: return wake(*parties_[event.index]);
    case What::mishap: return mishap();
    case What::probe: return probe();
    case What::swap:
      reloaded_ = !reloaded_;
      rig_.publish(reloaded_ ? after_ : before_);
      return record('s', {}, 0);
    default: return;
  }
}

std::string CallWorld::somewhere() {
  switch (random_.below(5)) {
    case 0: return kFarmToo;
    case 1:
    case 2: return kFarm;
    default: return fmt::format("sip:u{}@example.com", random_.below(knobs_.aors + 1));  // the last is nobody
  }
}

CallPlan CallWorld::plan() {
  CallPlan plan;
  plan.uri = somewhere();
  if (random_.below(3) == 0) plan.cancel_after = 1ms + random_.below(5'000) * 1ms;
  plan.talk = 100ms + random_.below(12'000) * 1ms;
  plan.by_route = plan.uri != kFarm || random_.below(3) != 0;
  plan.reinvites = random_.below(3) == 0;
  plan.dies = random_.below(25) == 0;
  return plan;
}

void CallWorld::wake(Party& party) {
  if (calm_) return;
  const Duration pause = knobs_.pause / 2 + random_.below(static_cast<std::uint32_t>(to_ms(knobs_.pause)) + 1) * 1ms;
  queue_.push({.at = rig_.clock.now + pause, .what = What::wake, .index = party.identity().index});
  if (!party.alive()) return;
  CallPlan plan = this->plan();
  if (party.identity().is_target) {
    if (plan.uri == kFarm || plan.uri == kFarmToo) return;  // a farm calls users
  } else if (random_.below(6) == 0) {
    return party.ask(random_.below(2) == 0 ? "MESSAGE" : "OPTIONS", plan.uri);
  }
  ++tally_.calls;
  party.call(plan);
}

void CallWorld::drain(std::size_t target, bool on) {
  oracle_.drained(targets_[target], on);
  if (on && breaks(CallBreak::drained)) {
    broke_ = true;
    return;
  }
  if (on) {
    states_[target]->drain();
  } else {
    states_[target]->undrain(rig_.clock.now);
  }
}

void CallWorld::mishap() {
  if (calm_) return;
  queue_.push({.at = rig_.clock.now + knobs_.mishap_every / 2 + random_.below(static_cast<std::uint32_t>(to_ms(knobs_.mishap_every))) * 1ms,
               .what = What::mishap});
  const std::size_t target = random_.below(knobs_.targets);
  Party& host = *at(targets_[target]);
  switch (random_.below(6)) {
    case 0: return host.die();
    case 1: return parties_[random_.below(static_cast<std::uint32_t>(parties_.size()))]->die();
    case 2: return drain(target, true);
    case 3:
      for (std::size_t i = 0; i < targets_.size(); ++i) drain(i, false);
      return;
    default:
      for (const auto& party : parties_) party->revive();
      return;
  }
}

void CallWorld::probe() {
  queue_.push({.at = rig_.clock.now + kProbing.every, .what = What::probe});
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (at(targets_[i])->alive()) {
      states_[i]->probe_succeeded(rig_.clock.now, kProbing);
    } else {
      states_[i]->probe_failed(rig_.clock.now, kProbing);
    }
    oracle_.down(targets_[i], states_[i]->verdict().probed == balance::Health::down);
  }
}

}  // namespace ringweir::sim
