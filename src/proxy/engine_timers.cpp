// What time does: retransmissions, ends, and targets that say nothing.
#include <algorithm>

#include "proxy/context.h"

namespace ringweir::proxy {

using transaction::Action;
using transaction::has;

namespace {
constexpr Duration kLooksEvery = 50ms;
// RFC 4320 4.1: when Timer E has reached T2, whoever has not answered says 100: after T1, 2*T1 and 4*T1.
constexpr transaction::Tick kTryingAfter = transaction::ticks(7 * transaction::kT1);
static_assert(8 * transaction::kT1 == transaction::kT2);
}  // namespace

bool Engine::advance(const Moment& at, std::uint32_t most) noexcept {
  calls_.sweep(at.now);
  return wheel_.advance(transaction::to_tick(at.now), most, [&](TimerNode& node) { fire(node, at); });
}

void Engine::fire(TimerNode& node, const Moment& at) noexcept {
  auto& transaction = static_cast<transaction::Transaction&>(node);
  if (is_server(transaction.machine)) {
    fire_server(static_cast<Context&>(transaction), at);
  } else {
    fire_client(static_cast<Branch&>(transaction), at);
  }
}

void Engine::fire_server(Context& context, const Moment& at) noexcept {
  const Action action = context.fire(transaction::to_tick(at.now), wheel_);
  if (has(action, Action::resend_response) && context.text) {
    if (send_text(texts_.view(context.text), context.way_back(), at)) parts_.counters.responses_again.add();
  }
  if (has(action, Action::tell_timeout)) parts_.counters.acks_missing.add();
  if (has(action, Action::destroy)) over(context);
}

void Engine::fire_client(Branch& branch, const Moment& at) noexcept {
  const transaction::Tick tick = transaction::to_tick(at.now);
  const Action action = branch.fire(tick, wheel_);
  if (!has(action, Action::destroy)) {
    const bool gone = give_up_waiting(branch, at);
    if (has(action, Action::send_request) && !gone && branch.text) {
      if (send_text(texts_.view(branch.text), branch.way(), at)) parts_.counters.requests_again.add();
    }
    look_again(branch, tick);
    say_trying(branch, at);
  }
  if (has(action, Action::tell_timer_c)) {  // 16.8: a CANCEL, as one who rang has said something
    parts_.counters.timer_c.add();
    cancel_branch(branch, at);
  }
  if (has(action, Action::tell_timeout) && !branch.is_cancel) {
    parts_.counters.timeouts.add();
    failed(branch, 408, at);
  }
  if (has(action, Action::destroy)) remove(branch);
}

// A silent target is given up on time, not when its request would be sent again: the node fires in between.
void Engine::look_again(Branch& branch, transaction::Tick now) noexcept {
  if (branch.is_cancel || branch.heard || branch.over || branch.passed_over || !branch.target) return;
  if (branch.context().to != Plan::To::upstream) return;
  const transaction::Tick due = branch.began + transaction::ticks(setting_.policy->failover_after);
  if (due > now && due < branch.schedule.next_due()) wheel_.arm(branch, due);
}

// Not for INVITE, whose 100 went out at once.
void Engine::say_trying(Branch& branch, const Moment& at) noexcept {
  Context& context = branch.context();
  if (context.machine != transaction::Machine::non_invite_server || context.final_sent || branch.is_cancel) return;
  if (context.state != static_cast<std::uint8_t>(transaction::non_invite_server::State::trying)) return;
  transaction::Tick began = branch.began;
  for (const Branch* each = context.branches; each; each = each->next) began = std::min(began, each->began);
  if (transaction::to_tick(at.now) - began >= kTryingAfter) answer(context, 100, at);
}

// A target that has not said a word for a while although it was asked again, or that the network has called unreachable meanwhile:
// another one is asked before the caller notices. The first may still answer; whoever is first to, wins.
bool Engine::give_up_waiting(Branch& branch, const Moment& at) noexcept {
  Context& context = branch.context();
  if (branch.is_cancel || branch.heard || branch.passed_over || !branch.target) return false;
  const bool gone = !branch.target->reachable(at.now);
  const transaction::Tick silent = transaction::to_tick(at.now) - branch.began;
  if (!gone && silent < transaction::ticks(setting_.policy->failover_after)) return false;
  if (!fails_over(context, branch, gone ? 503 : 408, false) || !add_more(context, true, at)) return false;
  if (!gone) branch.target->timed_out(at.now, passive_of(context));  // once: where nobody else is, Timer B or F says it
  branch.target->failed_over();
  branch.passed_over = true;
  --context.pending;
  branch.cancel_wanted = context.method == sip::Method::invite;
  return gone;
}

// A branch that ended without a response (16.7, 16.9).
void Engine::failed(Branch& branch, std::uint16_t status, const Moment& at) noexcept {
  if (branch.over) return;
  Context& context = branch.context();
  if (branch.in_flight) {
    branch.in_flight = false;
    branch.target->transaction_abandoned();
  }
  if (branch.target && !branch.passed_over && status == 408 && !branch.heard) branch.target->timed_out(at.now, passive_of(context));
  settle(branch, status, nullptr, nullptr, at);
}

// Nobody listens at `peer`. Believed only of whom something is in flight to (RFC 5927: these messages can be forged); the branches
// that have heard nothing from it fail now. Those of other shards see it at their next retransmission. A look at every branch, so
// no more often than kLooksEvery.
void Engine::unreachable(const Endpoint& peer, const Moment& at) noexcept {
  if (at.now < next_look_) return;
  next_look_ = at.now + kLooksEvery;
  for (std::uint32_t slot = 0; slot < branches_->carved(); ++slot) {
    if (tags_.get()[slot] == 0) continue;
    Branch& branch = branches_->at(slot);
    if (branch.over || branch.is_cancel || branch.heard || branch.peer != peer) continue;
    parts_.counters.unreachable.add();
    if (branch.target) branch.target->unreachable(at.now, passive_of(branch.context()));
    const Action action = branch.transport_error(transaction::to_tick(at.now), wheel_);
    if (has(action, Action::tell_transport_error)) failed(branch, 503, at);
    if (has(action, Action::destroy)) remove(branch);
  }
}

}  // namespace ringweir::proxy
