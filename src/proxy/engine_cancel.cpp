// CANCEL (RFC 3261 9, 16.10).
#include "proxy/context.h"
#include "ringweir/sip/forward.h"

namespace ringweir::proxy {

using transaction::Machine;

bool Engine::cancel(const Arrival& in, const Moment& at) noexcept {
  const std::uint32_t to_tag = transaction::to_tag_hash(in.read.to, parts_.hash);
  auto* found = table_.find(in.key, [&](const transaction::ServerTransaction& each) { return each.matches_request(to_tag); });
  if (!found) return false;
  Context& context = static_cast<Context&>(*found);
  if (context.method != sip::Method::invite) return true;  // 9.2: no effect on what is answered at once
  if (context.final_sent) return true;
  parts_.counters.cancels.add();
  context.cancelled = true;
  cancel_branches(context, nullptr, at);
  return true;
}

void Engine::cancel_branches(Context& context, const Branch* but, const Moment& at) noexcept {
  // cancel_branch() puts new branches in front: none is visited twice.
  for (Branch* branch = context.branches; branch; branch = branch->next) {
    if (branch != but && !branch->is_cancel) cancel_branch(*branch, at);
  }
}

// 9.1: not before a provisional response; one CANCEL, and the INVITE is given 64*T1 to end.
void Engine::cancel_branch(Branch& branch, const Moment& at) noexcept {
  if (branch.over || branch.cancel_sent) return;
  branch.cancel_wanted = true;  // until it is on its way
  if (!branch.heard) return;
  const transaction::Tick tick = transaction::to_tick(at.now);
  branch.cancelled(tick, wheel_);
  const auto parsed = sip::parse(texts_.view(branch.text), sip::Framing::datagram, stored_);
  if (parsed.completeness != sip::Completeness::complete) return;
  // Kept first: without a send buffer Timer E sends it.
  transaction::Text text = texts_.take(stored_.bytes().size() + 64);
  if (!text) return;
  const std::span<char> room = texts_.room(text);
  Writer out(room.data(), room.size());
  sip::write_cancel(out, stored_);
  Branch* cancel = out.ok() ? take_branch(Machine::non_invite_client, branch.context()) : nullptr;
  if (!cancel) return texts_.give(text);
  text.size = static_cast<std::uint32_t>(out.size());
  cancel->is_cancel = cancel->over = true;
  branch.cancel_sent = true;
  branch.cancel_wanted = false;
  cancel->other = &branch;
  branch.other = cancel;
  cancel->text = text;
  cancel->peer = branch.peer;
  cancel->socket = branch.socket;
  cancel->begin({}, tick, wheel_);
  parts_.counters.cancels_sent.add();
  send_text(texts_.view(text), branch.way(), at);
}

}  // namespace ringweir::proxy
