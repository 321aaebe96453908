#include "sim/phone.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/credentials.h"

namespace ringweir::sim {
namespace {

constexpr Duration kT1 = 500ms, kT2 = 4s;  // RFC 3261 17.1.2.2
constexpr Duration kTimerF = 64 * kT1;
constexpr std::size_t kContactsOwn = 4;  // keeps a request under 2 KiB

}  // namespace

Phone::Phone(PhoneIdentity identity, const Knobs& knobs, std::uint64_t seed, PhoneOutside outside)
    : identity_(std::move(identity)), knobs_(knobs), random_(seed), outside_(std::move(outside)) {
  new_call();
}

void Phone::new_call() {
  call_id_ = fmt::format("{:016x}@phone{}", random_.next(), identity_.index);
  tag_ = fmt::format("{:08x}", random_.below(UINT32_MAX));
  cseq_ = random_.below(1000);
}

std::string Phone::new_contact() {
  const std::string pad = knobs_.long_contacts ? ";pad=" + std::string(170, 'p') : "";
  return fmt::format("sip:{}@{};line={}{}", identity_.user, to_string(identity_.address), contacts_made_++, pad);
}

Phone::Want Phone::choose() {
  if (contacts_.empty()) return random_.below(10) == 0 ? Want::query : Want::refresh;
  constexpr std::array<std::pair<Want, std::uint32_t>, 12> kWeights{{{Want::refresh, 50}, {Want::move, 5}, {Want::add, 5},
      {Want::reboot, 4}, {Want::reboot_same_contact, 6}, {Want::leave, 5}, {Want::leave_all, 2}, {Want::query, 8},
      {Want::brief, 3}, {Want::options, 5}, {Want::ping, 3}, {Want::silence, 4}}};
  std::uint32_t at = random_.below(100);
  for (const auto& [want, weight] : kWeights) {
    if (at < weight) return want;
    at -= weight;
  }
  return Want::refresh;
}

void Phone::sleep(Duration until_wake) { outside_.timer(until_wake, What::wake, ++wakes_); }

void Phone::wake(std::uint64_t token, Instant now) {
  if (calm_ || transaction_ || (token != 0 && token != wakes_)) return;
  const Want want = choose();
  if (want == Want::silence) {  // gone without a word: its bindings must expire
    contacts_.clear();
    return sleep(std::chrono::seconds(10 + random_.below(knobs_.max_expires_s * 2)));
  }
  if (want == Want::ping) {
    outside_.send("\r\n\r\n", {});
    return sleep(1s + random_.below(4000) * 1ms);
  }
  begin(want, now);
}

void Phone::begin(Want want, Instant) {
  want_ = want;
  tries_ = 0;
  star_ = false;
  method_ = want == Want::options ? "OPTIONS" : "REGISTER";
  asking_.clear();
  expires_by_header_ = random_.below(2) == 0;
  expires_s_ = knobs_.min_expires_s + random_.below(knobs_.max_expires_s * 3 / 2);
  const std::uint32_t granted = std::min(expires_s_, knobs_.max_expires_s);
  if (want == Want::reboot || want == Want::reboot_same_contact) {
    new_call();
    nonce_.clear();
    if (want == Want::reboot) contacts_.clear();
  }
  switch (want) {
    case Want::move:
      for (const std::string& old : contacts_) asking_.push_back({old, 0});
      contacts_ = {new_contact()};
      expires_by_header_ = false;
      break;
    case Want::add:
      if (contacts_.size() < kContactsOwn) contacts_.push_back(new_contact());
      break;
    case Want::leave: expires_s_ = 0; break;
    case Want::leave_all:
      star_ = true;
      expires_s_ = 0;
      break;
    case Want::brief: expires_s_ = 1 + random_.below(knobs_.min_expires_s - 1); break;
    default:
      if (contacts_.empty()) contacts_ = {new_contact()};
      break;
  }
  if (want == Want::query || want == Want::options) return request();
  if (!star_) {
    for (const std::string& contact : contacts_) asking_.push_back({contact, want == Want::leave ? 0 : granted});
  }
  request();
}

void Phone::register_once(Instant now) { begin(Want::refresh, now); }
void Phone::leave(Instant now) { begin(Want::leave, now); }

void Phone::request() {
  Asked asked;
  asked.branch = fmt::format("z9hG4bK-{}-{}", identity_.index, ++tokens_);
  asked.method = method_;
  asked.call_id = call_id_;
  asked.cseq = ++cseq_;
  asked.aor = identity_.aor;
  asked.star = star_;
  asked.too_brief = want_ == Want::brief;
  asked.must_refuse = knobs_.authenticates && !identity_.known;
  asked.not_yet = !identity_.wrong_password;
  asked.contacts = asking_;
  asked.source = identity_.address;
  const std::string uri = "sip:" + identity_.domain;
  std::string text = fmt::format(
      "{} {} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch={};rport\r\nMax-Forwards: 70\r\nFrom: <sip:{}@{}>;tag={}\r\n"
      "To: <sip:{}@{}>\r\nCall-ID: {}\r\nCSeq: {} {}\r\n",
      method_, uri, to_string(identity_.address), asked.branch, identity_.user, identity_.domain, tag_, identity_.user,
      identity_.domain, call_id_, cseq_, method_);
  if (star_) text += "Contact: *\r\nExpires: 0\r\n";
  for (const AskedContact& contact : asking_) {
    text += fmt::format("Contact: <{}>", contact.uri);
    if (!expires_by_header_) text += fmt::format(";expires={}", contact.granted_s == 0 ? 0 : expires_s_);
    text += "\r\n";
  }
  if (expires_by_header_ && !asking_.empty()) text += fmt::format("Expires: {}\r\n", expires_s_);
  if (!nonce_.empty() && method_ == "REGISTER") write_credentials(text, uri, asked);
  text += "Content-Length: 0\r\n\r\n";
  outside_.asked(asked);
  transaction_ = Transaction{tokens_, asked.branch, text, kT1};
  outside_.send(text, asked.branch);
  outside_.timer(kT1, What::retransmit, tokens_);
  outside_.timer(kTimerF, What::give_up, tokens_);
}

void Phone::write_credentials(std::string& text, const std::string& uri, Asked& asked) {
  ++nc_;
  asked.nonce = nonce_;
  asked.nc = qop_ ? nc_ : 0;
  text += credentials_line({.user = identity_.user, .realm = identity_.realm, .password = identity_.password, .nonce = nonce_,
                            .method = method_, .uri = uri, .nc = nc_, .qop = qop_, .proxy = challenge_by_proxy_});
  if (!qop_) nonce_.clear();  // the old form uses a nonce up
}

void Phone::retransmit(std::uint64_t token) {
  if (!transaction_ || transaction_->token != token) return;
  outside_.send(transaction_->bytes, transaction_->branch);
  transaction_->interval = std::min(transaction_->interval * 2, kT2);
  outside_.timer(transaction_->interval, What::retransmit, token);
}

void Phone::give_up(std::uint64_t token, Instant now) {
  if (transaction_ && transaction_->token == token) finish(408, now);
}

void Phone::receive(std::string_view bytes, Instant now) {
  if (!transaction_) return;
  const auto response = support::read_sip(bytes);
  if (!response || support::parameter_of(response->get("via"), "branch") != transaction_->branch) return;
  if (response->status == 401 || response->status == 407) return challenged(*response, now);
  finish(response->status, now);
}

void Phone::challenged(const support::SipText& response, Instant now) {
  const bool by_proxy = response.status == 407;
  const std::string_view challenge = response.get(by_proxy ? "proxy-authenticate" : "www-authenticate");
  const bool stale = support::parameter_of(challenge, "stale") == "true";
  const bool was_mine = nonce_fresh_ && !stale;
  if (++tries_ > 6 || was_mine) return finish(response.status, now);
  nonce_ = support::parameter_of(challenge, "nonce");
  nc_ = 0;
  qop_ = challenge.find("qop=") != challenge.npos;
  challenge_by_proxy_ = by_proxy;
  nonce_fresh_ = true;
  transaction_.reset();
  request();
}

void Phone::finish(int status, Instant) {
  transaction_.reset();
  nonce_fresh_ = false;
  last_status_ = status;
  ++done_;
  if (status == 401 || status == 407) nonce_.clear();
  const bool left = status == 200 && (want_ == Want::leave || want_ == Want::leave_all);
  if (left || status == 403) contacts_.clear();
  if (random_.below(8) == 0) nonce_.clear();
  if (calm_) return;
  Duration next = 500ms + random_.below(10'000) * 1ms;
  if (status == 200 && !contacts_.empty()) {  // before the shortest of what it asked for has expired, usually
    const std::uint32_t granted_ms = std::min(std::max(expires_s_, knobs_.min_expires_s), knobs_.max_expires_s) * 1000;
    next = random_.below(granted_ms * 11 / 10) * 1ms;
  }
  sleep(next);
}

}  // namespace ringweir::sim
