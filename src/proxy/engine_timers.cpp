// What time does: retransmissions, ends, and targets that say nothing.
#include "proxy/context.h"

namespace ringweir::proxy {

using transaction::Action;
using transaction::has;

namespace {
constexpr Duration kLooksEvery = 50ms;
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
  const Action action = branch.fire(transaction::to_tick(at.now), wheel_);
  if (has(action, Action::send_request)) {
    if (!give_up_waiting(branch, at) && branch.text) {
      if (send_text(texts_.view(branch.text), {branch.peer, branch.socket, {}}, at)) parts_.counters.requests_again.add();
    }
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

// A target that has not said a word for a while although it was asked again, or that the network has called unreachable meanwhile:
// another one is asked before the caller notices. The first may still answer; whoever is first to, wins.
bool Engine::give_up_waiting(Branch& branch, const Moment& at) noexcept {
  Context& context = branch.context();
  if (branch.is_cancel || branch.heard || branch.passed_over || !branch.target) return false;
  const bool gone = !branch.target->reachable(at.now);
  if (!gone && at.now - branch.sent_at < setting_.policy->failover_after) return false;
  if (!fails_over(context, branch, gone ? 503 : 408, false)) return false;
  if (!gone) branch.target->timed_out(at.now, passive_of(context));
  if (!add_more(context, true, at)) return false;
  branch.target->failed_over();
  branch.passed_over = true;
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
