// A whole message: parse, every production over every header field, validation, and the response to it.
#include <cstdlib>
#include <string>

#include "ringweir/base/check.h"
#include "ringweir/sip/essentials.h"
#include "ringweir/sip/credentials.h"
#include "ringweir/sip/cseq.h"
#include "ringweir/sip/name_addr.h"
#include "ringweir/sip/respond.h"
#include "ringweir/sip/scan.h"
#include "ringweir/sip/token_list.h"

using namespace ringweir;
using namespace ringweir::sip;

namespace {

bool inside(std::string_view whole, std::string_view part) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

template <class Take>
void take_all(std::string_view value, Take take) {
  std::string_view rest = value;
  do {
    const std::string_view before = rest;
    if (!take(rest)) return;
    check(inside(value, rest) && rest.size() < before.size() + before.empty(),
          "each element is shorter than its list");
  } while (!rest.empty());
}

void read_value(std::string_view value) {
  take_all(value, [&](std::string_view& rest) {
    const auto via = parse_via(rest, rest);
    if (via)
      check(inside(via->text, via->branch) && via->rport_end <= via->text.size() &&
            via->received_end <= via->text.size());
    return via.has_value();
  });
  take_all(value, [&](std::string_view& rest) {
    const auto contact = parse_contact(rest, rest);
    if (!contact) return false;
    check(inside(value, contact->address.text) && inside(value, contact->address.uri));
    (void)tag(contact->address);
    if (const auto uri = parse_uri(contact->address.uri)) {
      char aor[limits::kAorBytesMax];
      if (const auto text = canonical_aor(*uri, aor, sizeof aor)) check(text->size() <= sizeof aor);
    }
    return true;
  });
  (void)parse_cseq(value);
  (void)parse_number(value);
  (void)parse_digest_credentials(value);
  (void)parse_digest_challenge(value);
  std::string_view list = value;
  while (!next_token(list).empty()) {
  }
  std::string clean(value.size(), 0);
  check(unfold(value, clean.data()).size() <= value.size());
}

void answer(const Message& request) {
  static char buffer[1 << 18];
  Writer out(buffer, sizeof buffer);
  begin_response(out, request, 200, "OK", "tag", Endpoint{IpAddress::v4(10, 0, 0, 1), 5060});
  end_message(out);
  check(out.ok(), "the answer fits");
  Message response;
  const Parsed parsed = parse(out.text(), Framing::stream, response);
  // An answer may be longer than a request was allowed to be, or repeat a broken request's very long line;
  // never malformed.
  const Fault fault = parsed.error.fault;
  check(parsed.completeness == Completeness::complete || fault == Fault::header_too_long ||
            fault == Fault::message_too_long,
        "the answer parses");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Message message;
  const Parsed parsed = parse(bytes, Framing::datagram, message);
  check(parsed.completeness != Completeness::partial, "a datagram is all there is");
  check(parsed.consumed <= size && parsed.error.offset <= size);
  for (std::size_t i = 0; i < message.header_count(); ++i) {
    const HeaderField& field = message.header(i);
    check(inside(bytes, message.value(field)) && inside(bytes, message.name(field)));
    read_value(message.value(field));
  }
  (void)parse_uri(message.request_uri());
  const Error error = message.is_request() ? validate_request(message) : validate_response(message);
  check(error.offset <= size);
  check(!reason(error.fault).empty());
  if (parsed.completeness == Completeness::complete) {
    const Glimpse g = glimpse(bytes);
    check(g.call_id == message.value(HeaderId::call_id), "glimpse and parse agree");
  }
  answer(message);
  return 0;
}
