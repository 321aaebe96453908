// Responses (RFC 3261 16.7, 18.1.2).
#include "proxy/context.h"
#include "ringweir/proxy/best_response.h"
#include "ringweir/proxy/via_branch.h"
#include "ringweir/sip/forward.h"

namespace ringweir::proxy {

using transaction::Action;
using transaction::has;

bool Engine::respond(const sip::Message& message, const sip::Essentials& read, std::uint64_t call_id_hash, const Path& path,
                     const Moment& at) noexcept {
  switch (kind_of(read.via.branch)) {
    case BranchKind::foreign: return stray(Stray::foreign_branch);
    case BranchKind::stateless: return respond_stateless(message, read, call_id_hash, path, at);
    case BranchKind::stateful: break;
  }
  Branch* branch = branch_of(read.via.branch);
  if (!branch) return stray(Stray::no_transaction);
  const Context& context = branch->context();
  if (context.call_id_hash != call_id_hash || context.cseq != read.cseq.number) return stray(Stray::other_call);
  // 17.1.3: the CSeq method too. The CANCEL of an INVITE has the same branch (9.1).
  if (read.cseq.method == sip::Method::cancel) {
    branch = branch->other;
    if (!branch) return stray(Stray::no_transaction);
    const Action action = branch->response(message.status(), transaction::to_tick(at.now), wheel_);
    if (has(action, Action::destroy)) remove(*branch);
    return true;
  }
  if (read.cseq.method != context.method) return stray(Stray::wrong_method);
  if (!sip::has_via_below(message, read)) return stray(Stray::no_way_back);  // 16.7 step 3
  on_response(*branch, message, read, at);
  return true;
}

// The slot is believed only where the tag is the one drawn for the transaction that has it now.
Branch* Engine::branch_of(std::string_view text) noexcept {
  const auto names = parse_stateful_branch(text);
  if (!names || names->shard != options_.shard || names->slot >= branches_->carved()) return nullptr;
  if (names->tag == 0 || tags_.get()[names->slot] != names->tag) return nullptr;
  return &branches_->at(names->slot);
}

void Engine::on_response(Branch& branch, const sip::Message& message, const sip::Essentials& read, const Moment& at) noexcept {
  Context& context = branch.context();
  const std::uint16_t status = message.status();
  if (branch.in_flight && status > 100) {
    branch.in_flight = false;
    branch.target->transaction_ended(at.now - branch.sent_at, at.now);
  }
  branch.heard = true;
  const Action action = branch.response(status, transaction::to_tick(at.now), wheel_);
  if (action == Action::none) parts_.counters.absorbed.add();
  if (has(action, Action::send_ack)) acknowledge(branch, message, at);
  if (has(action, Action::pass_provisional)) {
    if (branch.cancel_wanted) cancel_branch(branch, at);
    // 16.7 step 5; to other requests nothing but 100 is provisional (RFC 4320 4.1), and that is one hop's
    const bool invite = context.method == sip::Method::invite;
    if (status > 100 && invite && !context.final_sent) answer_with(context, message, read, at);
  }
  if (has(action, Action::pass_final)) on_final(branch, message, read, at);
  if (has(action, Action::pass_more_2xx)) answer_with(context, message, read, at);
  if (has(action, Action::destroy)) remove(branch);
}

// 17.1.1.3. The INVITE is needed no more once its ACK has taken its place, for each time the response comes again.
void Engine::acknowledge(Branch& branch, const sip::Message& response, const Moment& at) noexcept {
  const Path path = branch.way();
  if (!branch.text) return;
  if (texts_.view(branch.text).starts_with("ACK ")) {
    send_text(texts_.view(branch.text), path, at);
    return;
  }
  const auto parsed = sip::parse(texts_.view(branch.text), sip::Framing::datagram, stored_);
  if (parsed.completeness != sip::Completeness::complete) return;
  const Outbox::Buffer buffer = at.out.take(static_cast<std::uint32_t>(stored_.bytes().size() + response.value(sip::HeaderId::to).size()));
  if (!buffer.data) return;
  Writer out(buffer.data, buffer.capacity);
  sip::write_ack(out, stored_, response.value(sip::HeaderId::to));
  if (!out.ok()) return at.out.drop(buffer);
  texts_.replace(branch.text, out.text());
  at.out.send(buffer, static_cast<std::uint32_t>(out.size()), path);
}

void Engine::on_final(Branch& branch, const sip::Message& message, const sip::Essentials& read, const Moment& at) noexcept {
  Context& context = branch.context();
  const std::uint16_t status = message.status();
  if (branch.target) branch.target->answered(status, at.now, passive_of(context));
  const bool invite = context.method == sip::Method::invite;
  if (status >= 300) {
    settle(branch, status, &message, &read, at);
    if (!invite) texts_.give(branch.text);
    return;
  }
  branch.over = true;
  branch.status = status;
  if (!branch.passed_over) --context.pending;
  texts_.give(branch.text);
  // Whoever answers first has the call, be it a target that was given up.
  if (context.counts_call && context.tries > 1 && !context.final_sent) {
    begin_call(context.call_id_hash, *branch.target, branch.peer, at.now);
  }
  answer_with(context, message, read, at);                    // 16.7 step 5: at once
  if (invite) cancel_branches(context, &branch, at);          // 16.7 step 10
}

// A branch has failed, by a response (`message`) or without one. What is tried next, and if nothing is, what is answered.
void Engine::settle(Branch& branch, std::uint16_t status, const sip::Message* message, const sip::Essentials* read,
                    const Moment& at) noexcept {
  Context& context = branch.context();
  branch.over = true;
  branch.status = status;
  if (!branch.passed_over) --context.pending;
  if (context.final_sent) return;
  if (fails_over(context, branch, status, message != nullptr) && add_more(context, true, at)) {
    branch.target->failed_over();
    return;
  }
  if (status >= 600) {  // 16.7 step 5
    context.no_more = true;
    cancel_branches(context, &branch, at);
  }
  const bool last = context.pending == 0;
  keep_best(context, status, last ? nullptr : message, message);
  if (!last) return;
  if (context.to == Plan::To::location) {
    if (message && context.best_status == status && !context.best && context.q > 0) keep_text(context, message);
    if (add_more(context, false, at)) return;
  }
  finish(context, message, read, at);
}

bool Engine::fails_over(const Context& context, const Branch& branch, std::uint16_t status, bool answered) const noexcept {
  // Another target knows nothing of a call that is under way at this one.
  if (context.to != Plan::To::upstream || context.in_dialog || !branch.target || branch.passed_over) return false;
  const balance::Upstream* upstream = upstream_of(context);
  if (!upstream) return false;
  if (answered) return upstream->failover().on(status);
  return status == 408 ? upstream->failover().on_timeout : upstream->failover().on_transport_error;
}

// 16.7 step 4 and 7. `kept`: the message whose text will be needed later; null when it is sent on from where it is.
void Engine::keep_best(Context& context, std::uint16_t status, const sip::Message* kept, const sip::Message* message) noexcept {
  if (!is_better(status, context.best_status)) {
    if (message && (status == 401 || status == 407)) keep_challenges(context, *message);
    return;
  }
  context.best_status = status;
  texts_.give(context.best);
  if (kept) keep_text(context, kept);
}

void Engine::keep_text(Context& context, const sip::Message* message) noexcept {
  texts_.replace(context.best, message->bytes());
}

void Engine::keep_challenges(Context& context, const sip::Message& message) noexcept {
  std::array<char, 2'048> space;
  Writer out(space.data(), space.size());
  if (context.challenges) {
    out.put(texts_.view(context.challenges));
    out.put('\0');
  }
  bool any = false;
  for (const sip::HeaderId id : {sip::HeaderId::www_authenticate, sip::HeaderId::proxy_authenticate}) {
    for (const auto* field = message.first(id); field; field = message.next(*field)) {
      if (any) out.put('\0');
      out.put(sip::line(message, *field));
      any = true;
    }
  }
  if (any && out.ok()) texts_.replace(context.challenges, out.text());
}

// 16.11: by the Via below ours, if it is the one the branch was made for.
bool Engine::respond_stateless(const sip::Message& message, const sip::Essentials& read, std::uint64_t call_id_hash, const Path& came,
                               const Moment& at) noexcept {
  const auto below = sip::via_below(message, read);
  if (!below) return stray(Stray::no_way_back);
  const auto back = sip::response_destination(*below);
  if (!back) return stray(Stray::no_way_back);
  if (!verify_stateless_branch(setting_.route_key, read.via.branch, message, read, *below, *back)) return stray(Stray::forged);
  const auto socket = socket_for(*back, came.socket);
  if (!socket) return stray(Stray::no_way_back);
  const std::size_t size = std::min(message.bytes().size() + sip::kForwardingRoom, limits::kMessageBytesMax);
  const Outbox::Buffer buffer = at.out.take(static_cast<std::uint32_t>(size));
  if (!buffer.data) return true;
  Writer out(buffer.data, buffer.capacity);
  sip::write_response(out, message, read);
  if (!out.ok()) {
    at.out.drop(buffer);
    return true;
  }
  parts_.counters.stateless_responses.add();
  if (message.status() >= 300 && read.cseq.method == sip::Method::invite) calls_.end(call_id_hash, at.now);
  parts_.responses_sent[message.status()].add();
  at.out.send(buffer, static_cast<std::uint32_t>(out.size()), {*back, *socket, *socket == came.socket ? came.local : IpAddress{}, came.order});
  return true;
}

}  // namespace ringweir::proxy
