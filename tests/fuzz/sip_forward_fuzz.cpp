// Any message with any edits: what goes on can be read again, has our Via on top and the same body; what
// comes back loses it again. The last octets choose the edits.
#include <cstdlib>
#include <string>

#include "ringweir/base/check.h"
#include "ringweir/sip/forward.h"
#include "ringweir/sip/respond.h"

using namespace ringweir;
using namespace ringweir::sip;

namespace {

constexpr std::size_t kKnobs = 8;
constexpr std::size_t kRoomBytes = 2 * limits::kMessageBytesMax;

std::size_t vias(const Message& message) {
  std::size_t count = 0;
  for (const HeaderField* field = message.first(HeaderId::via); field; field = message.next(*field)) {
    std::string_view rest = message.value(*field);
    do {
      check(parse_via(rest, rest).has_value(), "a Via that was validated");
      ++count;
    } while (!rest.empty());
  }
  return count;
}

// Beyond the maxima a message is no longer read, which is no fault of the writer.
bool reads_again(std::string_view text, Message& message, Essentials& read, bool request) {
  const Parsed parsed = parse(text, Framing::stream, message);
  if (parsed.completeness != Completeness::complete) {
    const Fault fault = parsed.error.fault;
    check(fault == Fault::too_many_headers || fault == Fault::header_too_long ||
              fault == Fault::message_too_long,
          "what is passed on can be read");
    return false;
  }
  check(parsed.consumed == text.size(), "to its end");
  const Error error = request ? validate_request(message, read) : validate_response(message, read);
  check(error.fault == Fault::none, "and is as valid as it was");
  return true;
}

void forward_response(const Message& response, const Essentials& read, std::string& room) {
  const std::string_view more[] = {"WWW-Authenticate: Digest realm=\"x\",\n nonce=\"y\""};
  Writer out(room.data(), room.size());
  write_response(out, response, read, more);
  check(out.ok());
  Message again;
  Essentials read_again;
  if (via_below(response, read) && reads_again(out.text(), again, read_again, false)) {
    check(vias(again) + 1 == vias(response) && again.body() == response.body());
    check(read_again.via.text == via_below(response, read)->text || response.first(HeaderId::via)->folded);
  }
}

void companions(const Message& invite, std::string& room) {
  for (const bool ack : {true, false}) {
    Writer out(room.data(), room.size());
    if (ack) {
      write_ack(out, invite, "<sip:x@y>;tag=1");
    } else {
      write_cancel(out, invite);
    }
    check(out.ok());
    Message again;
    Essentials read;
    if (reads_again(out.text(), again, read, true)) check(vias(again) == 1 && again.body().empty());
  }
}

void forward_request(const Message& request, const Essentials& read, const std::uint8_t* knobs,
                     std::string& room) {
  RequestEdits edits;
  edits.via = "SIP/2.0/UDP edge:5060;branch=z9hG4bKours";
  edits.source = {IpAddress::v4(192, 0, 2, knobs[0]), 4711};
  if (knobs[1] & 1) edits.request_uri = "sip:new@target";
  if (knobs[1] & 2) edits.record_routes[0] = "<sip:edge;lr>";
  if (knobs[1] & 4) edits.record_routes[1] = "<sip:edge:5070;lr>";
  if (knobs[1] & 8) edits.route = "<sip:front;lr>";
  if (knobs[1] & 16) edits.last_route = "<sip:last>";
  if (knobs[1] & 32) edits.max_breadth = knobs[2];
  if (knobs[1] & 64) edits.routes = routes_behind(request, knobs[3] % 8);
  for (std::size_t i = 0; i < request.header_count(); ++i) {
    const HeaderId id = request.header(i).id;
    const bool credentials = id == HeaderId::authorization || id == HeaderId::proxy_authorization;
    if (credentials && knobs[4] >> i % 8 & 1) edits.removed.add(request, request.header(i));
  }
  Writer out(room.data(), room.size());
  write_request(out, request, read, edits);
  check(out.ok());
  Writer narrow(room.data() + out.size(), out.size() * knobs[5] / 256);  // less room than it needs
  write_request(narrow, request, read, edits);
  check(!narrow.ok() && narrow.size() == 0);

  Message again;
  Essentials read_again;
  if (!reads_again(out.text(), again, read_again, true)) return;
  check(again.body() == request.body() && again.method_text() == request.method_text());
  check(read_again.via.text == edits.via && vias(again) == vias(request) + 1);
  const auto below = via_below(again, read_again);
  check(below && response_destination(*below).has_value(), "a completed Via leads back");
  check(*response_destination(*below) == response_target(read.via, edits.source));
  static std::string answer(kRoomBytes, '\0');
  Writer response(answer.data(), answer.size());
  begin_response(response, again, read_again, 200, "OK", "tag", edits.source);
  end_message(response);
  Message answered;
  Essentials read_answer;
  if (response.ok() && reads_again(response.text(), answered, read_answer, false)) {
    forward_response(answered, read_answer, room);
  }
  companions(request, room);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kKnobs) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::uint8_t* const knobs = data + size - kKnobs;
  static std::string room(2 * kRoomBytes, '\0');
  Message message;
  Essentials read;
  if (parse(text, Framing::datagram, message).completeness != Completeness::complete) return 0;
  if (message.is_request()) {
    if (validate_request(message, read).fault == Fault::none) forward_request(message, read, knobs, room);
  } else if (validate_response(message, read).fault == Fault::none) {
    forward_response(message, read, room);
  }
  return 0;
}
