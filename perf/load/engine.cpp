#include "engine.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace ringweir::load {
namespace {

constexpr std::uint8_t kChallengesMax = 3;  // a server that never stops challenging is an error, not a loop
constexpr unsigned kIndexBits = 16;
static_assert(kInFlightMax == 1u << kIndexBits);

// What an echo stands for: a challenge as long as a server's.
constexpr std::string_view kEchoNonce = "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw";

}  // namespace

Engine::Engine(const Options& options, Peers& peers)
    : options_(options), peers_(peers), phones_(options), random_state_(options.seed) {
  const std::uint32_t capacity = options.rate > 0 ? kInFlightMax : options.window;
  exchanges_.resize(capacity);
  for (std::uint32_t i = capacity; i-- > 0;) free_.push_back(i);
  ha2_ = md5_hex("REGISTER:sip:" + options.domain);
  for (std::uint32_t peer = 0; peer < options.sockets; ++peer) {
    commons_.push_back({options.target_text, peers.local(peer), options.domain, options.seed,
                        options.expires_s, std::to_string(options.user_base).size()});
    options_templates_.push_back(Template::options(commons_.back()));
    register_templates_.push_back(Template::register_(commons_.back()));
  }
}

// xorshift64*: picks the workload of a mixed run.
std::uint64_t Engine::random() noexcept {
  random_state_ ^= random_state_ >> 12;
  random_state_ ^= random_state_ << 25;
  random_state_ ^= random_state_ >> 27;
  return random_state_ * 0x2545f4914f6cdd1du;
}

Outcome Engine::run(const Phase& phase) {
  outcome_ = {};
  counting_ = false;
  Drive(*this, peers_, options_).run(phase, outcome_);
  return std::move(outcome_);
}

bool Engine::begin(Workload workload, std::int64_t started_ns, std::int64_t now) {
  if (free_.empty()) return false;
  if (workload == Workload::mixed) {
    // Of ten: seven refreshes, two OPTIONS, one phone that starts anew.
    const std::uint64_t choice = random() % 10;
    workload = choice < 7 ? Workload::refresh : choice < 9 ? Workload::options : Workload::register_;
  }
  std::uint32_t index = 0;
  if (workload == Workload::options) {
    index = phones_.next();
  } else if (!phones_.next_idle(index)) {
    return false;
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  Exchange& exchange = exchanges_[slot];
  exchange = {};
  exchange.token = slot;
  exchange.phone = index;
  exchange.started_ns = started_ns;
  ++in_flight_;
  if (workload == Workload::options) {
    enter(exchange, Step::options, now);
    return true;
  }
  Phone& phone = phones_.at(index);
  phone.busy = true;
  const bool known =
      workload == Workload::refresh && phone.nonce_bytes == shape_.nonce_bytes && phone.nonce_bytes != 0;
  enter(exchange, known ? Step::authorised : Step::unauthorised, now);
  return true;
}

// Each step is a SIP transaction of its own: a new branch, a higher CSeq, its own timers.
void Engine::enter(Exchange& exchange, Step step, std::int64_t now) {
  const std::uint64_t slot = exchange.token & (kInFlightMax - 1);
  exchange.token = ++generation_ << kIndexBits | slot;
  exchange.step = step;
  exchange.sent_ns = now;
  exchange.interval_ns = kT1Ns;
  exchange.resend_ns = now + kT1Ns;
  if (step == Step::options) {
    exchange.cseq = kCSeqFirst;
  } else {
    Phone& phone = phones_.at(exchange.phone);
    exchange.cseq = ++phone.cseq;
    if (step == Step::authorised) exchange.nc = ++phone.nc;
  }
  send(exchange);
}

void Engine::send(const Exchange& exchange) {
  const std::uint32_t peer = exchange.phone % options_.sockets;
  Values values;
  values.token = exchange.token;
  values.user = phones_.name(exchange.phone);
  values.cseq = exchange.cseq;
  const Template* form = &options_templates_[peer];
  if (exchange.step == Step::unauthorised) form = &register_templates_[peer];
  if (exchange.step == Step::authorised) {
    form = &authorised_templates_[peer];
    const Hex32& ha1 = phones_.ha1_of(exchange.phone, shape_.realm);
    values.nonce = phones_.at(exchange.phone).nonce_text();
    values.nc = exchange.nc;
    char nc[8], cnonce[8];
    values.response = shape_.qop_auth ? response_qop(ha1, values.nonce, nonce_count_of(exchange.nc, nc),
                                                     cnonce_of(exchange.token, cnonce), ha2_)
                                      : response_plain(ha1, values.nonce, ha2_);
  }
  form->render(values, peers_.reserve(peer, form->size()));
}

void Engine::finish(Exchange& exchange, bool completed, std::int64_t now) {
  if (completed && counting_) {
    ++outcome_.completed;
    outcome_.latency.record(now - exchange.started_ns);
  }
  if (exchange.step != Step::options) phones_.at(exchange.phone).busy = false;
  exchange.step = Step::free;
  free_.push_back(static_cast<std::uint32_t>(exchange.token & (kInFlightMax - 1)));
  exchange.token = 0;
  --in_flight_;
}

void Engine::take(std::uint32_t /*peer*/, std::string_view message, std::int64_t now) {
  const std::optional<std::uint64_t> token = token_of(message);
  const std::uint64_t slot = token ? *token & (kInFlightMax - 1) : 0;
  if (!token || slot >= exchanges_.size() || *token >> kIndexBits > generation_) {
    ++outcome_.mismatches;
    return;
  }
  Exchange& exchange = exchanges_[slot];
  if (exchange.token != *token) {
    ++outcome_.late;
    return;
  }
  const int status = options_.echo ? (exchange.step == Step::unauthorised ? 401 : 200) : status_of(message);
  if (status == 0) {
    ++outcome_.mismatches;
    return;
  }
  // RFC 3261 17.1.2.2: after a provisional response Timer E runs at T2.
  if (status < 200) {
    exchange.interval_ns = kT2Ns;
    return;
  }
  if (++replies_ % options_.verify_every == 0 && !answers(exchange, message)) ++outcome_.mismatches;
  take_final(exchange, status, message, now);
}

void Engine::take_final(Exchange& exchange, int status, std::string_view message, std::int64_t now) {
  const bool challenge = status == 401 || status == 407;
  if (exchange.step != Step::options && challenge && exchange.challenged < kChallengesMax) {
    take_challenge(exchange, message, now);
    return;
  }
  const bool completed = status == 200 && exchange.step != Step::unauthorised;
  if (!completed) ++outcome_.unexpected[status];
  finish(exchange, completed, now);
}

void Engine::take_challenge(Exchange& exchange, std::string_view message, std::int64_t now) {
  std::optional<Challenge> challenge;
  if (options_.echo) {
    challenge.emplace(Challenge{options_.domain, kEchoNonce, {}, false, true, false});
  } else {
    challenge = challenge_of(message);
  }
  if (!challenge || challenge->nonce.empty() || challenge->nonce.size() > kNonceBytesMax) {
    ++outcome_.unexpected[0];
    finish(exchange, false, now);
    return;
  }
  // Credentials refused for any reason but their age are wrong: a phone would ask its user.
  if (exchange.step == Step::authorised && !challenge->stale) {
    ++outcome_.unexpected[challenge->proxy ? 407 : 401];
    finish(exchange, false, now);
    return;
  }
  ++(exchange.step == Step::authorised ? outcome_.stale : outcome_.challenges);
  accept_challenge(exchange, *challenge, now);
}

void Engine::accept_challenge(Exchange& exchange, const Challenge& challenge, std::int64_t now) {
  ++exchange.challenged;
  if (authorised_templates_.empty() || !shape_.matches(challenge)) reshape(challenge);
  phones_.take_nonce(phones_.at(exchange.phone), challenge.nonce);
  enter(exchange, Step::authorised, now);
}

void Engine::reshape(const Challenge& challenge) {
  shape_ = {std::string(challenge.realm), std::string(challenge.opaque), challenge.nonce.size(),
            challenge.proxy, challenge.qop_auth};
  authorised_templates_.clear();
  for (const Common& common : commons_) authorised_templates_.push_back(Template::authorised(common, shape_));
}

// The full check of a sampled reply: same dialogue identifiers, and a 200 to REGISTER lists our Contact.
bool Engine::answers(const Exchange& exchange, std::string_view message) {
  const std::uint32_t peer = exchange.phone % options_.sockets;
  const std::string user = std::to_string(phones_.name(exchange.phone));
  std::uint32_t cseq = 0;
  const std::string_view cseq_text = header_of(message, "CSeq");
  std::from_chars(cseq_text.data(), cseq_text.data() + cseq_text.size(), cseq);
  if (cseq != exchange.cseq) return false;
  const std::string_view call_id = header_of(message, "Call-ID");
  if (!call_id.ends_with("@phone")) return false;
  if (exchange.step == Step::options) return cseq_text.ends_with("OPTIONS");
  if (call_id.find("-" + user + "@") == std::string_view::npos || !cseq_text.ends_with("REGISTER"))
    return false;
  if (exchange.step == Step::unauthorised || options_.echo) return true;
  const std::string contact = "<sip:" + user + "@" + peers_.local(peer) + ">";
  return status_of(message) != 200 || message.find(contact) != std::string_view::npos;
}

void Engine::run_timers(std::int64_t now) {
  for (Exchange& exchange : exchanges_) {
    if (exchange.step == Step::free || now < exchange.resend_ns) continue;
    if (now - exchange.sent_ns >= kTransactionNs) {
      ++outcome_.timeouts;
      finish(exchange, false, now);
      continue;
    }
    ++outcome_.retransmissions;
    exchange.interval_ns = std::min(2 * exchange.interval_ns, kT2Ns);
    exchange.resend_ns = std::min(now + exchange.interval_ns, exchange.sent_ns + kTransactionNs);
    send(exchange);
  }
}

}  // namespace ringweir::load
