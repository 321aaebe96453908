// Transactions and texts of a party.
#include "sim/party.h"

#include <fmt/format.h>

#include <algorithm>

namespace ringweir::sim {
namespace {

constexpr Duration kT1 = 500ms, kT2 = 4s, kT4 = 5s;

}  // namespace

Party::Party(PartyIdentity identity, const CallKnobs& knobs, std::uint64_t seed, PartyOutside outside)
    : identity_(std::move(identity)), knobs_(knobs), random_(seed), outside_(std::move(outside)) {}

void Party::after(Duration delay, std::function<void()> what) {
  timers_.emplace(++tokens_, std::move(what));
  outside_.timer(delay, tokens_);
}

void Party::ring(std::uint64_t token) {
  const auto found = timers_.find(token);
  if (found == timers_.end()) return;
  const auto what = std::move(found->second);
  timers_.erase(found);
  what();
}

// A crash: nothing is remembered.
void Party::die() {
  if (!alive_) return;
  alive_ = false;
  ++deaths_;
  timers_.clear();
  clients_.clear();
  servers_.clear();
  legs_.clear();
  outgoing_.clear();
  outside_.died();
}

std::string Party::branch() { return fmt::format("z9hG4bK-{}-{}", identity_.index, ++made_); }
// Whose it is shows: see CallOracle.
std::string Party::new_tag() { return fmt::format("p{}.{}", identity_.index, ++made_); }

Duration Party::between(Duration least, Duration most) {
  return least + random_.below(static_cast<std::uint32_t>(to_ms(most - least)) + 1) * 1ms;
}

std::string Party::contact() const {
  return fmt::format("<sip:{}@{}>", identity_.user.empty() ? "farm" : identity_.user, to_string(identity_.address));
}

std::string Party::text(const Draft& draft) {
  std::string out = fmt::format("{} {} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch={};rport\r\nMax-Forwards: 70\r\n", draft.method, draft.uri,
                                to_string(identity_.address), draft.branch);
  for (const std::string& route : draft.routes) out += "Route: " + route + "\r\n";
  out += fmt::format("From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {} {}\r\nContact: {}\r\n", draft.from, draft.to, draft.call_id,
                     draft.cseq, draft.method, draft.method == "REGISTER" ? contact() + identity_.q : contact());
  if (draft.method != "CANCEL") out += fmt::format("X-Order: {}.{}\r\n", identity_.index, ++orders_[draft.call_id]);
  for (const std::string& line : draft.lines) out += line + "\r\n";
  return out + "Content-Length: 0\r\n\r\n";
}

// --- client transactions

std::string Party::begin(Draft draft, std::function<void(const support::SipText*)> heard) {
  if (draft.branch.empty()) draft.branch = branch();
  Client client;
  client.branch = draft.branch;
  client.method = draft.method;
  client.bytes = text(draft);
  client.interval = kT1;
  client.heard = std::move(heard);
  client.draft = std::move(draft);
  const std::string key = client.branch + " " + client.method;
  const std::string bytes = client.bytes, made = client.branch;
  clients_[key] = std::move(client);
  outside_.send(bytes);
  after(kT1, [this, key] { again(key); });
  after(64 * kT1, [this, key] {  // Timers B and F
    const auto found = clients_.find(key);
    if (found == clients_.end()) return;
    Client& c = found->second;
    if (c.state == Client::State::proceeding && c.method == "INVITE") return;
    const bool silent = c.state == Client::State::calling || c.state == Client::State::proceeding;
    const auto tell = c.heard;
    clients_.erase(found);
    if (silent) tell(nullptr);
  });
  return made;
}

// Timers A and E.
void Party::again(const std::string& key) {
  const auto found = clients_.find(key);
  if (found == clients_.end()) return;
  Client& c = found->second;
  const bool invite = c.method == "INVITE";
  if (c.state != Client::State::calling && (invite || c.state != Client::State::proceeding)) return;
  outside_.send(c.bytes);
  c.interval = invite ? c.interval * 2 : std::min(c.interval * 2, kT2);
  after(c.interval, [this, key] { again(key); });
}

void Party::response(const support::SipText& message) {
  const std::string top = support::parameter_of(message.get("via"), "branch");
  const std::string_view cseq = message.get("cseq");
  const std::string key = top + " " + std::string{cseq.substr(cseq.find(' ') + 1)};
  const auto found = clients_.find(key);
  if (found == clients_.end()) return;
  Client& c = found->second;
  const bool invite = c.method == "INVITE";
  if (message.status < 200) {
    if (c.state > Client::State::proceeding) return;
    c.state = Client::State::proceeding;
    const auto tell = c.heard;
    return tell(&message);
  }
  if (invite && message.status >= 300) {  // 17.1.1.3
    if (c.state == Client::State::accepted) return;
    const bool first = c.state != Client::State::completed;
    if (first) {
      c.state = Client::State::completed;
      c.ack = fmt::format("ACK {} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch={};rport\r\nMax-Forwards: 70\r\n", c.draft.uri,
                          to_string(identity_.address), c.branch);
      for (const std::string& route : c.draft.routes) c.ack += "Route: " + route + "\r\n";
      c.ack += fmt::format("From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {} ACK\r\n{}Content-Length: 0\r\n\r\n", c.draft.from,
                           message.get("to"), c.draft.call_id, c.draft.cseq,
                           c.draft.routes.empty() ? "X-Unrouted: first\r\n" : "");
      after(64 * kT1, [this, key] { clients_.erase(key); });  // Timer D
    }
    const auto tell = c.heard;
    outside_.send(c.ack);
    if (first) tell(&message);
    return;
  }
  if (invite) {
    if (c.state == Client::State::completed) return;  // RFC 6026: no 2xx after another final response
    if (c.state != Client::State::accepted) after(64 * kT1, [this, key] { clients_.erase(key); });  // Timer M
    c.state = Client::State::accepted;
    const auto tell = c.heard;
    return tell(&message);
  }
  if (c.state > Client::State::proceeding) return;
  c.state = Client::State::completed;
  after(kT4, [this, key] { clients_.erase(key); });  // Timer K
  const auto tell = c.heard;
  tell(&message);
}

std::string Party::response_text(const support::SipText& request, int status, const std::string& tag, bool in_order,
                                 const std::vector<std::string>& lines) {
  std::string out = fmt::format("SIP/2.0 {} {}\r\n", status, status < 200 ? "Wait" : status < 300 ? "OK" : "No");
  for (const std::string_view via : request.all("via")) out += fmt::format("Via: {}\r\n", via);
  for (const std::string_view route : request.all("record-route")) out += fmt::format("Record-Route: {}\r\n", route);
  out += fmt::format("From: {}\r\nTo: {}", request.get("from"), request.get("to"));
  if (status > 100 && !tag.empty() && request.get("to").find("tag=") == std::string_view::npos) out += ";tag=" + tag;
  const std::string call_id{request.get("call-id")};
  out += fmt::format("\r\nCall-ID: {}\r\nCSeq: {}\r\nContact: {}\r\n", call_id, request.get("cseq"), contact());
  if (in_order) out += fmt::format("X-Order: {}.{}\r\n", identity_.index, ++orders_[call_id]);
  for (const std::string& line : lines) out += line + "\r\n";
  return out + "Content-Length: 0\r\n\r\n";
}

void Party::receive(std::string_view bytes) {
  if (!alive_) return;
  const auto message = support::read_sip(bytes);
  if (!message) return;
  if (message->status != 0) return response(*message);
  request(*message);
}

// --- what is asked about it

int Party::final_of(const std::string& call_id) const {
  const auto found = outgoing_.find(call_id);
  return found == outgoing_.end() ? 0 : found->second.status;
}

std::uint32_t Party::talking(const std::string& call_id, bool as_callee) const {
  std::uint32_t stand = 0;
  for (const auto& [key, leg] : legs_) stand += leg.call_id == call_id && leg.stands && leg.answered_by_us == as_callee;
  return stand;
}

bool Party::over(const std::string& call_id) const {
  return std::none_of(legs_.begin(), legs_.end(), [&](const auto& each) {
    return each.second.call_id == call_id && (each.second.stands || each.second.bye == 0);
  });
}

std::vector<Party::Talk> Party::talks() const {
  std::vector<Talk> talks;
  for (const auto& [key, leg] : legs_) {
    if (leg.stands) talks.push_back({leg.call_id, leg.answered_by_us && leg.acked, leg.since});
  }
  return talks;
}

std::vector<std::string> Party::ringing() const {
  std::vector<std::string> calls;
  for (const auto& [key, server] : servers_) {
    if (key.ends_with(" INVITE") && !server.is_final && server.rang) calls.emplace_back(server.request.get("call-id"));
  }
  return calls;
}

std::string Party::leg_key(const std::string& call_id, const std::string& local_tag, const std::string& remote_tag) const {
  return call_id + "|" + local_tag + "|" + remote_tag;
}

}  // namespace ringweir::sim
