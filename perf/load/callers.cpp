#include "callers.h"

#include <algorithm>
#include <string>

#include "heard.h"

namespace ringweir::load {
namespace {

constexpr std::uint8_t kChallengesMax = 3;  // a server that never stops challenging is an error, not a loop

// The letter after the token: which of the call's requests a response is for.
char letter_of(std::string_view response) noexcept {
  const std::size_t at = response.find(kBranchCookie) + kBranchCookie.size() + kTokenDigits;
  return at < response.size() ? response[at] : '\0';
}

}  // namespace

bool Callers::begin(std::int64_t due_ns) {
  Call* const call = world_.table.open();
  if (call == nullptr) return false;
  ++world_.steps[static_cast<std::size_t>(CallStep::free)];
  call->wake_ns = call->callee_resend_ns = kNever;
  call->started_ns = due_ns;
  choose_users(*call);
  call->cseq = kCSeqFirst;
  ++world_.counts().begun;
  world_.counts().last_token = call->token;
  start_request(*call, CallStep::inviting);
  return true;
}

// A caller, and somebody else in an order of its own.
void Callers::choose_users(Call& call) {
  const Options& options = world_.options;
  const auto index_of = [&](std::uint64_t user) {
    return static_cast<std::uint32_t>(user - options.user_base);
  };
  call.caller = options.from_user ? index_of(*options.from_user) : world_.phones.next();
  const std::uint32_t others = std::max(options.users, 2u) - 1;
  const auto turn = static_cast<std::uint32_t>(call.token >> kCallIndexBits) % others;
  call.callee = options.to_user ? index_of(*options.to_user) : (call.caller + 1 + turn) % options.users;
}

void Callers::start_request(Call& call, CallStep step) {
  world_.enter(call, step);
  call.sent_ns = world_.now;
  call.interval_ns = kT1Ns;
  call.resend_ns = world_.now + kT1Ns;
  world_.wake(call, call.resend_ns);
  send(call);
}

void Callers::send(Call& call) {
  if (call.step == CallStep::ending) {
    world_.messages.bye(call, world_.table.dialog(call));
  } else {
    const bool challenged = call.challenged != 0;
    world_.counts().invite_octets =
        world_.messages.invite(call, challenged ? world_.table.dialog(call).credentials.view() : "");
  }
}

void Callers::take(std::string_view response) {
  const int status = status_of(response);
  const std::optional<std::uint64_t> token = token_of(response);
  if (status == 0 || !token || !world_.table.issued(*token)) {
    ++world_.outcome.mismatches;
    return;
  }
  Call* const call = world_.table.find(*token);
  if (call == nullptr) {
    ++world_.outcome.late;
    return;
  }
  if (world_.to_verify() && !fits(*call, response)) ++world_.outcome.mismatches;
  const char letter = letter_of(response);
  if (letter == kByeLetter) {
    take_bye_response(*call, status);
    return;
  }
  if (letter != static_cast<char>('a' + call->challenged)) {
    ++world_.outcome.late;
    return;
  }
  if (!call->heard && status != 407 && status != 401) {
    call->heard = true;
    if (world_.counting) world_.counts().first_response.record(world_.now - call->started_ns);
  }
  if (status < 200) {
    take_provisional(*call, status);
  } else if (status < 300) {
    take_answer(*call, response);
  } else {
    take_refusal(*call, status, response);
  }
}

void Callers::take_provisional(Call& call, int status) {
  if (status == 100) ++world_.counts().trying;
  if (call.step > CallStep::ringing) {
    if (status != 100) ++world_.counts().disorder;
    return;
  }
  if (status == 180 && !call.rang) {
    call.rang = true;
    if (world_.counting) world_.counts().ringing.record(world_.now - call.started_ns);
  }
  // RFC 3261 17.1.1.2: a provisional response ends Timers A and B. What is left is our own patience.
  if (call.step == CallStep::inviting) {
    world_.enter(call, CallStep::ringing);
    call.resend_ns = call.sent_ns + ringing_max_ns_;
    world_.wake(call, call.resend_ns);
  }
}

// Each 2xx gets an ACK, also when it comes again (RFC 3261 13.2.2.4).
void Callers::take_answer(Call& call, std::string_view response) {
  Dialog& dialog = world_.table.dialog(call);
  if (call.step > CallStep::ringing) {
    ++world_.counts().answered_again;
    world_.messages.ack(call, dialog);
    return;
  }
  if (!hear_answer(response, dialog)) {
    ++world_.outcome.mismatches;
    return;
  }
  if (world_.options.no_route) {  // as SIPp's built-in uac: no Route, the Request-URI it has always used
    dialog.routes.used = dialog.target.used = 0;
    dialog.target.append(world_.messages.request_uri(call));
  }
  ++world_.counts().answered;
  if (!call.rang) ++world_.counts().without_ringing;
  if (world_.counting) world_.outcome.latency.record(world_.now - call.started_ns);
  world_.messages.ack(call, dialog);
  if (world_.options.talk_ms == 0) {
    hang_up(call);
    return;
  }
  world_.enter(call, CallStep::talking);
  call.resend_ns = world_.now + world_.options.talk_ms * std::int64_t{1'000'000};
  world_.wake(call, call.resend_ns);
}

void Callers::hang_up(Call& call) {
  ++call.cseq;
  start_request(call, CallStep::ending);
}

void Callers::take_refusal(Call& call, int status, std::string_view response) {
  world_.messages.ack_refusal(call, heard_to(response));
  if (call.step > CallStep::ringing) {
    ++world_.outcome.mismatches;
    return;
  }
  const bool challenge = (status == 401 || status == 407) && call.challenged < kChallengesMax;
  if (challenge) {
    answer_challenge(call, status, response);
    return;
  }
  refuse(call, status);
}

// Ends a call that was never answered.
void Callers::refuse(Call& call, int status) {
  ++world_.outcome.unexpected[status];
  fail(call);
}

void Callers::fail(Call& call) {
  std::int64_t& last = world_.counts().last_failed_begun_ns;
  last = std::max(last, call.started_ns);
  world_.finish(call);
}

// RFC 3261 22.2, 22.3: the same Call-ID, From and To; a higher CSeq and a new branch.
void Callers::answer_challenge(Call& call, int status, std::string_view response) {
  const std::optional<Challenge> challenge = challenge_of(response);
  const bool refused = call.challenged != 0 && challenge && !challenge->stale;
  if (!challenge || challenge->nonce.empty() || refused) {
    refuse(call, challenge ? status : 0);
    return;
  }
  ++world_.outcome.challenges;
  const std::string uri = world_.messages.request_uri(call);
  const Hex32& own = world_.phones.ha1_of(call.caller, std::string(challenge->realm));
  const Hex32 ha2 = md5_hex("INVITE:" + uri);
  char cnonce[8];
  cnonce_of(call.token, cnonce);
  const std::string_view cnonce_text(cnonce, sizeof cnonce);
  const Hex32 proof = challenge->qop_auth ? response_qop(own, challenge->nonce, "00000001", cnonce_text, ha2)
                                          : response_plain(own, challenge->nonce, ha2);
  std::string line = status == 407 ? "Proxy-Authorization" : "Authorization";
  line += ": Digest username=\"" + std::to_string(world_.phones.name(call.caller)) + "\",realm=\"";
  line.append(challenge->realm).append("\",nonce=\"").append(challenge->nonce).append("\",uri=\"" + uri);
  line.append("\",response=\"").append(view(proof)).append("\",algorithm=MD5");
  if (challenge->qop_auth) line.append(",cnonce=\"").append(cnonce_text).append("\",qop=auth,nc=00000001");
  if (!challenge->opaque.empty()) line.append(",opaque=\"").append(challenge->opaque).append("\"");
  line += "\r\n";
  Dialog& dialog = world_.table.dialog(call);
  dialog.credentials.used = 0;
  if (!dialog.credentials.append(line)) {
    refuse(call, 0);
    return;
  }
  ++call.challenged;
  ++call.cseq;
  start_request(call, CallStep::inviting);
}

void Callers::take_bye_response(Call& call, int status) {
  if (call.step != CallStep::ending) {
    ++world_.outcome.mismatches;
    return;
  }
  // RFC 3261 17.1.2.2: after a provisional response Timer E runs at T2.
  if (status < 200) {
    call.interval_ns = kT2Ns;
    return;
  }
  if (status == 200) {
    if (world_.counting) ++world_.outcome.completed;
  } else {
    ++world_.counts().bye_refused[status];
  }
  world_.finish(call);
}

void Callers::lose(Call& call, std::uint64_t& what) {
  ++what;
  ++world_.outcome.timeouts;
  if (call.step == CallStep::ending) {
    world_.finish(call);
  } else {
    fail(call);
  }
}

void Callers::run_timers(Call& call) {
  const std::int64_t now = world_.now;
  if (now < call.resend_ns) return;
  CallCounts& counts = world_.counts();
  const bool over = now - call.sent_ns >= kTransactionNs;
  switch (call.step) {
    case CallStep::free: return;
    case CallStep::talking: hang_up(call); return;
    case CallStep::ringing: lose(call, counts.lost_answer); return;
    case CallStep::inviting:
      if (over) return lose(call, counts.lost_invite);
      call.interval_ns *= 2;
      break;
    case CallStep::ending:
      if (over) return lose(call, counts.lost_bye);
      call.interval_ns = std::min(2 * call.interval_ns, kT2Ns);
      break;
  }
  ++world_.outcome.retransmissions;
  call.resend_ns = std::min(now + call.interval_ns, call.sent_ns + kTransactionNs);
  send(call);
}

// RFC 3261 8.1.3: one Via, ours; our Call-ID, From and CSeq.
bool Callers::fits(const Call& call, std::string_view response) const {
  int vias = 0;
  bool own = true;
  each_header(response, [&](std::string_view name, std::string_view line) {
    if (name == "Via") vias += 1 + static_cast<int>(std::count(line.begin(), line.end(), ','));
    if (name == "Call-ID") own = own && call_token_of(value_of(line)) == call.token;
    if (name == "From") own = own && token_after_tag(line) == call.token;
  });
  return vias == 1 && own;
}

}  // namespace ringweir::load
