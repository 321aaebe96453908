#include "ringweir/sip/forward.h"

#include <algorithm>

#include "sip/characters.h"
#include "sip/pen.h"
#include "sip/received_via.h"

namespace ringweir::sip {

namespace {
constexpr std::uint16_t kDefaultPort = 5060;

// Where the empty line behind the header fields begins.
std::uint32_t headers_end(const Message& message) noexcept {
  const std::string_view bytes = message.bytes();
  const std::size_t body = bytes.size() - message.body().size();
  const bool has_cr = body >= 2 && bytes[body - 2] == '\r';
  return static_cast<std::uint32_t>(body - (has_cr ? 2 : 1));
}

// A bare LF somewhere in the headers of a datagram, as parse() lets it pass.
bool has_bare_line_feed(const Message& message, std::uint32_t end) noexcept {
  const char* const text = message.bytes().data();
  const std::size_t count = message.header_count();
  if (end >= 2 && text[end - 2] != '\r') return true;
  for (std::size_t i = 0; i < count; ++i) {
    const HeaderField& field = message.header(i);
    if (text[field.name_offset - 2] != '\r' || field.folded) return true;
  }
  return false;
}

// Names, line ends and numbers of all edits together, Content-Length too.
constexpr std::size_t kEditBytesMax = kReceivedBytesMax + 192;
static_assert(kEditBytesMax + limits::kHeadersMax <= kForwardingRoom);

// Copies a message in order, as long spans as the edits between them allow, into space reserved for the worst
// case.
class SpanCopy {
 public:
  // `more`: octets of the edits' own texts. False afterwards, and nothing written, when the writer has not
  // the room.
  SpanCopy(Writer& out, const Message& message, std::size_t more) noexcept
      : message_(message),
        out_(out),
        end_(headers_end(message)),
        careful_(has_bare_line_feed(message, end_)) {
    const char* const text = message.bytes().data();
    const auto line_ends = careful_ ? static_cast<std::size_t>(std::count(text, text + end_, '\n')) : 0;
    begin_ = out.reserve(message.bytes().size() + line_ends + more + kEditBytesMax);
    pen_.at = begin_;
  }
  explicit operator bool() const noexcept { return begin_ != nullptr; }

  void up_to(std::uint32_t offset) noexcept {
    if (offset > at_) copy(message_.bytes().substr(at_, offset - at_));
    at_ = offset;
  }
  void go_on_at(std::uint32_t offset) noexcept { at_ = offset; }
  void copy(std::string_view text) noexcept {
    if (careful_) [[unlikely]] {
      put_lines(text);
    } else {
      pen_.put(text);
    }
  }
  // A next hop that reads by the letter sees CRLF and nothing else (RFC 3261 7).
  void put_lines(std::string_view text) noexcept {
    char before = 0;
    for (const char c : text) {
      if (c == '\n' && before != '\r') *pen_.at++ = '\r';
      *pen_.at++ = c;
      before = c;
    }
  }
  template <std::size_t N>
  void put(const char (&text)[N]) noexcept {
    pen_.put(text);
  }
  void put(std::string_view text) noexcept { pen_.put(text); }
  void number(std::uint32_t n) noexcept { pen_.number(n); }
  template <std::size_t N>
  void line(const char (&name)[N], std::string_view value) noexcept {
    pen_.put(name);
    pen_.put(value);
    pen_.put("\r\n");
  }
  std::uint32_t line_end(std::size_t i) const noexcept {
    return i + 1 == message_.header_count() ? end_ : message_.header(i + 1).name_offset;
  }
  void leave_out(std::size_t i) noexcept {
    up_to(message_.header(i).name_offset);
    go_on_at(line_end(i));
  }
  void replace_value(const HeaderField& field, std::uint32_t n) noexcept {
    up_to(field.value_offset);
    number(n);
    go_on_at(field.value_offset + field.value_size);
  }
  void rest_of_headers() noexcept { up_to(end_); }
  // The empty line and the body, with the length that the next hop may need on a stream (18.3).
  void finish() noexcept {
    rest_of_headers();
    const std::string_view body = message_.body();
    if (!message_.has(HeaderId::content_length)) {
      pen_.put("Content-Length: ");
      pen_.number(static_cast<std::uint32_t>(body.size()));
      pen_.put("\r\n");
    }
    pen_.put("\r\n");
    pen_.put(body);
    out_.wrote(static_cast<std::size_t>(pen_.at - begin_));
  }

 private:
  const Message& message_;
  Writer& out_;
  Pen pen_{};
  char* begin_;
  std::uint32_t at_ = 0;
  std::uint32_t end_;
  bool careful_;
};

std::uint32_t first_header(const Message& message) noexcept {
  return message.header_count() == 0 ? headers_end(message) : message.header(0).name_offset;
}

void put_start_line(SpanCopy& copy, const Message& request, std::string_view uri) noexcept {
  const std::uint32_t headers = first_header(request);
  if (uri.empty()) return copy.up_to(headers);
  copy.put(request.method_text());
  copy.put(" ");
  copy.put(uri);
  copy.put(" SIP/2.0\r\n");
  copy.go_on_at(headers);
}

// All that is new stands on top, and so in front of what was received under the same name.
void put_new_fields(SpanCopy& copy, const Message& request, const RequestEdits& edits) noexcept {
  if (!edits.via.empty()) copy.line("Via: ", edits.via);
  for (const std::string_view text : edits.record_routes) {
    if (!text.empty()) copy.line("Record-Route: ", text);
  }
  if (!edits.route.empty()) copy.line("Route: ", edits.route);
  if (!edits.last_route.empty() && !request.has(HeaderId::route)) copy.line("Route: ", edits.last_route);
  if (!request.has(HeaderId::max_forwards)) copy.put("Max-Forwards: 70\r\n");
  if (edits.max_breadth != 0 && !request.has(HeaderId::max_breadth)) {
    copy.put("Max-Breadth: ");
    copy.number(edits.max_breadth);
    copy.put("\r\n");
  }
}
static_assert(kMaxForwardsDefault == 70);

void put_route(SpanCopy& copy, const Message& request, std::size_t i, const RequestEdits& edits) noexcept {
  const HeaderField& field = request.header(i);
  const std::uint32_t value_end = field.value_offset + field.value_size;
  const std::uint32_t begin = std::max(field.value_offset, edits.routes.begin);
  const std::uint32_t end = std::min(value_end, edits.routes.end);
  if (begin >= end) {
    copy.leave_out(i);
  } else if (begin != field.value_offset || end != value_end) {
    copy.up_to(field.value_offset);
    copy.go_on_at(begin);
    copy.up_to(end);
    copy.go_on_at(value_end);
  }
  if (!edits.last_route.empty() && request.next(field) == nullptr) {
    copy.up_to(copy.line_end(i));
    copy.line("Route: ", edits.last_route);
  }
}

void put_first_via(SpanCopy& copy, const Message& request, const Via& via, const Endpoint& source) noexcept {
  const auto begin = static_cast<std::uint32_t>(via.text.data() - request.bytes().data());
  copy.up_to(begin);
  put_received_via(copy, via, source);
  copy.go_on_at(begin + static_cast<std::uint32_t>(via.text.size()));
}

void put_one_less(SpanCopy& copy, const Message& request, const HeaderField& field) noexcept {
  const auto hops = parse_number(request.value(field));
  const std::uint32_t received = hops ? *hops : kMaxForwardsDefault;
  copy.replace_value(field, received == 0 ? 0 : received - 1);
}

std::size_t size_of(const RequestEdits& edits) noexcept {
  return edits.request_uri.size() + edits.via.size() + edits.record_routes[0].size() +
         edits.record_routes[1].size() + edits.route.size() + edits.last_route.size();
}

constexpr std::uint64_t bit(HeaderId id) {
  return std::uint64_t{1} << static_cast<unsigned>(id);
}
constexpr std::uint64_t kEdited =
    bit(HeaderId::via) | bit(HeaderId::max_forwards) | bit(HeaderId::max_breadth) | bit(HeaderId::route);

// A folded value becomes one line: what is built anew has no folds.
void put_unfolded(Writer& out, std::string_view value) noexcept {
  if (value.find_first_of("\r\n") == value.npos) return out.put(value);
  if (char* const at = out.reserve(value.size())) out.wrote(unfold(value, at).size());
}
void put_line(Writer& out, std::string_view name, std::string_view value) noexcept {
  out.put(name);
  put_unfolded(out, value);
  out.put("\r\n");
}

// What ACK and CANCEL take from the INVITE that they belong to.
void put_companion(Writer& out, const Message& invite, std::string_view method,
                   std::string_view to) noexcept {
  out.put(method);
  out.put(" ");
  out.put(invite.request_uri());
  out.put(" SIP/2.0\r\n");
  std::string_view rest;
  if (const auto via = parse_via(invite.value(HeaderId::via), rest)) put_line(out, "Via: ", via->text);
  for (const HeaderField* route = invite.first(HeaderId::route); route; route = invite.next(*route)) {
    put_line(out, "Route: ", invite.value(*route));
  }
  put_line(out, "From: ", invite.value(HeaderId::from));
  put_line(out, "To: ", to);
  put_line(out, "Call-ID: ", invite.value(HeaderId::call_id));
  out.put("CSeq: ");
  const auto cseq = parse_cseq(invite.value(HeaderId::cseq));
  out.number(cseq ? cseq->number : 0);
  out.put(" ");
  out.put(method);
  out.put("\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n");
}
}  // namespace

RouteSpan routes_behind(const Message& message, std::size_t count) noexcept {
  RouteSpan span;
  const char* const bytes = message.bytes().data();
  for (const HeaderField* field = message.first(HeaderId::route); field; field = message.next(*field)) {
    std::string_view rest = message.value(*field);
    while (!rest.empty()) {
      if (count-- == 0) {
        span.begin = static_cast<std::uint32_t>(rest.data() - bytes);
        return span;
      }
      if (!parse_name_addr(rest, rest)) return span;
    }
    span.begin = field->value_offset + field->value_size;
  }
  return span;
}

void write_request(Writer& out, const Message& request, const Essentials& read,
                   const RequestEdits& edits) noexcept {
  SpanCopy copy(out, request, size_of(edits));
  if (!copy) return;
  put_start_line(copy, request, edits.request_uri);
  put_new_fields(copy, request, edits);
  const HeaderField* const top_via = request.first(HeaderId::via);
  const bool removes = !edits.removed.empty();
  for (std::size_t i = 0; i < request.header_count(); ++i) {
    const HeaderField& field = request.header(i);
    if (removes && edits.removed.has(i)) [[unlikely]] {
      copy.leave_out(i);
      continue;
    }
    if ((kEdited >> static_cast<unsigned>(field.id) & 1) == 0) continue;
    switch (field.id) {
      case HeaderId::via:
        if (&field == top_via) put_first_via(copy, request, read.via, edits.source);
        break;
      case HeaderId::max_forwards: put_one_less(copy, request, field); break;
      case HeaderId::max_breadth:
        if (edits.max_breadth != 0) copy.replace_value(field, edits.max_breadth);
        break;
      default: put_route(copy, request, i, edits); break;
    }
  }
  copy.finish();
}

void write_response(Writer& out, const Message& response, const Essentials& read,
                    std::span<const std::string_view> more_lines) noexcept {
  std::size_t more = 0;
  for (const std::string_view text : more_lines) more += 2 * text.size() + 2;
  SpanCopy copy(out, response, more);
  if (!copy) return;
  if (const HeaderField* top = response.first(HeaderId::via)) {
    const std::string_view rest = behind(read.via.text, response.value(*top));
    if (rest.empty()) {
      copy.leave_out(static_cast<std::size_t>(top - &response.header(0)));
    } else {
      copy.up_to(top->value_offset);
      copy.go_on_at(static_cast<std::uint32_t>(rest.data() - response.bytes().data()));
    }
  }
  copy.rest_of_headers();
  for (const std::string_view text : more_lines) {
    copy.put_lines(text);
    copy.put("\r\n");
  }
  copy.finish();
}

std::string_view line(const Message& message, const HeaderField& field) noexcept {
  return message.bytes().substr(field.name_offset, field.value_offset + field.value_size - field.name_offset);
}

void write_ack(Writer& out, const Message& invite, std::string_view response_to) noexcept {
  put_companion(out, invite, "ACK", response_to);
}

void write_cancel(Writer& out, const Message& invite) noexcept {
  put_companion(out, invite, "CANCEL", invite.value(HeaderId::to));
}

std::optional<Via> via_below(const Message& message, const Essentials& read) noexcept {
  const HeaderField* field = message.first(HeaderId::via);
  if (field == nullptr) return std::nullopt;
  std::string_view rest = behind(read.via.text, message.value(*field));
  if (rest.empty()) {
    field = message.next(*field);
    if (field == nullptr) return std::nullopt;
    rest = message.value(*field);
  }
  const auto via = parse_via(rest, rest);
  return via ? std::optional<Via>(*via) : std::nullopt;
}

std::optional<Endpoint> response_destination(const Via& via) noexcept {
  const auto ip = parse_ip(via.received.empty() ? via.host : via.received);
  if (!ip) return std::nullopt;
  const std::uint16_t port = via.rport != 0 ? via.rport : via.port != 0 ? via.port : kDefaultPort;
  return Endpoint{*ip, port};
}

}  // namespace ringweir::sip
