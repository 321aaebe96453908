#include "engine.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <utility>

namespace ringweir::load {
namespace {

// RFC 3261 17.1.2.2: Timer E starts at T1, doubles up to T2; Timer F ends the transaction at 64 T1.
constexpr std::int64_t kT1Ns = 500'000'000;
constexpr std::int64_t kT2Ns = 4'000'000'000;
constexpr std::int64_t kTimerFNs = 64 * kT1Ns;

constexpr std::int64_t kTimerTickNs = 20'000'000;
constexpr std::uint8_t kChallengesMax = 3;  // a server that never stops challenging is an error, not a loop
constexpr unsigned kIndexBits = 16;
static_assert(kInFlightMax == 1u << kIndexBits);

// What an echo stands for: a challenge as long as a server's.
constexpr std::string_view kEchoNonce = "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw";

std::int64_t nanoseconds(double seconds) {
  return static_cast<std::int64_t>(seconds * 1e9);
}

}  // namespace

Engine::Engine(const Options& options, Peers& peers)
    : options_(options), peers_(peers), phones_(options), random_state_(options.seed) {
  const std::uint32_t capacity = options.rate > 0 ? kInFlightMax : options.window;
  exchanges_.resize(capacity);
  for (std::uint32_t i = capacity; i-- > 0;) free_.push_back(i);
  ha2_ = md5_hex("REGISTER:sip:" + options.domain);
  for (std::uint32_t peer = 0; peer < peers.size(); ++peer) {
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
  started_ = 0;
  counting_ = false;
  std::int64_t now = now_ns();
  const std::int64_t from = now + nanoseconds(phase.warm_up_s);
  const std::int64_t until = now + nanoseconds(phase.duration_s);
  std::int64_t tick = now, drained = until + kTimerFNs + kT1Ns;
  bool starting = true, measured = false;
  due_ns_ = now;
  while (now < drained) {
    peers_.harvest([&](std::string_view message) { take(message, now); });
    if (!counting_ && !measured && now >= from) {
      outcome_.from = read_usage(options_.watch_pids, options_.watch_cpu);
      counting_ = true;
    }
    const bool counted_out = phase.count != 0 && started_ >= phase.count;
    if (starting && (now >= until || counted_out)) {
      starting = false;
      drained = std::min(drained, now + kTimerFNs + kT1Ns);
    }
    // By duration the figures end with the last start; by count with the last answer.
    if (counting_ && !starting && (!counted_out || in_flight_ == 0)) {
      outcome_.to = read_usage(options_.watch_pids, options_.watch_cpu);
      counting_ = false;
      measured = true;
    }
    if (!starting && in_flight_ == 0) break;
    if (starting) start_due(phase, now);
    if (now - tick >= kTimerTickNs) {
      run_timers(now);
      tick = now;
    }
    peers_.flush();
    pause();
    now = now_ns();
  }
  if (!measured) outcome_.to = read_usage(options_.watch_pids, options_.watch_cpu);
  outcome_.abandoned = in_flight_;
  return std::move(outcome_);
}

void Engine::start_due(const Phase& phase, std::int64_t now) {
  if (phase.rate <= 0) {
    while (in_flight_ < options_.window && (phase.count == 0 || started_ < phase.count)) {
      if (!begin(phase.workload, now, now)) return;
    }
    return;
  }
  const auto gap = static_cast<std::int64_t>(1e9 / phase.rate);
  for (; due_ns_ <= now && (phase.count == 0 || started_ < phase.count); due_ns_ += gap) {
    if (!begin(phase.workload, due_ns_, now)) ++outcome_.not_started;
  }
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
  ++started_;
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
  const std::uint32_t peer = exchange.phone % peers_.size();
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

void Engine::take(std::string_view message, std::int64_t now) {
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
  const std::uint32_t peer = exchange.phone % peers_.size();
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
    if (now - exchange.sent_ns >= kTimerFNs) {
      ++outcome_.timeouts;
      finish(exchange, false, now);
      continue;
    }
    ++outcome_.retransmissions;
    exchange.interval_ns = std::min(2 * exchange.interval_ns, kT2Ns);
    exchange.resend_ns = std::min(now + exchange.interval_ns, exchange.sent_ns + kTimerFNs);
    send(exchange);
  }
}

// A paced load sleeps whether or not a reply is there, so that replies gather: the server never has to wake
// us, and one receive and one send serve many transactions.
void Engine::pause() {
  if (options_.pace_us == 0) {
    peers_.wait(1'000'000);
    return;
  }
  const timespec gap{0, options_.pace_us * 1'000L};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &gap, nullptr);
}

}  // namespace ringweir::load
