// A party that calls, registers and asks.
#include <fmt/format.h>

#include <algorithm>

#include "sim/credentials.h"
#include "sim/party.h"

namespace ringweir::sim {
namespace {

constexpr std::string_view kDomain = "example.com";
constexpr int kTriesMost = 4;

std::string tag_of(std::string_view name_addr) { return support::parameter_of(name_addr, "tag"); }

}  // namespace

std::string Party::credentials(const support::SipText& challenge, const std::string& realm, const std::string& method,
                               const std::string& uri) {
  const bool proxy = challenge.status == 407;
  const std::string_view value = challenge.get(proxy ? "proxy-authenticate" : "www-authenticate");
  std::string line = credentials_line({.user = identity_.user, .realm = realm, .password = identity_.password,
                                       .nonce = support::parameter_of(value, "nonce"), .method = method, .uri = uri, .nc = ++nc_,
                                       .qop = value.find("qop=") != value.npos, .proxy = proxy});
  line.resize(line.size() - 2);
  return line;
}

void Party::register_here() {
  Draft draft;
  draft.method = "REGISTER";
  draft.uri = fmt::format("sip:{}", kDomain);
  draft.from = fmt::format("<sip:{}@{}>;tag={}", identity_.user, kDomain, new_tag());
  draft.to = fmt::format("<sip:{}@{}>", identity_.user, kDomain);
  draft.call_id = fmt::format("register-{}-{}", identity_.index, ++made_);
  draft.lines = {"Expires: 7200"};
  begin(draft, [this, draft](const support::SipText* message) mutable {
    registered_ |= message && message->status == 200;
    if (!message || (message->status != 401 && message->status != 407)) return;
    draft.lines.push_back(credentials(*message, std::string{kDomain}, draft.method, draft.uri));
    draft.branch.clear();
    ++draft.cseq;
    begin(draft, [this](const support::SipText* again) { registered_ |= again && again->status == 200; });
  });
}

void Party::ask(const std::string& method, const std::string& uri) {
  if (!alive_) return;
  Draft draft;
  draft.method = method;
  draft.uri = uri;
  draft.from = fmt::format("<sip:{}@{}>;tag={}", identity_.user, kDomain, new_tag());
  draft.to = fmt::format("<{}>", uri);
  draft.call_id = fmt::format("ask-{}-{}", identity_.index, ++made_);
  begin(draft, [](const support::SipText*) {});
}

std::string Party::call(const CallPlan& plan) {
  Outgoing call;
  call.plan = plan;
  call.call_id = fmt::format("call-{}-{}", identity_.index, ++made_);
  call.tag = new_tag();
  call.cseq = 1 + random_.below(100);
  Outgoing& kept = outgoing_[call.call_id] = std::move(call);
  invite(kept);
  return kept.call_id;
}

void Party::invite(Outgoing& call) {
  Draft draft;
  draft.method = "INVITE";
  draft.uri = call.plan.uri;
  draft.from = fmt::format("<sip:{}@{}>;tag={}", identity_.user.empty() ? "farm" : identity_.user,
                           identity_.is_target ? "farm.example.net" : kDomain, call.tag);
  draft.to = fmt::format("<{}>", call.plan.uri);
  draft.call_id = call.call_id;
  draft.cseq = call.cseq;
  if (call.edge_challenge.status != 0) draft.lines.push_back(credentials(call.edge_challenge, std::string{kDomain}, "INVITE", draft.uri));
  if (call.farm_challenge.status != 0) draft.lines.push_back(credentials(call.farm_challenge, "pbx", "INVITE", draft.uri));
  draft.branch = call.branch = branch();
  call.rang = false;
  outside_.invited({.branch = call.branch, .call_id = call.call_id, .uri = call.plan.uri, .cseq = call.cseq, .from = identity_.address});
  begin(draft, [this, id = call.call_id](const support::SipText* message) { heard(id, message); });
}

void Party::heard(const std::string& call_id, const support::SipText* message) {
  Outgoing& call = outgoing_[call_id];
  if (!message) {
    if (call.status == 0) call.status = 408;
    return;
  }
  if (message->status < 200) {
    if (!call.rang) {
      const Duration longest = 60s + between(0s, 10s);  // nobody listens to the ringing for ever
      after(call.plan.cancel_after != Duration::zero() ? call.plan.cancel_after : longest, [this, call_id] { cancel(call_id); });
    }
    call.rang = true;
    return;
  }
  if (message->status < 300) return picked_up(call, *message);
  if (message->status == 401 || message->status == 407) return challenged(call, *message);
  call.status = message->status;
}

void Party::challenged(Outgoing& call, const support::SipText& message) {
  const std::string_view challenge = message.get(message.status == 407 ? "proxy-authenticate" : "www-authenticate");
  const bool farm = support::parameter_of(challenge, "realm") == "pbx";
  if (++call.tries > kTriesMost || call.cancelled) {
    call.status = message.status;
    return;
  }
  (farm ? call.farm_challenge : call.edge_challenge) = message;
  if (!farm) nc_ = 0;
  ++call.cseq;
  invite(call);
}

// 9.1: not before it rang.
void Party::cancel(const std::string& call_id) {
  Outgoing& call = outgoing_[call_id];
  const auto found = clients_.find(call.branch + " INVITE");
  if (found == clients_.end() || found->second.state != Client::State::proceeding || call.cancelled) return;
  call.cancelled = true;
  Draft draft = found->second.draft;
  draft.method = "CANCEL";
  draft.lines.clear();
  outside_.cancelled(call.branch);
  begin(draft, [](const support::SipText*) {});
  after(64 * 500ms, [this, call_id, key = call.branch + " INVITE"] {  // 9.1: it is over, answered or not
    if (outgoing_[call_id].status == 0) outgoing_[call_id].status = 408;
    const auto client = clients_.find(key);
    if (client != clients_.end() && client->second.state == Client::State::proceeding) clients_.erase(client);
  });
}

// 13.2.2.4: every 2xx is acknowledged; of several forks the first is talked to.
void Party::picked_up(Outgoing& call, const support::SipText& message) {
  const std::string remote_tag = tag_of(message.get("to"));
  const std::string key = leg_key(call.call_id, call.tag, remote_tag);
  if (const auto known = legs_.find(key); known != legs_.end()) return outside_.send(known->second.ack);
  Leg leg;
  leg.call_id = call.call_id;
  leg.local_tag = call.tag;
  leg.remote_tag = remote_tag;
  leg.local = fmt::format("<sip:{}@{}>", identity_.user.empty() ? "farm" : identity_.user,
                          identity_.is_target ? "farm.example.net" : kDomain);
  leg.remote = fmt::format("<{}>", call.plan.uri);
  leg.target = support::bracketed(message.get("contact"));
  leg.original_uri = call.plan.uri;
  leg.by_route = call.plan.by_route;
  leg.cseq = call.cseq;
  for (const std::string_view route : message.all("record-route")) leg.routes.insert(leg.routes.begin(), std::string{route});
  expect_our_side(leg);
  const bool first = call.status == 0 && !call.cancelled;
  if (!leg.by_route) leg.unrouted = call.status == 0 ? "first" : "extra";
  leg.since = outside_.now();
  call.status = message.status;
  Leg& kept = legs_[key] = std::move(leg);
  acknowledge(kept);
  if (!first && keep_both_) return;
  if (!first) return hang_up(key);
  if (call.plan.reinvites) after(call.plan.talk / 3, [this, key] { reinvite(key); });
  if (call.plan.dies) after(call.plan.talk / 2, [this] { if (!calm_) die(); });
  after(call.plan.talk, [this, key] { hang_up(key); });
}

// The first hop of a dialog is the edge, by its socket of our family (RFC 3261 16.6 step 4, RFC 5658).
void Party::expect_our_side(const Leg& leg) {
  const std::string edge = "<sip:" + to_string(identity_.edge) + ";lr;";
  if (leg.routes.empty() || !leg.routes.front().starts_with(edge)) {
    outside_.fail("route", fmt::format("{}: the first hop of {} is {}", identity_.index, leg.call_id,
                                       leg.routes.empty() ? "nobody" : leg.routes.front()));
  }
}

Party::Draft Party::in_dialog(Leg& leg, const std::string& method) {
  Draft draft;
  draft.method = method;
  draft.uri = leg.by_route || leg.original_uri.empty() ? leg.target : leg.original_uri;
  draft.from = fmt::format("{};tag={}", leg.local, leg.local_tag);
  draft.to = fmt::format("{};tag={}", leg.remote, leg.remote_tag);
  draft.call_id = leg.call_id;
  draft.cseq = method == "ACK" ? leg.cseq : ++leg.cseq;
  if (leg.by_route) draft.routes = leg.routes;
  if (!leg.by_route) draft.lines = {"X-Unrouted: " + leg.unrouted};
  return draft;
}

void Party::acknowledge(Leg& leg) {
  Draft draft = in_dialog(leg, "ACK");
  draft.branch = branch();
  leg.ack = text(draft);
  outside_.send(leg.ack);
}

void Party::hang_up(const std::string& key) {
  const auto found = legs_.find(key);
  if (found == legs_.end() || !found->second.stands) return;
  found->second.stands = false;
  begin(in_dialog(found->second, "BYE"), [this, key](const support::SipText* message) {
    const auto leg = legs_.find(key);
    if (leg != legs_.end()) leg->second.bye = message ? message->status : 408;
  });
}

void Party::hang_up_all() {
  std::vector<std::string> keys;
  for (const auto& [key, leg] : legs_) keys.push_back(key);
  for (const std::string& key : keys) hang_up(key);
}

// 14.1: and something of RFC 6086 beside it.
void Party::reinvite(const std::string& key) {
  const auto found = legs_.find(key);
  if (found == legs_.end() || !found->second.stands) return;
  Leg& leg = found->second;
  if (one_in(3)) {
    begin(in_dialog(leg, "INFO"), [](const support::SipText*) {});
    return;
  }
  Draft draft = in_dialog(leg, "INVITE");
  draft.branch = branch();
  outside_.invited({.branch = draft.branch, .call_id = leg.call_id, .uri = draft.uri, .cseq = leg.cseq, .from = identity_.address,
                    .begins = false});
  // The ACK is one of the dialog; a repeated 2xx gets it again.
  begin(draft, [this, key, cseq = leg.cseq, ack = std::string{}](const support::SipText* message) mutable {
    const auto now = legs_.find(key);
    if (!message || message->status < 200 || message->status >= 300 || now == legs_.end()) return;
    if (ack.empty()) {
      Draft of_2xx = in_dialog(now->second, "ACK");
      of_2xx.cseq = cseq;
      of_2xx.branch = branch();
      ack = text(of_2xx);
    }
    outside_.send(ack);
  });
}

}  // namespace ringweir::sim
