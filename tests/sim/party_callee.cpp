// A party that is called.
#include <fmt/format.h>

#include <algorithm>

#include "sim/party.h"

namespace ringweir::sim {
namespace {

constexpr Duration kT1 = 500ms, kT2 = 4s;

std::string tag_of(std::string_view name_addr) { return support::parameter_of(name_addr, "tag"); }
std::string_view without_tag(std::string_view name_addr) { return name_addr.substr(0, name_addr.find(";tag=")); }
// Where the From tag was cut out there is no Record-Route to sign.
bool is_evil(const support::SipText& message) {
  const auto vias = message.all("via");
  return std::any_of(vias.begin(), vias.end(), [](std::string_view via) { return via.find("evil") != via.npos; });
}
std::string method_of(const support::SipText& message) { return message.start_line.substr(0, message.start_line.find(' ')); }

}  // namespace

void Party::request(const support::SipText& message) {
  const std::string method = method_of(message), call_id{message.get("call-id")};
  const std::string top = support::parameter_of(message.get("via"), "branch");
  const std::string local_tag = tag_of(message.get("to")), remote_tag = tag_of(message.get("from"));
  if (method == "ACK") {
    const auto server = servers_.find(top + " INVITE");
    if (server != servers_.end()) server->second.acked = true;
    const auto leg = legs_.find(leg_key(call_id, local_tag, remote_tag));
    if (leg != legs_.end()) leg->second.acked = true;
    return;
  }
  const std::string key = top + " " + method;
  if (const auto known = servers_.find(key); known != servers_.end()) {
    if (!known->second.last.empty() && !known->second.is_success) outside_.send(known->second.last);
    return;
  }
  if (identity_.is_target && message.has("proxy-authorization")) {
    for (const std::string_view value : message.all("proxy-authorization")) {
      if (support::parameter_of(value, "realm") == "example.com") outside_.fail("password", "our credentials reached a target");
    }
  }
  Server& server = servers_[key];
  server.request = message;
  if (method == "INVITE") return invited(key);
  after(64 * kT1, [this, key] { servers_.erase(key); });  // Timer J
  if (method == "CANCEL") {
    const std::string of = top + " INVITE";
    const auto invite = servers_.find(of);
    respond(key, invite == servers_.end() ? 481 : 200);
    if (invite != servers_.end() && !invite->second.is_final) respond(of, 487);
    return;
  }
  const auto leg = legs_.find(leg_key(call_id, local_tag, remote_tag));
  if (!local_tag.empty() && leg == legs_.end()) return respond(key, 481);
  if (method == "BYE" && leg != legs_.end()) {
    leg->second.stands = false;
    leg->second.acked = true;
    leg->second.bye = 200;
  }
  if (local_tag.empty() && !calm_ && random_.chance(knobs_.odd) && one_in(3)) return;  // never answers
  respond(key, 200);
}

// 8.2.2.2
bool Party::merged(const support::SipText& message) const {
  const std::string tag = tag_of(message.get("from"));
  return std::any_of(servers_.begin(), servers_.end(), [&](const auto& each) {
    const support::SipText& other = each.second.request;
    return &other != &message && !each.second.last.empty() && other.get("call-id") == message.get("call-id") &&
           other.get("cseq") == message.get("cseq") && tag_of(other.get("from")) == tag;
  });
}

void Party::invited(const std::string& key) {
  Server& server = servers_[key];
  const support::SipText& message = server.request;
  const std::string local_tag = tag_of(message.get("to"));
  if (local_tag.empty()) {
    if (merged(message)) return respond(key, 482);
    server.tag = new_tag();
    return treat(key);
  }
  const std::string leg = leg_key(std::string{message.get("call-id")}, local_tag, tag_of(message.get("from")));
  const auto known = legs_.find(leg);
  if (known == legs_.end() || !known->second.stands) return respond(key, 481);
  respond(key, 200);  // a re-INVITE
  again_final(key, kT1);
}

// What becomes of a call that comes in.
void Party::treat(const std::string& key) {
  const std::string tag = servers_[key].tag;
  const auto ring_then = [&](Duration ring, std::function<void()> then) {
    after(ring, [this, key] {
      if (const auto at = servers_.find(key); at != servers_.end() && !at->second.is_final) respond(key, 180);
    });
    after(ring + between(10ms, 4s), std::move(then));
  };
  const auto pick_up = [this, key, tag] { answer(key, tag); };
  const auto refuse = [this, key](int status) {
    const auto at = servers_.find(key);
    if (at != servers_.end() && !at->second.is_final) respond(key, status);
  };
  if (one_in(2)) respond(key, 100);
  if (calm_ || !random_.chance(knobs_.odd)) return ring_then(between(0s, 300ms), pick_up);
  constexpr int kRefusals[] = {404, 480, 486, 488, 500, 503, 600, 603, 302};
  const int status = kRefusals[random_.below(9)];
  switch (random_.below(10)) {
    case 0: return;                                                         // silence
    case 1: return answer(key, tag);                                        // at once
    case 2: return refuse(status);
    case 3: return ring_then(between(0s, 2s), [refuse, status] { refuse(status); });
    case 4: return keep_ringing(key, 8);
    case 5:                                                                 // a fork behind it: two answer
      return ring_then(0s, [this, key, tag] {
        answer(key, tag);
        after(between(1ms, 2s), [this, key, second = new_tag()] { answer(key, second); });
      });
    case 6: return garbage(key);
    case 7:
      if (!identity_.is_target) return refuse(503);
      if (servers_[key].request.has("proxy-authorization")) return ring_then(0s, pick_up);
      return respond(key, 407, {"Proxy-Authenticate: Digest realm=\"pbx\", nonce=\"n\", algorithm=MD5, qop=\"auth\""});
    case 8: return refuse(503);
    default: return ring_then(0s, [this] { if (!calm_) die(); });
  }
}

// 13.3.1.1: ringing is said again while it goes on.
void Party::keep_ringing(const std::string& key, int times) {
  const auto found = servers_.find(key);
  if (found == servers_.end() || found->second.is_final) return;
  respond(key, one_in(2) ? 180 : 183);
  if (times == 0) return after(10s, [this, key] { respond(key, 480); });
  after(10s, [this, key, times] { keep_ringing(key, times - 1); });
}

// One response to a request. Final ones of an INVITE are repeated until they are acknowledged (17.2.1, 13.3.1.4).
void Party::respond(const std::string& key, int status, const std::vector<std::string>& lines) {
  const auto found = servers_.find(key);
  if (found == servers_.end() || found->second.is_final) return;
  Server& server = found->second;
  const bool invite = key.ends_with(" INVITE");
  if (server.tag.empty()) server.tag = new_tag();
  const bool in_order = status > 100 && status < 300 && !key.ends_with(" CANCEL");
  server.last = response_text(server.request, status, server.tag, in_order, lines);
  server.is_final = status >= 200;
  server.rang |= status > 100 && status < 200;
  outside_.send(server.last);
  if (!invite || !server.is_final) return;
  server.interval = kT1;
  if (status >= 300) again_final(key, kT1);
  after(64 * kT1 + 5s, [this, key] { servers_.erase(key); });
}

void Party::again_final(const std::string& key, Duration passed) {
  const Duration interval = std::min(passed, kT2);
  after(interval, [this, key, passed] {
    const auto found = servers_.find(key);
    if (found == servers_.end() || found->second.acked || passed > 16 * kT1) return;
    outside_.send(found->second.last);
    again_final(key, passed * 2);
  });
}

// 13.3.1.4
void Party::answer(const std::string& key, const std::string& tag) {
  const auto found = servers_.find(key);
  if (found == servers_.end() || (found->second.is_final && !found->second.is_success)) return;
  Server& server = found->second;
  const support::SipText& invite = server.request;
  Leg leg;
  leg.call_id = invite.get("call-id");
  leg.local_tag = tag;
  leg.remote_tag = tag_of(invite.get("from"));
  leg.local = without_tag(invite.get("to"));
  leg.remote = without_tag(invite.get("from"));
  leg.target = support::bracketed(invite.get("contact"));
  for (const std::string_view route : invite.all("record-route")) leg.routes.emplace_back(route);
  if (!is_evil(invite)) expect_our_side(leg);
  leg.cseq = 1;
  leg.answered_by_us = true;
  leg.interval = kT1;
  leg.since = outside_.now();
  server.is_final = server.is_success = true;
  leg.answer = server.last = response_text(invite, 200, tag, true);
  const std::string name = leg_key(leg.call_id, tag, leg.remote_tag);
  Leg& kept = legs_[name] = std::move(leg);
  outside_.send(kept.answer);
  again_2xx(name, Duration::zero());
  after(64 * kT1 + 5s, [this, key] { servers_.erase(key); });
  if (!calm_ && one_in(3)) after(between(100ms, 20s), [this, name] { hang_up(name); });
  if (!calm_ && one_in(5)) after(between(100ms, 5s), [this, name] { reinvite(name); });
  if (!calm_) after(100s, [this, name] { hang_up(name); });  // of a caller who died
}

void Party::again_2xx(const std::string& name, Duration passed) {
  const auto found = legs_.find(name);
  if (found == legs_.end()) return;
  const Duration interval = found->second.interval;
  found->second.interval = std::min(interval * 2, kT2);
  after(interval, [this, name, passed, interval] {
    const auto leg = legs_.find(name);
    if (leg == legs_.end() || leg->second.acked || !leg->second.stands) return;
    if (passed + interval >= 64 * kT1) return hang_up(name);
    outside_.send(leg->second.answer);
    again_2xx(name, passed + interval);
  });
}

// What no farm should say, and then at last a refusal.
void Party::garbage(const std::string& key) {
  const support::SipText& invite = servers_[key].request;
  const std::string good = response_text(invite, 180, servers_[key].tag, false);
  const auto altered = [&good](std::string_view what, std::string_view with) {
    std::string bad = good;
    const std::size_t at = bad.find(what);
    if (at != bad.npos) bad.replace(at, what.size(), with);
    return bad;
  };
  const std::string top = support::parameter_of(invite.get("via"), "branch");
  switch (random_.below(8)) {
    case 0: outside_.send(altered("CSeq: ", "CSeq: 9")); break;
    case 1: outside_.send(altered(" INVITE\r\n", " OPTIONS\r\n")); break;
    case 2: outside_.send(altered(top, top.substr(0, top.size() - 4) + "AAAA")); break;
    case 3: outside_.send(altered("SIP/2.0 180", "SIP/2.0 099")); break;
    case 4: outside_.send(good.substr(0, random_.below(static_cast<std::uint32_t>(good.size())))); break;
    case 5: outside_.send(altered("Call-ID: ", "Call-ID: other-")); break;
    case 6: {  // only our Via
      support::SipText alone = invite;
      bool first = true;
      std::erase_if(alone.headers, [&](const auto& header) { return header.first == "via" && !std::exchange(first, false); });
      outside_.send(response_text(alone, one_in(2) ? 200 : 486, servers_[key].tag, false));
      break;
    }
    default: outside_.send(altered("From: ", "Frim: ")); break;
  }
  after(between(1ms, 3s), [this, key] {
    if (const auto at = servers_.find(key); at != servers_.end() && !at->second.is_final) respond(key, 486);
  });
}

}  // namespace ringweir::sim
