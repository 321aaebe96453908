// Answers of the edge's own: formatting and sending.
#include <chrono>

#include "ringweir/proxy/request_validation.h"
#include "ringweir/shard/edge.h"
#include "ringweir/sip/respond.h"
#include "ringweir/sip/token_list.h"

namespace ringweir::shard {
namespace {

// What the edge itself does with a request addressed to it; calls pass through a proxy, not to it.
constexpr std::string_view kAllow = "REGISTER, OPTIONS, ACK, CANCEL";

constexpr std::uint32_t kRetryAfterSecondsMin = 2;
constexpr std::uint32_t kRetryAfterSecondsSpread = 8;  // so that those refused together do not come back together
constexpr std::uint32_t kAnswerBytes = 2'048;

}  // namespace

void Edge::send(const Verdict& verdict, const Occasion& o) noexcept {
  for (const std::uint32_t size : {kAnswerBytes, static_cast<std::uint32_t>(limits::kMessageBytesMax)}) {
    const proxy::Outbox::Buffer buffer = o.out.take(size);
    if (!buffer.data) [[unlikely]] return parts_.counters.dropped[static_cast<std::size_t>(Dropped::no_send_buffer)].add();
    Writer out(buffer.data, buffer.capacity);
    write(verdict, o, out);
    if (!out.ok()) [[unlikely]] {
      o.out.drop(buffer);
      continue;
    }
    parts_.counters.responses_sent[verdict.status].add();
    return o.out.send(buffer, static_cast<std::uint32_t>(out.size()), {verdict.to, o.in.socket, o.in.local, o.call_id_hash});
  }
  parts_.counters.dropped[static_cast<std::size_t>(Dropped::oversized_answer)].add();
}

std::string_view Edge::write_to_tag(std::uint64_t key, std::array<char, kToTagChars>& out) noexcept {
  std::uint64_t bits = key * 0x9e3779b97f4a7c15ull;
  for (char& c : out) {
    c = "0123456789abcdef"[bits & 15];
    bits >>= 4;
  }
  return {out.data(), out.size()};
}

void Edge::write(const Verdict& verdict, const Occasion& o, Writer& out) noexcept {
  const Snapshot& snapshot = o.snapshot;
  // RFC 3261 8.2.7: a stateless answer repeats its To tag for a repeated request, so the tag comes from the request.
  std::array<char, kToTagChars> tag;
  const std::string_view reason = verdict.reason.empty() ? sip::reason_phrase(verdict.status) : verdict.reason;
  const std::string_view to_tag = write_to_tag(transaction_key_, tag);
  if (valid_) {
    sip::begin_response(out, message_, read_, verdict.status, reason, to_tag, o.in.peer);
  } else {
    sip::begin_response(out, message_, verdict.status, reason, to_tag, o.in.peer);
  }
  switch (verdict.carries) {
    case Carries::nothing: break;
    case Carries::challenge:
      auth::write_challenges(out, snapshot.auth, verdict.status == 407, {nonce_.data(), nonce_.size()}, verdict.stale);
      break;
    case Carries::bindings:
      registrar::write_contacts(out, verdict.bindings, o.now);
      write_date(out, o.wall_ms);
      break;
    case Carries::min_expires:
      out.put("Min-Expires: ");
      out.number(snapshot.registrar.min_expires_s);
      out.put("\r\n");
      break;
    case Carries::unsupported: write_unsupported(out); break;
    case Carries::proxy_unsupported:
      out.put("Unsupported: ");
      proxy::write_unsupported(out, message_);
      out.put("\r\n");
      break;
    case Carries::allow: out.line("Allow", kAllow); break;
    case Carries::contacts: write_redirect(out, *verdict.bindings, o.now); break;
    case Carries::target: out.line("Contact", {edited_uri_.data(), redirect_size_}); break;
    case Carries::capabilities:
      out.line("Allow", kAllow);
      out.line("Accept", "application/sdp");
      out.put("Supported:\r\n");  // no extension yet; RFC 3261 20.37 allows the empty list
      break;
    case Carries::retry_after:
      out.put("Retry-After: ");
      out.number(verdict.retry_after_s ? verdict.retry_after_s : kRetryAfterSecondsMin + transaction_key_ % kRetryAfterSecondsSpread);
      out.put("\r\n");
      break;
  }
  if (!snapshot.server.empty()) out.line("Server", snapshot.server);
  sip::end_message(out);
}

// RFC 3261 8.3: the contacts that a call would have gone to, the most wanted first by their q.
void Edge::write_redirect(Writer& out, const location::BindingSet& bindings, Instant now) const noexcept {
  for (std::size_t i = 0; i < bindings.size(); ++i) {
    const location::BindingView binding = bindings.view(i);
    if (binding.alive(now)) out.line("Contact", binding.contact);
  }
}

// RFC 3261 20.17, once a second.
void Edge::write_date(Writer& out, WallMs wall_ms) noexcept {
  using namespace std::chrono;
  const std::int64_t second = wall_ms / 1000;
  if (second != date_second_) {
    static constexpr char kDays[] = "SunMonTueWedThuFriSat";
    static constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const sys_seconds at{seconds{second}};
    const sys_days day = floor<days>(at);
    const year_month_day date{day};
    const hh_mm_ss time{at - day};
    Writer w(date_.data(), date_.size());
    const auto two = [&w](unsigned n) {
      w.put(static_cast<char>('0' + n / 10 % 10));
      w.put(static_cast<char>('0' + n % 10));
    };
    w.put({kDays + 3 * weekday{day}.c_encoding(), 3});
    w.put(", ");
    two(unsigned{date.day()});
    w.put(' ');
    w.put({kMonths + 3 * (unsigned{date.month()} - 1), 3});
    w.put(' ');
    w.number(static_cast<std::uint64_t>(int{date.year()}));
    w.put(' ');
    two(static_cast<unsigned>(time.hours().count()));
    w.put(':');
    two(static_cast<unsigned>(time.minutes().count()));
    w.put(':');
    two(static_cast<unsigned>(time.seconds().count()));
    w.put(" GMT");
    date_size_ = w.size();
    date_second_ = second;
  }
  out.line("Date", {date_.data(), date_size_});
}

// RFC 3261 8.2.2.3: the option-tags that were asked for and are not understood.
void Edge::write_unsupported(Writer& out) const noexcept {
  out.put("Unsupported: ");
  bool first = true;
  for (const auto* field = message_.first(sip::HeaderId::require); field; field = message_.next(*field)) {
    std::string_view list = message_.value(*field);
    for (std::string_view token = sip::next_token(list); !token.empty(); token = sip::next_token(list)) {
      if (!first) out.put(", ");
      out.put(token);
      first = false;
    }
  }
  out.put("\r\n");
}

}  // namespace ringweir::shard
