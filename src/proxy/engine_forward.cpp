// Requests on their way out (RFC 3261 16.6, 16.11).
#include <cstring>

#include "proxy/context.h"
#include "ringweir/proxy/record_route.h"
#include "ringweir/proxy/target_uri.h"
#include "ringweir/proxy/via_branch.h"
#include "ringweir/sip/respond.h"

namespace ringweir::proxy {

using transaction::Action;
using transaction::Machine;

namespace {

// What a forwarded request may have more than the one received: a Via, two Record-Routes; and the room for editing it.
constexpr std::size_t kGrowthMax = 704 + sip::kForwardingRoom;

transaction::Tick tick_of(const Moment& at) noexcept { return transaction::to_tick(at.now); }

}  // namespace

std::uint16_t Engine::forward(const Arrival& in, const Plan& plan, const Moment& at) noexcept {
  if (const std::uint16_t refused = find_candidates(in, plan, at.now)) return refused;
  if (plan.stateless || in.message.method() == sip::Method::ack) return forward_stateless(in, plan, at);
  const auto count = static_cast<std::uint32_t>(candidates_.count);
  if (breadth_of_each(plan.check.max_breadth, count) == 0) return 440;  // RFC 5393 5.3.3
  Context* context = begin(in, plan, at);
  if (!context) return 503;
  if (!add_branches(*context, onward(in, plan), at)) {
    parts_.counters.no_room.add();
    answer(*context, 503, at);
  }
  return 0;
}

// The server transaction, and what a later branch needs of the request.
Context* Engine::begin(const Arrival& in, const Plan& plan, const Moment& at) noexcept {
  const bool invite = in.message.method() == sip::Method::invite;
  const Machine machine = invite ? Machine::invite_server : Machine::non_invite_server;
  Context* context = contexts_->take(machine);
  if (!context && make_room()) context = contexts_->take(machine);
  if (!context) {
    parts_.counters.no_room.add();
    return nullptr;
  }
  context->request = keep(in.message.bytes());
  if (context->request && !plan.request_uri.empty()) context->request_uri = keep(plan.request_uri);
  if (!context->request || (!plan.request_uri.empty() && !context->request_uri)) {
    parts_.counters.no_room.add();
    texts_.give(context->request);
    contexts_->give(context);
    return nullptr;
  }
  parts_.counters.began[static_cast<std::size_t>(machine)].add();
  ++unanswered_;
  context->key = in.key;
  context->old_style = transaction::is_old_style(in.read.via);
  context->to_tag = transaction::to_tag_hash(in.read.to, parts_.hash);
  context->request_had_to_tag = context->to_tag != 0;
  context->source = in.path.peer;
  context->peer = sip::response_target(in.read.via, in.path.peer);
  context->socket = in.path.socket;
  context->local = in.path.local;
  context->method = in.message.method();
  context->call_id_hash = in.call_id_hash;
  context->cseq = in.read.cseq.number;
  context->generation = setting_.generation;
  context->to = plan.to;
  context->keys = plan.keys;
  context->credentials = plan.credentials;
  context->loop = plan.check.loop;
  context->max_breadth = plan.check.max_breadth;
  context->record_route = plan.record_route;
  context->in_dialog = plan.in_dialog;
  context->q = candidates_.q;
  if (plan.to == Plan::To::upstream) {
    context->upstream = plan.upstream;
    context->upstream_hash = parts_.hash(setting_.upstreams[plan.upstream].name());
  }
  table_.insert(*context);
  const Action action = context->begin(transaction::invite_server::Trying::at_once, {}, tick_of(at), wheel_);
  if (has(action, Action::send_trying)) trying(*context, in, at);
  return context;
}

// The oldest of those that are only kept for retransmissions (Timers I, J, L) goes: their time is shortened under a load of
// more than `contexts` requests in it, before anything new is refused.
bool Engine::make_room() noexcept {
  constexpr int kLookedAt = 16;
  Context* context = oldest_;
  for (int i = 0; context && i < kLookedAt; ++i, context = context->newer) {
    bool all_over = true;
    for (const Branch* branch = context->branches; branch; branch = branch->next) all_over &= branch->over;
    if (!all_over) continue;
    parts_.counters.forgotten.add();
    if (!context->terminated()) {
      transaction::terminate(*context, wheel_);
      table_.erase(*context);
    }
    while (Branch* branch = context->branches) {
      const bool was_last = branch->next == nullptr;
      transaction::terminate(*branch, wheel_);
      remove(*branch);
      if (was_last) return true;  // and the context went with it
    }
    remove(*context);
    return true;
  }
  return false;
}

// A text, at the cost of the oldest completed transactions where there is no room: as many as it takes to empty a chunk of their
// blocks, which then serves any size. Each can be given up once, so that it is no more than one for each request in the long run.
transaction::Text Engine::keep(std::string_view octets) noexcept {
  constexpr int kGivenUpMax = 4'096;
  transaction::Text text = texts_.keep(octets);
  for (int i = 0; !text && i < kGivenUpMax && make_room(); ++i) text = texts_.keep(octets);
  return text;
}

bool Engine::begin_call(std::uint64_t call_id_hash, balance::TargetState& target, const Endpoint& endpoint, Instant now) noexcept {
  const bool begun = calls_.begin(call_id_hash, target, endpoint, now);
  parts_.counters.calls_evicted.set(calls_.evicted());
  return begun;
}

Engine::Onward Engine::onward(const Arrival& in, const Plan& plan) noexcept {
  Onward out{in.message, in.read, in.path, {}, plan.check.loop, plan.record_route, plan.stateless, plan.routes.next_is_strict};
  out.edits.request_uri = plan.request_uri;
  out.edits.source = in.path.peer;
  out.edits.routes = plan.routes.kept;
  out.edits.removed = plan.credentials;
  // RFC 5393 5.3.3: in every request that is proxied.
  out.edits.max_breadth = breadth_of_each(plan.check.max_breadth, static_cast<std::uint32_t>(candidates_.count));
  if (out.strict) {  // 16.6 step 6
    Writer last(uri_.data(), uri_.size());
    last.put('<');
    last.put(plan.request_uri.empty() ? in.message.request_uri() : plan.request_uri);
    last.put('>');
    if (last.ok()) out.edits.last_route = last.text();
    out.edits.request_uri = plan.routes.next;
    out.edits.routes = plan.routes.behind_next;
  }
  return out;
}

// 16.6 step 8: "SIP/2.0/UDP host:port;branch=..."
std::string_view Engine::write_via(std::uint16_t socket, std::string_view branch) noexcept {
  Writer out(via_.data(), via_.size());
  out.put("SIP/2.0/UDP ");
  out.put(setting_.sockets[socket].sent_by);
  out.put(";branch=");
  out.put(branch);
  return out.ok() ? out.text() : std::string_view{};
}

// 16.6 step 4; twice where the two sides are reached by different sockets, the outer one on top (RFC 5658).
void Engine::write_record_routes(const Onward& onward, const Candidate& to, sip::RequestEdits& edits) noexcept {
  const auto tag = sip::tag(onward.read.from);
  if (!tag || tag->empty()) return;
  std::array<char, kRouteTokenCharsMax> token_text;
  const RouteToken token{{static_cast<std::uint8_t>(onward.came.socket), onward.came.peer},
                         {static_cast<std::uint8_t>(to.path.socket), to.path.peer},
                         onward.stateless};
  const std::string_view text = write_route_token(setting_.route_key, token, onward.message.value(sip::HeaderId::call_id),
                                                  *tag, token_text.data());
  const auto put = [&](std::size_t i, std::uint16_t socket) {
    Writer out(record_routes_[i].data(), record_routes_[i].size());
    write_record_route(out, setting_.sockets[socket].sent_by, text);
    if (out.ok()) edits.record_routes[i] = out.text();
  };
  put(0, to.path.socket);
  if (to.path.socket != onward.came.socket) put(1, onward.came.socket);
}

// Assembles one forwarded request and sends it; `kept` gets a copy where retransmissions may be due.
bool Engine::write_and_send(const Onward& onward, const Candidate& to, std::string_view branch, const Moment& at,
                            transaction::Text* kept) noexcept {
  sip::RequestEdits edits = onward.edits;
  edits.via = write_via(to.path.socket, branch);
  if (edits.via.empty() || (onward.strict && edits.last_route.empty())) return false;
  if (!to.request_uri.empty() && !onward.strict) edits.request_uri = to.request_uri;
  if (onward.record_route) write_record_routes(onward, to, edits);
  const std::size_t size = std::min(onward.message.bytes().size() + edits.request_uri.size() + edits.last_route.size() + kGrowthMax, limits::kMessageBytesMax);
  const Outbox::Buffer buffer = at.out.take(static_cast<std::uint32_t>(size));
  if (!buffer.data) return false;
  Writer out(buffer.data, buffer.capacity);
  sip::write_request(out, onward.message, onward.read, edits);
  const bool whole = out.ok() && (!kept || (*kept = keep(out.text())));
  if (!whole) {
    at.out.drop(buffer);
    return false;
  }
  at.out.send(buffer, static_cast<std::uint32_t>(out.size()), {to.path.peer, to.path.socket, to.path.local, onward.came.order});
  return true;
}

bool Engine::add_branches(Context& context, const Onward& onward, const Moment& at) noexcept {
  bool any = false;
  for (std::size_t i = 0; i < candidates_.count; ++i) any |= add_branch(context, onward, candidates_.list[i], at);
  return any;
}

bool Engine::add_branch(Context& context, const Onward& onward, const Candidate& to, const Moment& at) noexcept {
  const bool invite = context.method == sip::Method::invite;
  const bool first = context.branches == nullptr;
  const Machine machine = invite ? Machine::invite_client : Machine::non_invite_client;
  Branch* branch = take_branch(machine, context);
  if (!branch && make_room()) branch = take_branch(machine, context);
  if (!branch) return false;
  const std::uint32_t slot = branches_->index(*branch);
  std::array<char, kBranchCharsMax> text;
  const StatefulBranch names{slot, 0, options_.shard, onward.loop, branch->token};
  if (!write_and_send(onward, to, write_branch(names, text.data()), at, &branch->text)) {
    remove(*branch);  // its machine has not begun: nothing is armed
    return false;
  }
  branch->peer = to.path.peer;
  branch->socket = to.path.socket;
  branch->sent_at = at.now;
  transaction::Schedule given;
  given.timer_c_ms = static_cast<std::uint32_t>(to_ms(setting_.policy->timer_c));
  branch->begin(given, tick_of(at), wheel_);
  ++context.pending;
  parts_.counters.forwarded_requests.add();
  if (!first) parts_.counters.forks.add();
  if (to.target) {
    branch->target = to.target;
    branch->target_index = to.target_index;
    branch->in_flight = true;
    to.target->transaction_began();
    if (context.to == Plan::To::upstream) {
      context.tried.add(to.target_index);
      ++context.tries;
      if (invite && !context.in_dialog) {
        context.counts_call |= begin_call(context.call_id_hash, *to.target, to.path.peer, at.now);
      }
    }
  }
  if (context.method == sip::Method::bye) calls_.end(context.call_id_hash, at.now);
  return true;
}

// Another target of the farm, or the contacts of the next lower q: from the request as it was kept. False: there is none.
bool Engine::add_more(Context& context, bool next_target, const Moment& at) noexcept {
  if (!context.request || context.no_more || context.cancelled || context.final_sent) return false;
  const auto parsed = sip::parse(texts_.view(context.request), sip::Framing::datagram, stored_);
  if (parsed.completeness != sip::Completeness::complete) return false;
  if (sip::validate_request(stored_, stored_read_).fault != sip::Fault::none) return false;
  const auto uri = sip::parse_uri(stored_.request_uri());
  if (!uri) return false;
  const auto meant = context.request_uri ? sip::parse_uri(texts_.view(context.request_uri)) : uri;
  const bool found = next_target ? choose_next(context, stored_.value(sip::HeaderId::call_id), at.now)
                                 : meant && contacts_next(context, *meant, at.now);
  if (!found) return false;
  Plan plan;
  plan.to = context.to;
  plan.record_route = context.record_route;
  plan.credentials = context.credentials;
  plan.check.loop = context.loop;
  plan.check.max_breadth = context.max_breadth;
  if (context.request_uri) plan.request_uri = texts_.view(context.request_uri);
  plan.routes = read_route_set(stored_, stored_read_, *uri, *setting_.domains,
                               setting_.sockets[context.socket].bound.port);
  const Arrival again{stored_, stored_read_, {context.source, context.socket, context.local, context.call_id_hash}, context.call_id_hash, context.key};
  return add_branches(context, onward(again, plan), at);
}

std::uint16_t Engine::forward_stateless(const Arrival& in, const Plan& plan, const Moment& at) noexcept {
  candidates_.count = 1;  // 16.11: one target; a request to a user with several phones goes to the first
  const Endpoint back = sip::response_target(in.read.via, in.path.peer);
  const StatelessBranch branch = stateless_branch(setting_.route_key, in.message, in.read, back, plan.check.loop);
  std::array<char, kBranchCharsMax> text;
  const std::string_view branch_text = write_branch(branch, text.data());
  if (!write_and_send(onward(in, plan), candidates_.list[0], branch_text, at, nullptr)) return 503;
  parts_.counters.stateless_requests.add();
  const sip::Method method = in.message.method();
  // 16.11: what comes again, its CANCEL, its ACK and its call go to the same target. A hash finds it by itself, unless its first
  // choice could not be had: a target that drains still has its old calls. The others are told.
  if (plan.to == Plan::To::upstream && method == sip::Method::invite && !plan.in_dialog && !candidates_.found_by_hash) {
    const Candidate& to = candidates_.list[0];
    begin_call(in.call_id_hash, *to.target, to.path.peer, at.now);
  }
  if (method == sip::Method::bye) calls_.end(in.call_id_hash, at.now);
  return 0;
}

}  // namespace ringweir::proxy
