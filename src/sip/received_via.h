// The top Via of a request says where it really came from, whatever it claimed (RFC 3261 18.2.1, RFC 3581 4):
// the same text in the response to it and in the request that is passed on. Private to src/sip.
#pragma once
#include <string_view>

#include "ringweir/base/address.h"
#include "ringweir/sip/via.h"
#include "sip/characters.h"

namespace ringweir::sip {

inline bool sent_by_is(std::string_view host, std::string_view ip_text, const Endpoint& source) noexcept {
  if (host == ip_text) return true;
  if (source.ip.is_v4()) return false;
  const auto ip = parse_ip(host);
  return ip && *ip == source.ip;
}

inline constexpr std::size_t kReceivedBytesMax =
    6 + 10 + kIpTextMax;  // what put_received_via() adds to the Via's text

// `Pen` has copy(text) for what was received, put(text) and number(n) for what is ours.
template <class Pen>
void put_received_via(Pen& pen, const Via& via, const Endpoint& source) noexcept {
  char ip_buffer[kIpTextMax];
  const std::string_view ip_text{ip_buffer, format_ip(source.ip, ip_buffer)};
  const bool had_received = via.received_end != 0;
  const bool add_received = via.has_rport || had_received || !sent_by_is(via.host, ip_text, source);
  const std::string_view text = via.text;
  std::size_t at = 0;
  auto copy_to = [&](std::size_t end) {
    pen.copy(text.substr(at, end - at));
    at = end;
  };
  auto put_rport = [&] {
    if (!via.has_rport) return;
    copy_to(via.rport_offset);
    pen.put("=");
    pen.number(source.port);
    at = via.rport_end;
  };
  const bool received_first = had_received && via.received_offset < via.rport_offset;
  if (!received_first) put_rport();
  if (had_received) {
    copy_to(via.received_offset);
    at = via.received_end;
  }
  if (received_first) put_rport();
  copy_to(text.size());
  if (add_received) {
    pen.put(";received=");
    pen.put(ip_text);
  }
}

// What follows the first element of a comma list that was found well formed.
inline std::string_view behind(std::string_view element, std::string_view list) noexcept {
  std::string_view rest =
      list.substr(static_cast<std::size_t>(element.data() + element.size() - list.data()));
  while (!rest.empty() && (rest.front() == ',' || is(rest.front(), kLws))) rest.remove_prefix(1);
  return rest;
}

}  // namespace ringweir::sip
