// Answers on their way to whoever asked: forwarded ones (RFC 3261 16.7) and those of our own.
#include <charconv>

#include "proxy/context.h"
#include "ringweir/proxy/best_response.h"
#include "ringweir/sip/forward.h"
#include "ringweir/sip/respond.h"

namespace ringweir::proxy {

using transaction::Action;

namespace {

constexpr std::uint32_t kResponseBytesOfOurs = 2'048;
constexpr std::uint32_t kRetryAfterSecondsMin = 2;
constexpr std::uint32_t kRetryAfterSecondsSpread = 8;
constexpr std::size_t kMoreLinesMax = 16;

// The lines of Context::challenges.
std::size_t split_lines(std::string_view text, std::array<std::string_view, kMoreLinesMax>& lines) noexcept {
  std::size_t count = 0;
  while (!text.empty() && count < lines.size()) {
    const std::size_t end = text.find('\0');
    lines[count++] = text.substr(0, end);
    text = end == text.npos ? std::string_view{} : text.substr(end + 1);
  }
  return count;
}

}  // namespace

// 16.2: the proxy has begun to work on it.
void Engine::trying(Context& context, const Arrival& in, const Moment& at) noexcept {
  const Outbox::Buffer buffer = at.out.take(kResponseBytesOfOurs);
  if (!buffer.data) return;
  Writer out(buffer.data, buffer.capacity);
  sip::begin_response(out, in.message, in.read, 100, sip::reason_phrase(100), {}, in.path.peer);
  sip::end_message(out);
  if (!out.ok()) return at.out.drop(buffer);
  context.text = texts_.keep(out.text());
  parts_.responses_sent[100].add();
  at.out.send(buffer, static_cast<std::uint32_t>(out.size()), context.way_back());
}

// Room for an answer: a send buffer; without one (all are on their way out) a text, so that it can at least be asked for again.
struct Engine::Room {
  Outbox::Buffer buffer;
  transaction::Text text;
  Writer out;
};

Engine::Room Engine::room_for(std::size_t octets, const Moment& at) noexcept {
  const std::size_t size = std::min(octets, limits::kMessageBytesMax);
  const Outbox::Buffer buffer = at.out.take(static_cast<std::uint32_t>(size));
  if (buffer.data) return {buffer, {}, Writer(buffer.data, buffer.capacity)};
  const transaction::Text text = texts_.take(size);
  const std::span<char> room = text ? texts_.room(text) : std::span<char>{};
  return {{}, text, Writer(room.data(), room.size())};
}

// `to_tag`: that the answer has, by which the ACK of an old-style INVITE is matched (17.2.3).
void Engine::send_answer(Context& context, std::uint16_t status, std::string_view to_tag, Room& room, const Moment& at) noexcept {
  if (context.old_style && !context.request_had_to_tag && !to_tag.empty()) {
    context.to_tag = transaction::tag_hash(to_tag, parts_.hash);
  }
  const bool whole = room.out.ok();
  answered(context, status, whole ? room.out.text() : std::string_view{}, at.now);
  texts_.give(room.text);
  if (!room.buffer.data) return;
  if (whole) {
    at.out.send(room.buffer, static_cast<std::uint32_t>(room.out.size()), context.way_back());
  } else {
    at.out.drop(room.buffer);
  }
}

// What the machine said of the answer just sent: kept where it may be asked for again, and the context's texts go.
void Engine::answered(Context& context, std::uint16_t status, std::string_view text, Instant now) noexcept {
  parts_.responses_sent[status].add();
  const bool final = status >= 200;
  // A 2xx to INVITE is repeated by the one who gave it (13.3.1.4, RFC 6026 7.1); all else by us, when asked or by Timer G.
  if ((final && status < 300 && context.method == sip::Method::invite) || text.empty()) {
    texts_.give(context.text);
  } else if (!texts_.replace(context.text, text)) {
    context.text = keep(text);
  }
  if (!final || context.final_sent) return;
  context.final_sent = true;
  --unanswered_;
  texts_.give(context.request);
  texts_.give(context.request_uri);
  texts_.give(context.best);
  texts_.give(context.challenges);
  if (context.counts_call && status >= 300) calls_.end(context.call_id_hash, now);
  context.completed = true;
  context.older = newest_;
  (newest_ ? newest_->newer : oldest_) = &context;
  newest_ = &context;
}

// An answer of our own, from the request as it was kept.
void Engine::answer(Context& context, std::uint16_t status, const Moment& at) noexcept {
  if (!context.request || context.final_sent) return;
  const auto parsed = sip::parse(texts_.view(context.request), sip::Framing::datagram, stored_);
  if (parsed.completeness != sip::Completeness::complete ||
      sip::validate_request(stored_, stored_read_).fault != sip::Fault::none) {
    return;  // it was read before
  }
  const Action action = context.respond(status, transaction::to_tick(at.now), wheel_);
  if (has(action, Action::send_response)) {
    std::array<char, 16> tag;
    std::uint64_t bits = random_.next();
    for (char& c : tag) {
      c = "0123456789abcdef"[bits & 15];
      bits >>= 4;
    }
    Room room = room_for(stored_.bytes().size() + kResponseBytesOfOurs, at);
    Writer& out = room.out;
    sip::begin_response(out, stored_, stored_read_, status, sip::reason_phrase(status), {tag.data(), tag.size()}, context.source);
    if (status == 503) {
      out.put("Retry-After: ");
      out.number(kRetryAfterSecondsMin + random_.below(kRetryAfterSecondsSpread));
      out.put("\r\n");
    }
    if (!setting_.server.empty()) out.line("Server", setting_.server);
    sip::end_message(out);
    send_answer(context, status, {tag.data(), tag.size()}, room, at);
  }
  if (has(action, Action::destroy)) over(context);
}

// A response of a branch goes on: provisional ones and 2xx at once, the best of the others at the end.
void Engine::answer_with(Context& context, const sip::Message& message, const sip::Essentials& read, const Moment& at) noexcept {
  const std::uint16_t status = message.status();
  const Action action = context.respond(status, transaction::to_tick(at.now), wheel_);
  if (has(action, Action::send_response)) {
    std::array<std::string_view, kMoreLinesMax> lines;
    std::size_t count = 0;
    const bool challenge = status == 401 || status == 407;
    if (challenge && context.challenges) count = split_lines(texts_.view(context.challenges), lines);
    Room room = room_for(message.bytes().size() + 2 * std::size_t{context.challenges.size} + sip::kForwardingRoom, at);
    sip::write_response(room.out, message, read, {lines.data(), count});
    parts_.counters.forwarded_responses.add();
    send_answer(context, status, sip::tag(read.to).value_or(std::string_view{}), room, at);
  }
  if (has(action, Action::destroy)) over(context);
}

void Engine::answer_best(Context& context, const Moment& at) noexcept {
  const auto parsed = sip::parse(texts_.view(context.best), sip::Framing::datagram, stored_);
  if (parsed.completeness != sip::Completeness::complete ||
      sip::validate_response(stored_, stored_read_).fault != sip::Fault::none) {
    return answer(context, 500, at);  // it was read before
  }
  // The text is being read while answered() would give it back.
  transaction::Text kept = texts_.share(context.best);
  answer_with(context, stored_, stored_read_, at);
  texts_.give(kept);
}

// 16.7 step 6: every branch has had its say. `last` and its message are the last one's, where a response ended it.
void Engine::finish(Context& context, const sip::Message* message, const sip::Essentials* read, const Moment& at) noexcept {
  if (context.final_sent) return;
  const std::uint16_t best = context.best_status;
  const bool nobody_answered = best == 0 || best == 408;
  if (context.cancelled && nobody_answered) return answer(context, 487, at);
  // RFC 4320 4.2: a 408 to anything but INVITE comes too late to be of use.
  if (nobody_answered && context.method != sip::Method::invite) {
    context.final_sent = true;
    --unanswered_;
    transaction::terminate(context, wheel_);
    return over(context);
  }
  if (best == 503) {
    const balance::Upstream* upstream = upstream_of(context);
    // Nothing else can be had: what comes next will fare no better, and 503 may say so. Else it is 500.
    const bool all_down = upstream && !balance::choose(*upstream, context.keys, {}, at.now, random_);
    return answer(context, all_down || context.to == Plan::To::side ? 503 : as_forwarded(best), at);
  }
  if (message && message->status() == best && !context.best) return answer_with(context, *message, *read, at);
  if (context.best) return answer_best(context, at);
  answer(context, best == 0 ? 408 : best, at);
}

}  // namespace ringweir::proxy
