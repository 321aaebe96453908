#include "ringweir/sip/respond.h"

#include "ringweir/sip/name_addr.h"
#include "sip/pen.h"
#include "sip/received_via.h"

namespace ringweir::sip {

namespace {
constexpr std::uint16_t kDefaultPort = 5060;

constexpr std::size_t kFixedMax = 256;  // status line without reason, names, line ends, received and rport

void put_vias(Pen& pen, const Message& request, const Essentials* read, const Endpoint& source) noexcept {
  const HeaderField* field = request.first(HeaderId::via);
  if (field == nullptr) return;
  char unfolded[limits::kHeaderLineBytesMax];
  std::string_view rest = request.value(*field);
  if (field->folded) [[unlikely]]
    rest = unfold(rest, unfolded);
  // A top Via that cannot be read is left out: there is no telling what it would make of our parameters.
  const bool known = read != nullptr && !field->folded;  // its offsets are into the text as it was sent
  const auto top = known ? Result<Via>(read->via) : parse_via(rest, rest);
  if (known) rest = behind(read->via.text, rest);
  if (top) {
    pen.put("Via: ");
    put_received_via(pen, *top, source);
    if (!rest.empty()) {
      pen.put(", ");
      pen.put(rest);
    }
    pen.put("\r\n");
  }
  while ((field = request.next(*field)) != nullptr) {
    pen.put("Via: ");
    pen.value(request.value(*field), field->folded);
    pen.put("\r\n");
  }
}

bool needs_tag(std::string_view to, const Essentials* read) noexcept {
  if (read != nullptr) return !tag(read->to);
  std::string_view rest;
  const auto address = parse_name_addr(to, rest);
  return address && rest.empty() && !tag(*address);
}

std::size_t size_max(const Message& request, std::string_view reason, std::string_view to_tag) noexcept {
  std::size_t size = kFixedMax + reason.size() + to_tag.size();
  for (const HeaderField* via = request.first(HeaderId::via); via != nullptr; via = request.next(*via)) {
    size += via->value_size + 16;
  }
  for (HeaderId id : {HeaderId::from, HeaderId::to, HeaderId::call_id, HeaderId::cseq, HeaderId::timestamp}) {
    size += request.value(id).size();
  }
  return size;
}

void begin(Writer& out, const Message& request, const Essentials* read, std::uint16_t status, std::string_view reason,
           std::string_view to_tag, const Endpoint& source) noexcept {
  char* const begin = out.reserve(size_max(request, reason, to_tag));
  if (begin == nullptr) return;
  Pen pen{begin};
  pen.put("SIP/2.0 ");
  pen.number(status);
  pen.put(" ");
  if (!reason.empty()) pen.put(reason);
  pen.put("\r\n");
  put_vias(pen, request, read, source);
  if (const HeaderField* from = request.first(HeaderId::from)) {
    pen.put("From: ");
    pen.value(request.value(*from), from->folded);
    pen.put("\r\n");
  }
  if (const HeaderField* to = request.first(HeaderId::to)) {
    pen.put("To: ");
    pen.value(request.value(*to), to->folded);
    if (status != 100 && !to_tag.empty() && needs_tag(request.value(*to), read)) {
      pen.put(";tag=");
      pen.put(to_tag);
    }
    pen.put("\r\n");
  }
  if (const HeaderField* call_id = request.first(HeaderId::call_id)) {
    pen.put("Call-ID: ");
    pen.value(request.value(*call_id), call_id->folded);
    pen.put("\r\n");
  }
  if (const HeaderField* cseq = request.first(HeaderId::cseq)) {
    pen.put("CSeq: ");
    pen.value(request.value(*cseq), cseq->folded);
    pen.put("\r\n");
  }
  const HeaderField* timestamp = status == 100 ? request.first(HeaderId::timestamp) : nullptr;
  if (timestamp != nullptr) {  // RFC 3261 8.2.6.1
    pen.put("Timestamp: ");
    pen.value(request.value(*timestamp), timestamp->folded);
    pen.put("\r\n");
  }
  out.wrote(static_cast<std::size_t>(pen.at - begin));
}
}  // namespace

void begin_response(Writer& out, const Message& request, std::uint16_t status, std::string_view reason,
                    std::string_view to_tag, const Endpoint& source) noexcept {
  begin(out, request, nullptr, status, reason, to_tag, source);
}

void begin_response(Writer& out, const Message& request, const Essentials& read, std::uint16_t status,
                    std::string_view reason, std::string_view to_tag, const Endpoint& source) noexcept {
  begin(out, request, &read, status, reason, to_tag, source);
}

void end_message(Writer& out, std::string_view content_type, std::string_view body) noexcept {
  if (!content_type.empty()) out.line("Content-Type", content_type);
  out.put("Content-Length: ");
  out.number(body.size());
  out.put("\r\n\r\n");
  if (!body.empty()) out.put(body);
}

Endpoint response_target(const Via& top, const Endpoint& source) noexcept {
  if (top.has_rport) return source;
  return {source.ip, top.port == 0 ? kDefaultPort : top.port};
}

}  // namespace ringweir::sip
