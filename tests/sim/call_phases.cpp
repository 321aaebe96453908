// How a run of calls goes: everyone registers, everything goes wrong, and then nothing may go wrong or be left.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ringweir/balance/choose.h"
#include "sim/call_world.h"

namespace ringweir::sim {
namespace {

constexpr const char* kFarm = "sip:9123@example.com";
constexpr const char* kFarmToo = "sip:8123@example.com";
constexpr Duration kTransactionsMost = 64 * 500ms + 5s;  // behind their last message
constexpr Duration kCallsMost = 12h;                     // proxy::CallTable

}  // namespace

std::optional<Violation> CallWorld::run() {
  calm_ = true;
  everyone_registers();
  calm_ = false;
  for (const auto& party : parties_) {
    queue_.push({.at = rig_.clock.now + random_.below(3'000) * 1ms, .what = What::wake, .index = party->identity().index});
    if (broken_ == CallBreak::two) party->keep_both();
  }
  if (knobs_.mishap_every != Duration::zero()) queue_.push({.at = rig_.clock.now + knobs_.mishap_every, .what = What::mishap});
  if (knobs_.probes) queue_.push({.at = rig_.clock.now + 1s, .what = What::probe});
  if (knobs_.reloads) {
    for (int i = 1; i < 5; ++i) queue_.push({.at = rig_.clock.now + i * knobs_.chaos / 5, .what = What::swap});
  }
  run_until(rig_.clock.now + knobs_.chaos);
  if (!violated()) settle();
  if (!violated()) calls_succeed();
  if (!violated()) nothing_left("after the last call");
  if (!violated()) calls_are_forgotten();
  if (!violated()) keys_are_spread();
  count();
  return violation_;
}

void CallWorld::everyone_registers() {
  for (const auto& party : parties_) {
    if (party->identity().is_target) continue;
    party->register_here();
    run_until(rig_.clock.now + 200ms);
  }
  run_until(rig_.clock.now + 2s);
  for (const auto& party : parties_) {
    if (!party->identity().is_target && !party->registered()) fail("deaf", "a phone could not register");
  }
}

void CallWorld::settle() {
  calm_ = true;
  for (const auto& party : parties_) {
    party->revive();
    party->calm();
  }
  for (std::size_t i = 0; i < targets_.size(); ++i) drain(i, false);
  // Who rings for ever is given up after 70 s and Timer C with all q groups one after the other.
  if (!run_until(rig_.clock.now + 110s)) return;
  for (const auto& party : parties_) party->hang_up_all();
  if (!run_until(rig_.clock.now + 2 * (knobs_.timer_c + kTransactionsMost))) return;
  oracle_.all_answered(rig_.clock.now);
  if (oracle_.violation()) {
    violation_ = oracle_.violation();
    return;
  }
  for (const auto& party : parties_) {
    for (const std::string& call_id : party->ringing()) {
      return fail("ringing", fmt::format("{} rings at party {} although everyone is gone", call_id, party->identity().index));
    }
    for (const Party::Talk& talk : party->talks()) return fail("two", talk.call_id + " stands although everyone hung up");
  }
  nothing_left("after the chaos");
}

// With nothing going wrong a call gets its answer, and one at a time.
void CallWorld::one_call(Party& caller, const CallPlan& plan, std::vector<int> expected, const char* what) {
  if (violated()) return;
  ++tally_.calls;
  const std::string call_id = caller.call(plan);
  const Instant end = rig_.clock.now + 60s;
  while (!violated() && rig_.clock.now < end && caller.final_of(call_id) == 0) step();
  const int status = caller.final_of(call_id);
  if (std::find(expected.begin(), expected.end(), status) == expected.end()) {
    return fail("deaf", fmt::format("{} by party {} to {} ends with {}", what, caller.identity().index, plan.uri, status));
  }
  if (status != 200) return;
  ++tally_.answered;
  if (!run_until(rig_.clock.now + 500ms)) return;  // other forks have answered, and were ended
  if (plan.cancel_after == Duration::zero()) {
    std::uint32_t answers = 0;
    for (const auto& party : parties_) answers += party->talking(call_id, true);
    if (caller.talking(call_id, false) != 1 || answers != 1) return fail("two", fmt::format("{} is answered by {}", call_id, answers));
  }
  run_until(rig_.clock.now + plan.talk + 1s);
  for (const auto& party : parties_) {
    if (!violated() && party->talking(call_id, false) + party->talking(call_id, true) != 0) fail("two", fmt::format("{} goes on at party {} after BYE", call_id, party->identity().index));
  }
}

void CallWorld::calls_succeed() {
  run_until(rig_.clock.now + 25s);  // until the last ejection is over
  const std::size_t callers = std::min<std::size_t>(knobs_.aors * knobs_.phones_per_aor, 4);
  for (std::size_t i = 0; i < callers && !violated(); ++i) {
    Party& caller = *parties_[i];
    one_call(caller, {.uri = kFarm, .by_route = i % 2 == 0, .reinvites = true}, {200}, "a call");
    one_call(caller, {.uri = kFarmToo}, {200}, "a call without state");
    one_call(caller, {.uri = "sip:u0@example.com", .talk = 5s}, {200}, "a call");
    one_call(caller, {.uri = kFarm, .cancel_after = 5ms}, {200, 487}, "a cancelled call");
    one_call(caller, {.uri = "sip:nobody@example.com"}, {480}, "a call to nobody");
  }
  if (!violated()) fails_over(*parties_[0]);
  if (!run_until(rig_.clock.now + 2 * kTransactionsMost)) return;
}

// A host of the farm is gone: the caller does not notice while another one is there.
void CallWorld::fails_over(Party& caller) {
  Party& gone = *at(targets_[random_.below(knobs_.targets)]);
  gone.die();
  const bool other = knobs_.targets > 1 && knobs_.tries > 1;
  for (int i = 0; i < 3; ++i) one_call(caller, {.uri = kFarm}, other ? std::vector{200} : std::vector{200, 408, 500, 503}, "a call past the dead");
  gone.revive();
  run_until(rig_.clock.now + 40s);
}

// All timers have run out: all that was taken has been given back.
void CallWorld::nothing_left(const char* when) {
  if (broken_ == CallBreak::immortal) begin_late();
  const auto zero = [this, when](const char* kind, std::uint64_t n, const char* what) {
    if (n != 0) fail(kind, fmt::format("{} {} left {}", n, what, when));
  };
  for (const auto& shard : rig_.shards) {
    zero("immortal", shard->engine().contexts(), "transactions");
    zero("immortal", shard->engine().branches(), "branches");
    zero("immortal", shard->engine().unanswered(), "requests that owe an answer");
    zero("leak", shard->engine().texts().counters().texts.read(), "texts");
    zero("leak", shard->engine().texts().counters().bytes.read(), "octets of texts");
  }
  for (const auto& state : states_) zero("uncounted", state->outstanding(), "requests counted at a target");
  zero("leak", rig_.parcels_out(), "parcels");
  for (const auto& driver : rig_.drivers) zero("leak", driver->buffers_taken(), "send buffers");
}

// A fault on purpose: somebody of the farm calls when everything should be over.
void CallWorld::begin_late() {
  const std::string text = fmt::format(
      "INVITE sip:u0@example.com SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK-late\r\nFrom: <sip:late@farm.example.net>;tag=late\r\n"
      "To: <sip:u0@example.com>\r\nCall-ID: late\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
      to_string(targets_[0]));
  rig_.drivers[0]->deliver(text, targets_[0], targets_[0].ip.is_v4() ? 0 : 1);
  rig_.turn_all();
  for (const auto& driver : rig_.drivers) driver->clear_sent();
}

// Those whose sides died without a word are counted until nobody can mean them any more.
void CallWorld::calls_are_forgotten() {
  rig_.clock.advance(kCallsMost + 60s);
  for (int i = 0; i < 80; ++i) rig_.turn_all();
  for (const auto& driver : rig_.drivers) driver->clear_sent();
  for (const auto& state : states_) {
    if (state->calls() != 0) fail("uncounted", fmt::format("{} calls counted at a target that has none", state->calls()));
    if (state->tallies().unpaired != 0) fail("unpaired", fmt::format("{} ends that nothing had begun", state->tallies().unpaired));
  }
  if (rig_.live() != 0) fail("leak", fmt::format("{} registrations outlive the day", rig_.live()));
  nothing_left("half a day later");
}

// A hash gives each target the keys of its weight, whatever was ejected and drained before (Eisenbud et al. 2016, 3.4).
void CallWorld::keys_are_spread() {
  constexpr std::uint32_t kKeys = 4'000;
  const shard::Snapshot& now = reloaded_ ? after_ : before_;
  const balance::Upstream& upstream = now.upstreams[reloaded_ ? 0 : 1];
  std::vector<std::uint32_t> got(knobs_.targets);
  std::uint64_t weights = 0;
  for (std::uint32_t i = 0; i + knobs_.backups < knobs_.targets; ++i) weights += weights_[i];
  for (std::uint32_t i = 0; i < kKeys; ++i) {
    const auto choice = balance::choose(upstream, {.call_id = random_.next()}, {}, rig_.clock.now + 60s, random_);
    if (!choice) return fail("lopsided", "no target is left in the end");
    ++got[broken_ == CallBreak::lopsided ? 0 : choice->target];
  }
  for (std::uint32_t i = 0; i < knobs_.targets; ++i) {
    const bool backup = i + knobs_.backups >= knobs_.targets;
    const double due = backup ? 0 : static_cast<double>(kKeys) * weights_[i] / static_cast<double>(weights);
    if (std::abs(got[i] - due) > due * 0.3 + 20) fail("lopsided", fmt::format("target {} gets {} of {} keys, {:.0f} are due", i, got[i], kKeys, due));
  }
}

void CallWorld::count() {
  tally_.hash = hash_;
  tally_.datagrams = datagrams_;
  tally_.finals = oracle_.finals();
  tally_.followed = oracle_.followed();
  for (const auto& face : rig_.shared.faces) {
    const proxy::Counters& proxy = face->counters.proxy;
    tally_.shed += face->counters.mailbox_full.read();
    tally_.handed_over += face->counters.handed_over.read();
    tally_.cancelled += proxy.cancels.read();
    tally_.forks += proxy.forks.read();
    tally_.failovers += proxy.failovers.read();
    tally_.again += proxy.absorbed.read();
    tally_.no_room += proxy.no_room.read() + proxy.forgotten.read();
    for (const Counter& stray : proxy.strays) tally_.strays += stray.read();
  }
}

void CallTally::add(const CallTally& more) {
  datagrams += more.datagrams;
  calls += more.calls;
  answered += more.answered;
  cancelled += more.cancelled;
  finals += more.finals;
  forks += more.forks;
  failovers += more.failovers;
  strays += more.strays;
  shed += more.shed;
  handed_over += more.handed_over;
  again += more.again;
  no_room += more.no_room;
  followed += more.followed;
}

std::string CallTally::text() const {
  return fmt::format("{} datagrams, {} calls, {} finals, {} cancelled, {} forks, {} failovers, {} in dialogs, {} strays, {} shed, "
                     "{} handed over, {} absorbed, {} without room",
                     datagrams, calls, finals, cancelled, forks, failovers, followed, strays, shed, handed_over, again, no_room);
}

// --- faults on purpose

bool CallWorld::spoil(support::SipText& message, Endpoint& to) {
  if (broken_ == CallBreak::none) return true;
  const std::string_view cseq = message.get("cseq");
  const bool invite = cseq.ends_with(" INVITE"), is_final = message.status >= 200;
  const bool request_in_dialog = message.status == 0 && message.get("to").find("tag=") != std::string_view::npos;
  const std::string call_id{message.get("call-id")};
  if (broken_ == CallBreak::twice && invite && message.status == 200 && breaks(CallBreak::twice)) {
    oracle_.sent(message, to, true, rig_.clock.now);
    broke_ = true;
    message.status = 500;
    message.start_line = "SIP/2.0 500 Broken";
  }
  if (broken_ == CallBreak::unfinished && invite && message.status >= 180) {
    if (swallowed_.empty() && seen_ > 60) swallowed_ = call_id;
    if (is_final && swallowed_ == call_id) return false;
  }
  if (broken_ == CallBreak::cancel_mute && cseq.ends_with(" CANCEL") && message.status != 0) return false;
  if (broken_ == CallBreak::cancel_deaf && message.start_line.starts_with("CANCEL")) return false;
  if (request_in_dialog && breaks(CallBreak::astray) && targets_.size() > 1 && at(to) && at(to)->identity().is_target &&
      message.get("x-unrouted").empty()) {
    broke_ = true;
    to = to == targets_[0] ? targets_[1] : targets_[0];
  }
  if (message.status == 0 && breaks(CallBreak::relay)) {
    broke_ = true;
    to = CallHostile::elsewhere();
  }
  if (message.status != 0 && breaks(CallBreak::bare) && at(to)) {
    broke_ = true;
    std::erase_if(message.headers, [](const auto& header) { return header.first == "via"; });
  }
  if (broken_ == CallBreak::reorder && knobs_.ordered && message.status == 0 && !message.get("x-order").empty()) {
    if (breaks(CallBreak::reorder) && request_in_dialog) {  // an ACK waits for the next
      broke_ = true;
      held_back_ = {message, to};
      return false;
    }
    if (held_back_ && held_back_->first.get("call-id") == message.get("call-id")) {
      oracle_.sent(message, to, true, rig_.clock.now);
      oracle_.sent(held_back_->first, held_back_->second, true, rig_.clock.now);
      held_back_.reset();
    }
  }
  return true;
}

void CallWorld::break_something() {
  if (broke_ || seen_ < 60) return;
  switch (broken_) {
    case CallBreak::leak_buffer: rig_.drivers[0]->take_buffer(100); break;
    case CallBreak::leak_text:
      static_cast<void>(const_cast<transaction::TextPool&>(rig_.shards[0]->engine().texts()).keep("kept"));
      break;
    case CallBreak::leak_parcel:
      for (std::uint32_t from = 0; from < knobs_.shards; ++from) {
        for (std::uint32_t to = 0; to < knobs_.shards; ++to) {
          if (from != to && !broke_) broke_ = rig_.shared.exchange.lane(from, to).take_empty() != nullptr;
        }
      }
      return;
    case CallBreak::uncounted: states_[0]->call_began(); break;
    case CallBreak::unpaired:
      if (states_[0]->calls() != 0) return;
      states_[0]->call_ended();
      break;
    default: return;
  }
  broke_ = true;
}

}  // namespace ringweir::sim
