// The target set (RFC 3261 16.5) and what is tried after it.
#include <algorithm>

#include "proxy/context.h"
#include "ringweir/proxy/target_uri.h"
#include "ringweir/sip/name_addr.h"

namespace ringweir::proxy {

// Fills candidates_; the status to answer when there is none.
std::uint16_t Engine::find_candidates(const Arrival& in, const Plan& plan, Instant now) noexcept {
  candidates_.count = candidates_.texts_size = 0;
  candidates_.q = 1001;
  candidates_.found_by_hash = false;
  switch (plan.to) {
    case Plan::To::side: {
      const auto socket = socket_for(plan.side.peer, plan.side.socket);
      if (!socket) return 503;
      const IpAddress local = *socket == plan.side.socket ? plan.side.local : IpAddress{};
      candidates_.list[candidates_.count++] = {{plan.side.peer, *socket, local}, {}, plan.target, 0};
      return 0;
    }
    case Plan::To::upstream: return choose(in, plan, now);
    case Plan::To::location: return contacts_below(*plan.bindings, 1001, now) ? 0 : 480;
  }
  return 500;
}

// A socket of the target's family: the one the request came by, else the first that fits.
std::optional<std::uint16_t> Engine::socket_for(const Endpoint& to, std::uint16_t came_by) const noexcept {
  const auto fits = [&](const SocketFace& face) {
    return to.ip.is_v4() ? !face.v6 || face.bound.ip.is_unspecified() : face.v6;
  };
  if (came_by < setting_.sockets.size() && fits(setting_.sockets[came_by])) return came_by;
  const auto found = std::ranges::find_if(setting_.sockets, fits);
  if (found == setting_.sockets.end()) return std::nullopt;
  return static_cast<std::uint16_t>(found - setting_.sockets.begin());
}

bool Engine::add_target(const balance::Upstream& upstream, std::uint16_t index, std::uint16_t came_by,
                        const IpAddress& local) noexcept {
  const balance::Target& target = upstream.targets()[index];
  const auto socket = socket_for(target.endpoint, came_by);
  if (!socket) return false;
  candidates_.list[0] = {{target.endpoint, *socket, *socket == came_by ? local : IpAddress{}}, {}, target.state, index};
  candidates_.count = 1;
  return true;
}

std::uint16_t Engine::choose(const Arrival& in, const Plan& plan, Instant now) noexcept {
  const balance::Upstream& upstream = setting_.upstreams[plan.upstream];
  const std::string_view call_id = in.message.value(sip::HeaderId::call_id);
  // Where the call, or what came before it under its Call-ID (a challenge), went: there again while that target can be had.
  if (const CallTable::Call* call = calls_.find(in.call_id_hash, now)) {
    const auto index = upstream.find(call->endpoint);
    // A call under way goes on where it is, whatever is thought of its target: nobody else knows it and would answer 481.
    if (index && (plan.in_dialog || call->target->usable(now))) {
      if (add_target(upstream, *index, in.path.socket, in.path.local)) {
        if (in.message.method() != sip::Method::ack) {
          parts_.witness.note({call_id, plan.upstream, Witness::Kind::by_table, call->endpoint});
        }
        return 0;
      }
    }
  }
  const auto choice = plan.in_dialog ? balance::choose_again(upstream, plan.keys, {}, now, random_)
                                     : balance::choose(upstream, plan.keys, {}, now, random_);
  if (!choice || !add_target(upstream, choice->target, in.path.socket, in.path.local)) {
    parts_.counters.no_target.add();
    parts_.witness.note({call_id, plan.upstream, Witness::Kind::refused, {}});
    return 503;
  }
  candidates_.found_by_hash = balance::is_hash(upstream.algorithm()) && !choice->why.displaced;
  if (in.message.method() != sip::Method::ack) {
    parts_.witness.note({call_id, plan.upstream, plan.in_dialog ? Witness::Kind::by_hash : Witness::Kind::began,
                         upstream.targets()[choice->target].endpoint, choice->why});
  }
  return 0;
}

const balance::Upstream* Engine::upstream_of(const Context& context) const noexcept {
  if (context.to != Plan::To::upstream) return nullptr;
  if (context.generation == setting_.generation) return &setting_.upstreams[context.upstream];
  // Reloaded meanwhile: the same name, wherever it stands now.
  for (const balance::Upstream& each : setting_.upstreams) {
    if (parts_.hash(each.name()) == context.upstream_hash) return &each;
  }
  return nullptr;
}

const balance::Passive& Engine::passive_of(const Context& context) const noexcept {
  static constexpr balance::Passive kNone{.codes = {}, .timeouts = false, .eject = Duration::zero()};
  const balance::Upstream* upstream = upstream_of(context);
  return upstream ? upstream->passive() : kNone;
}

// Failover: a target that was not tried. Targets that the reload moved are told apart by their endpoints.
bool Engine::choose_next(Context& context, std::string_view call_id, Instant now) noexcept {
  candidates_.count = 0;
  const balance::Upstream* upstream = upstream_of(context);
  if (!upstream || context.tries >= upstream->failover().tries) return false;
  balance::Tried tried = context.tried;
  if (context.generation != setting_.generation) {
    tried = {};
    for (const Branch* branch = context.branches; branch; branch = branch->next) {
      if (const auto index = upstream->find(branch->peer); index && !branch->is_cancel) tried.add(*index);
    }
  }
  const auto choice = balance::choose(*upstream, context.keys, tried, now, random_);
  if (!choice || !add_target(*upstream, choice->target, context.socket, context.local)) return false;
  const auto index = static_cast<std::uint16_t>(upstream - setting_.upstreams.data());
  parts_.witness.note({call_id, index, Witness::Kind::failover, upstream->targets()[choice->target].endpoint, choice->why});
  parts_.counters.failovers.add();
  return true;
}

bool Engine::add_contact(const location::BindingView& binding) noexcept {
  std::string_view rest;
  const auto address = sip::parse_name_addr(binding.contact, rest);
  if (!address || binding.socket >= setting_.sockets.size()) return false;
  const auto uri = sip::parse_uri(address->uri);
  if (!uri) return false;
  Writer out(candidates_.texts.data() + candidates_.texts_size, candidates_.texts.size() - candidates_.texts_size);
  write_as_request_uri(out, *uri);
  if (!out.ok()) return false;
  candidates_.texts_size += out.size();
  candidates_.list[candidates_.count++] = {{binding.source, binding.socket, {}}, out.text(), nullptr, 0};
  return true;
}

// The contacts of the highest q under `q`: they are tried at once (16.6: parallel by q, serial from q to q).
bool Engine::contacts_below(const location::BindingSet& set, std::uint16_t q, Instant now) noexcept {
  candidates_.count = candidates_.texts_size = 0;
  std::uint16_t highest = 0;
  bool any = false;
  for (std::size_t i = 0; i < set.size(); ++i) {
    const location::BindingView binding = set.view(i);
    if (!binding.alive(now) || binding.q_thousandths >= q) continue;
    any = true;
    highest = std::max(highest, binding.q_thousandths);
  }
  if (!any) return false;
  const std::size_t most = std::min<std::size_t>(setting_.policy->forks_max, kForksMax);
  for (std::size_t i = 0; i < set.size() && candidates_.count < most; ++i) {
    const location::BindingView binding = set.view(i);
    if (binding.alive(now) && binding.q_thousandths == highest) add_contact(binding);
  }
  candidates_.q = highest;
  return candidates_.count != 0;
}

bool Engine::contacts_next(Context& context, const sip::Uri& uri, Instant now) noexcept {
  if (context.to != Plan::To::location || context.q == 0) return false;
  std::array<char, limits::kAorBytesMax> text;
  const auto aor = sip::canonical_aor(uri, text.data(), text.size());
  if (!aor) return false;
  const location::BindingSet* set = parts_.directory.find(*aor, parts_.directory.hash(*aor));
  if (!set || !contacts_below(*set, context.q, now)) return false;
  context.q = candidates_.q;
  return true;
}

}  // namespace ringweir::proxy
