// What a proxy reads from a request that anybody may send: validation, Routes, tokens, branches, the edited
// Request-URI.
#include <array>
#include <string>

#include "ringweir/base/check.h"
#include "ringweir/proxy/record_route.h"
#include "ringweir/proxy/request_validation.h"
#include "ringweir/proxy/route_set.h"
#include "ringweir/proxy/target_uri.h"
#include "ringweir/proxy/via_branch.h"

using namespace ringweir;
using namespace ringweir::proxy;

namespace {

constexpr Key128 kKey{31, 32};

const DomainSet& ours() {
  static const DomainSet set = [] {
    const std::string names[] = {"example.com", "a"};
    const Endpoint endpoints[] = {*parse_endpoint("192.0.2.1:5060")};
    return DomainSet(names, endpoints);
  }();
  return set;
}

// Nobody can make a token or a branch; what is accepted as one is written exactly so.
void read_tokens(std::string_view text) {
  check(!follow_route_token(kKey, text, "a", "b", "c"), "a token from nowhere");
  std::array<char, kBranchCharsMax> out;
  if (const auto branch = parse_stateful_branch(text)) check(write_branch(*branch, out.data()) == text);
  if (const auto branch = parse_stateless_branch(text)) check(write_branch(*branch, out.data()) == text);
}

void read_request(const sip::Message& request, const sip::Essentials& read) {
  const auto uri = sip::parse_uri(request.request_uri());
  if (!uri) return;
  std::array<char, 2 * limits::kHeaderLineBytesMax> room;
  Writer out(room.data(), room.size());
  for (const int strip : {0, 1, 200}) {
    Writer edited(room.data(), room.size());
    if (write_edited_user(edited, *uri, static_cast<std::uint8_t>(strip), "9"))
      check(sip::parse_uri(edited.text()).has_value(), "still a URI");
  }
  Writer plain(room.data(), room.size());
  write_as_request_uri(plain, *uri);
  check(sip::parse_uri(plain.text()).has_value());
  const RequestCheck checked = check_request(request, read, *uri, ours(), KeyedHash({1, 2}));
  if (checked.status == 420) write_unsupported(out, request);
  const RouteSet routes = read_route_set(request, read, *uri, ours(), 5060);
  if (routes.strip_maddr) {
    Writer stripped(room.data(), room.size());
    write_without_maddr(stripped, *uri);
    check(sip::parse_uri(stripped.text()).has_value());
  }
  if (routes.fault != sip::Fault::none) return;
  static std::string text(4 * limits::kMessageBytesMax, '\0');
  Writer whole(text.data(), text.size());
  sip::RequestEdits edits;
  edits.via = "SIP/2.0/UDP a;branch=z9hG4bK1";
  edits.source = {IpAddress::v4(10, 0, 0, 1), 5060};
  edits.routes = routes.kept;
  sip::write_request(whole, request, read, edits);
  sip::Message sent;
  sip::Essentials again;
  if (sip::parse(whole.text(), sip::Framing::datagram, sent).completeness != sip::Completeness::complete)
    return;
  check(sip::validate_request(sent, again).fault == sip::Fault::none);
  // The Route left on top is the one that was named.
  std::string_view rest;
  const auto top = sip::parse_name_addr(sent.value(sip::HeaderId::route), rest);
  if (!routes.next.empty()) check(top && top->uri == routes.next, "the next Route is on top");
  if (routes.next.empty()) check(!sent.has(sip::HeaderId::route), "no Route is left");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  read_tokens(text);
  sip::Message message;
  sip::Essentials read;
  if (sip::parse(text, sip::Framing::datagram, message).completeness != sip::Completeness::complete) return 0;
  if (!message.is_request() || sip::validate_request(message, read).fault != sip::Fault::none) return 0;
  read_request(message, read);
  return 0;
}
