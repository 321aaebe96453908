#include "ringweir/proxy/engine.h"

#include <cstring>
#include <new>

#include "proxy/context.h"
#include "ringweir/base/check.h"

namespace ringweir::proxy {

using transaction::Action;
using transaction::has;
using transaction::Machine;

Engine::Engine(const EngineParts& parts, const EngineOptions& options, std::uint64_t seed, Instant now)
    : parts_(parts),
      options_(options),
      random_(seed),
      wheel_(transaction::to_tick(now)),
      texts_(parts.texts),
      contexts_(std::make_unique<Slab<Context>>(options.contexts)),
      branches_(std::make_unique<Slab<Branch>>(options.branches)),
      tags_(static_cast<std::uint64_t*>(std::calloc(options.branches, sizeof(std::uint64_t)))),
      table_(options.contexts),
      calls_(options.calls) {
  if (!tags_) throw std::bad_alloc();  // at start
}

// Targets outlive the engine: what is still in flight towards them is taken back.
Engine::~Engine() {
  for (std::uint32_t slot = 0; slot < branches_->carved(); ++slot) {
    if (tags_.get()[slot] == 0) continue;
    const Branch& branch = branches_->at(slot);
    if (branch.in_flight) branch.target->transaction_abandoned();
  }
}

std::uint32_t Engine::contexts() const noexcept { return contexts_->taken(); }
std::uint32_t Engine::branches() const noexcept { return branches_->taken(); }

bool Engine::absorb(const Arrival& in, const Moment& at) noexcept {
  const std::uint32_t to_tag = transaction::to_tag_hash(in.read.to, parts_.hash);
  const bool ack = in.message.method() == sip::Method::ack;
  auto* found = table_.find(in.key, [&](const transaction::ServerTransaction& each) {
    return ack ? each.matches_ack(to_tag) : each.matches_request(to_tag);
  });
  if (!found) return false;
  Context& context = static_cast<Context&>(*found);
  const transaction::Tick tick = transaction::to_tick(at.now);
  const Action action = ack ? context.ack(tick, wheel_) : context.request_again(tick, wheel_);
  if (has(action, Action::pass_ack)) return false;
  parts_.counters.absorbed.add();
  if (has(action, Action::resend_response) && context.text) {
    if (send_text(texts_.view(context.text), context.way_back(), at)) parts_.counters.responses_again.add();
  }
  if (has(action, Action::destroy)) over(context);
  return true;
}

bool Engine::send_text(std::string_view text, const Path& path, const Moment& at) noexcept {
  const Outbox::Buffer buffer = at.out.take(static_cast<std::uint32_t>(text.size()));
  if (!buffer.data) return false;
  std::memcpy(buffer.data, text.data(), text.size());
  at.out.send(buffer, static_cast<std::uint32_t>(text.size()), path);
  return true;
}

Branch* Engine::take_branch(Machine machine, Context& context) noexcept {
  Branch* branch = branches_->take(machine, context);
  if (!branch) return nullptr;
  const std::uint32_t slot = branches_->index(*branch);
  branch->token = tags_.get()[slot] = random_.next() | 1;
  branch->next = context.branches;
  context.branches = branch;
  parts_.counters.began[static_cast<std::size_t>(machine)].add();
  return branch;
}

// A branch whose machine has ended.
void Engine::remove(Branch& branch) noexcept {
  Context& context = branch.context();
  if (branch.in_flight) branch.target->transaction_abandoned();
  if (branch.other) branch.other->other = nullptr;
  Branch** at = &context.branches;
  while (*at && *at != &branch) at = &(*at)->next;
  check(*at != nullptr, "a branch of its context");
  *at = branch.next;
  texts_.give(branch.text);
  parts_.counters.ended[static_cast<std::size_t>(branch.machine)].add();
  tags_.get()[branches_->index(branch)] = 0;
  branches_->give(&branch);
  remove_if_over(context);
}

// The server transaction has ended: the context follows when its branches have.
void Engine::over(Context& context) noexcept {
  table_.erase(context);
  remove_if_over(context);
}

void Engine::remove_if_over(Context& context) noexcept {
  if (context.terminated() && !context.branches) remove(context);
}

void Engine::remove(Context& context) noexcept {
  if (context.completed) {
    (context.older ? context.older->newer : oldest_) = context.newer;
    (context.newer ? context.newer->older : newest_) = context.older;
  }
  if (!context.final_sent) --unanswered_;
  for (transaction::Text* text : {&context.text, &context.request, &context.request_uri, &context.best, &context.challenges}) {
    texts_.give(*text);
  }
  parts_.counters.ended[static_cast<std::size_t>(context.machine)].add();
  contexts_->give(&context);
}

bool Engine::stray(Stray why) noexcept {
  parts_.counters.strays[static_cast<std::size_t>(why)].add();
  return false;
}

Instant Engine::next_due() const noexcept {
  const std::uint64_t due = wheel_.next_due();
  return due == UINT64_MAX ? Instant::max() : Instant{std::chrono::milliseconds{static_cast<std::int64_t>(due)}};
}

}  // namespace ringweir::proxy
