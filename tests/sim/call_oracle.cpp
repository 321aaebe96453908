#include "sim/call_oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace ringweir::sim {
namespace {

constexpr Duration kCallsMost = 100s;

std::string tag_of(std::string_view name_addr) { return support::parameter_of(name_addr, "tag"); }
std::string method_of(const support::SipText& message) { return message.start_line.substr(0, message.start_line.find(' ')); }
std::string cseq_method(const support::SipText& message) {
  const std::string_view cseq = message.get("cseq");
  return std::string{cseq.substr(std::min(cseq.find(' ') + 1, cseq.size()))};
}
std::string cseq_number(const support::SipText& message) { return std::string{message.get("cseq").substr(0, message.get("cseq").find(' '))}; }

std::string all_of(const support::SipText& message) {
  std::string text = message.start_line;
  for (const auto& [name, value] : message.headers) text += "\n" + name + ":" + value;
  return text + "\n" + message.body;
}

// What a request of this status may have been answered with before anything was kept of it (RFC 3261 8.2.7, 16.3, shedding).
bool may_be_stateless(int status) {
  return status == 400 || status == 403 || status == 407 || status == 440 || status == 480 || status == 482 || status == 483 ||
         status == 503 || status == 513;
}

bool is_evil(const support::SipText& message) {
  for (const std::string_view via : message.all("via")) {
    if (via.find("evil") != via.npos) return true;
  }
  return message.get("call-id").find("evil") != std::string_view::npos;
}

}  // namespace

void CallOracle::knows(const Endpoint& endpoint, std::uint32_t index, bool is_target) { people_[endpoint] = {index, is_target}; }

void CallOracle::leads(const std::string& uri, std::set<Endpoint> to, bool stateless) { leads_[uri] = {std::move(to), stateless}; }

void CallOracle::invited(const Invited& told) {
  Invite invite;
  invite.told = told;
  by_call_[told.call_id + " " + std::to_string(told.cseq)] = told.branch;
  auto& sides = sides_[told.call_id];
  sides.insert(told.from);
  if (const auto lead = leads_.find(told.uri); told.begins && lead != leads_.end()) sides.insert(lead->second.first.begin(), lead->second.first.end());
  invites_.emplace(told.branch, std::move(invite));
}

void CallOracle::cancelled(const std::string& branch, Instant now) {
  invites_[branch].cancel_sent_at = now;
  if (!is_stateless(invites_[branch].told.uri)) cancels_.insert(branch);
}

void CallOracle::died(const Endpoint& party) {
  std::erase_if(cancels_, [&](const std::string& branch) { return invites_[branch].told.from == party; });
}

void CallOracle::sent(const support::SipText& message, const Endpoint& to, bool by_owner, Instant now) {
  if (!people_.contains(to) && !is_hostile(to)) {
    return fail("relay", fmt::format("{} went to {}, whom nobody knows", message.start_line, to_string(to)));
  }
  if (message.status != 0) {
    response(message, to, by_owner, now);
  } else {
    request(message, to, now);
  }
  if (rules_.ordered) in_order(message);
}

// --- responses

void CallOracle::response(const support::SipText& message, const Endpoint& to, bool by_owner, Instant now) {
  if (is_hostile(to)) return;
  const std::string_view via = message.get("via");
  if (via.find(to_string(to)) == via.npos) {
    return fail("bare", fmt::format("{} went to {} with the Via {}", message.start_line, to_string(to), via));
  }
  const std::string method = cseq_method(message);
  if (method != "INVITE" && method != "CANCEL") return;
  const auto found = invites_.find(support::parameter_of(via, "branch"));
  if (found == invites_.end() || found->second.told.from != to) return;
  Invite& invite = found->second;
  if (is_stateless(invite.told.uri)) return;  // without state nobody here knows what was said before
  if (method == "CANCEL") {
    cancels_.erase(found->first);
    if (message.status == 200 && invite.cancelled_at == Instant{}) invite.cancelled_at = now;
    return;
  }
  if (message.status == 100) {
    if (!invite.tried && invite.status == 0) open_.insert(found->first);
    invite.tried = true;
    return;
  }
  if (message.status >= 200) final_response(invite, message, by_owner, now);
}

// One final response, repeated as it was; but every 2xx of a fork (RFC 3261 13.2.2.4, 16.7 step 5).
void CallOracle::final_response(Invite& invite, const support::SipText& message, bool by_owner, Instant) {
  ++finals_;
  if (!by_owner && message.status == 503) return;  // shed: told by whoever received what the owner has no room for
  if (!invite.tried && may_be_stateless(message.status)) return;
  const std::string bytes = all_of(message);
  const std::string tag = tag_of(message.get("to"));
  if (rules_.may_forget) {
    open_.erase(invite.told.branch);
    invite.status = message.status;
    return;
  }
  if (message.status < 300) {
    if (invite.status >= 300) {
      return fail("twice", fmt::format("{}: {} after {}", invite.told.branch, message.status, invite.status));
    }
    const auto [at, first] = invite.successes.emplace(tag, bytes);
    if (invite.successes.size() > 1) answered_twice_.insert(std::string{message.get("call-id")});
    if (!first && at->second != bytes) {
      return fail("twice", fmt::format("{}: a 2xx is repeated otherwise:\n{}\n--\n{}", invite.told.branch, at->second, bytes));
    }
  } else if (invite.status != 0 && (invite.status != message.status || invite.bytes != bytes)) {
    return fail("twice", fmt::format("{}: {} after {}:\n{}\n--\n{}", invite.told.branch, message.status, invite.status, bytes,
                                     invite.bytes));
  }
  if (invite.status == 0) invite.bytes = bytes;
  invite.status = message.status;
  open_.erase(invite.told.branch);
}

// --- requests

CallOracle::Invite* CallOracle::invite_of(const support::SipText& message) {
  const auto branch = by_call_.find(std::string{message.get("call-id")} + " " + cseq_number(message));
  return branch == by_call_.end() ? nullptr : &invites_[branch->second];
}

void CallOracle::request(const support::SipText& message, const Endpoint& to, Instant now) {
  if (is_evil(message)) return new_branch(message, to, now);
  const std::string call_id{message.get("call-id")};
  if (const auto sides = sides_.find(call_id); sides != sides_.end() && !sides->second.contains(to) && !is_hostile(to)) {
    return fail("relay", fmt::format("{} of {} went to {}, who is no side of it", message.start_line, call_id, to_string(to)));
  }
  const std::string method = method_of(message);
  if (method == "CANCEL") {
    if (Invite* invite = invite_of(message)) invite->cancels.insert(support::parameter_of(message.get("via"), "branch"));
    return;
  }
  if (!tag_of(message.get("to")).empty()) return in_dialog(message, to, now);
  new_branch(message, to, now);
}

// A request that begins something.
void CallOracle::new_branch(const support::SipText& message, const Endpoint& to, Instant) {
  const std::string method = method_of(message);
  if (method == "ACK" || method == "CANCEL" || !tag_of(message.get("to")).empty()) return;
  const std::string branch = support::parameter_of(message.get("via"), "branch");
  if (!seen_.insert("branch " + branch).second) return;
  if (drained_.contains(to)) return fail("drained", fmt::format("a new {} went to {}, which is drained", method, to_string(to)));
  if (down_.contains(to)) return fail("drained", fmt::format("a new {} went to {}, which is down", method, to_string(to)));
  if (aside_.contains(to)) return fail("drained", fmt::format("a new {} went to {}, which was ejected", method, to_string(to)));
  if (method != "INVITE" || is_evil(message)) return;
  Invite* invite = invite_of(message);
  if (!invite) return;
  invite->branches.insert(branch);
  if (invite->cancelled_at != Instant{} && !rules_.may_forget) {
    fail("cancel", fmt::format("{} was cancelled and goes to {} all the same", invite->told.branch, to_string(to)));
  }
}

// Tags say whose they are: a request inside a dialog reaches the one who gave the To tag.
void CallOracle::in_dialog(const support::SipText& message, const Endpoint& to, Instant now) {
  const std::string tag = tag_of(message.get("to"));
  const auto person = people_.find(to);
  if (person == people_.end() || !tag.starts_with('p')) return;
  const std::string mine = fmt::format("p{}.", person->second.index);
  ++followed_;
  const std::string method = method_of(message);
  const bool of_a_hop = method == "ACK" && message.all("via").size() == 1;  // goes where its INVITE went
  if (of_a_hop || !seen_.insert("branch " + support::parameter_of(message.get("via"), "branch") + method).second) return;
  if (tag.starts_with(mine)) return;
  const std::string_view unrouted = message.get("x-unrouted");
  if (!unrouted.empty()) {  // found by its Call-ID: the first answer's target, while it can be had at all
    if (unrouted != "first") return;
    // Without state a hash finds whom it found while the same targets can be had.
    const Invite* invite = invite_of(message);
    if ((!invite || is_stateless(invite->told.uri)) && now - changed_at_ < kCallsMost) return;
    // Two answered, and the network says in which order: which of them was the first is a matter of opinion.
    if (answered_twice_.contains(std::string{message.get("call-id")})) return;
  }
  fail("astray", fmt::format("{} with the To tag {} went to {}\n{}", message.start_line, tag, to_string(to), all_of(message)));
}

void CallOracle::in_order(const support::SipText& message) {
  const std::string_view order = message.get("x-order");
  if (order.empty()) return;
  const std::string key = fmt::format("{} {}", message.get("call-id"), order.substr(0, order.find('.')));
  std::uint64_t n = 0;
  const std::string_view digits = order.substr(order.find('.') + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), n);
  if (!seen_.insert(key + "#" + std::to_string(n)).second) return;
  std::uint64_t& highest = highest_[key];
  if (n < highest) fail("reorder", fmt::format("{}: {} comes after {}", key, n, highest));
  highest = std::max(highest, n);
}

// --- time

void CallOracle::watch(Instant now) {
  for (const std::string& branch : open_) {
    const Invite& invite = invites_[branch];
    if (excused(invite)) continue;
    if (invite.cancelled_at != Instant{} && now - invite.cancelled_at > rules_.cancel_most) {
      return fail("cancel", fmt::format("{} was cancelled and is not over", branch));
    }
  }
}

void CallOracle::all_answered(Instant now) {
  for (const std::string& branch : open_) {
    if (!excused(invites_[branch])) fail("unfinished", fmt::format("{} got 100 and no final response", branch));
  }
  if (!rules_.ordered) return;  // a CANCEL may have been lost, eleven times
  for (const std::string& branch : cancels_) {
    if (now - invites_[branch].cancel_sent_at > 1s) fail("cancel", fmt::format("the CANCEL of {} was not answered", branch));
  }
}

}  // namespace ringweir::sim
