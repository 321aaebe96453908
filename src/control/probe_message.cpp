#include "ringweir/control/probe_message.h"

#include <fmt/format.h>

#include "ringweir/sip/essentials.h"
#include "ringweir/sip/message.h"

namespace ringweir::control {
namespace {

std::string branch_of(const ProbeMessage& probe) {
  return fmt::format("z9hG4bKp{:016x}", probe.token);
}
std::string call_id_of(const ProbeMessage& probe) {
  return fmt::format("probe-{:016x}", probe.token);
}

}  // namespace

std::string write_probe(const ProbeMessage& probe) {
  const std::string local = to_string(probe.local);
  return fmt::format(
      "{0} {1} SIP/2.0\r\n"
      "Via: SIP/2.0/UDP {2};rport;branch={3}\r\n"
      "Max-Forwards: 70\r\n"
      "From: <sip:ringweir@{2}>;tag={4:016x}\r\n"
      "To: <{1}>\r\n"
      "Call-ID: {5}\r\n"
      "CSeq: 1 {0}\r\n"
      "Contact: <sip:ringweir@{2}>\r\n"
      "Accept: application/sdp\r\n"
      "User-Agent: ringweir/" RINGWEIR_VERSION
      "\r\n"
      "Content-Length: 0\r\n\r\n",
      probe.method, probe.uri, local, branch_of(probe), probe.token, call_id_of(probe));
}

std::optional<std::uint16_t> probe_answer(const ProbeMessage& probe, std::string_view datagram) {
  sip::Message message;
  if (sip::parse(datagram, sip::Framing::datagram, message).completeness != sip::Completeness::complete) {
    return std::nullopt;
  }
  sip::Essentials read;
  if (message.is_request() || sip::validate_response(message, read).fault != sip::Fault::none)
    return std::nullopt;
  const bool ours = read.via.branch == branch_of(probe) &&
                    message.value(sip::HeaderId::call_id) == call_id_of(probe) &&
                    read.cseq.method_text == probe.method;
  return ours ? std::optional(message.status()) : std::nullopt;
}

}  // namespace ringweir::control
