#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>

extern "C" {
#include <re/re.h>
}

#include "peers/sip_peers.h"

namespace ringweir::bench {

namespace {
struct Reading {
  std::uint64_t sum = 0;
  bool failed = false;
};

bool read_via(const sip_hdr* header, const sip_msg*, void* argument) {
  auto* reading = static_cast<Reading*>(argument);
  sip_via via;
  if (sip_via_decode(&via, &header->val) != 0) reading->failed = true;
  reading->sum += via.sentby.l;
  return false;
}

bool read_contact(const sip_hdr* header, const sip_msg*, void* argument) {
  auto* reading = static_cast<Reading*>(argument);
  sip_addr address;
  if (sip_addr_decode(&address, &header->val) != 0) {
    reading->failed = true;
    return true;
  }
  pl expires = {nullptr, 0};
  static const pl kExpires = {"expires", 7};
  if (address.params.l != 0) uri_param_get(&address.params, &kExpires, &expires);
  reading->sum += address.uri.host.l + expires.l;
  return false;
}

bool read_credentials(const sip_hdr* header, const sip_msg*, void* argument) {
  auto* reading = static_cast<Reading*>(argument);
  httpauth_digest_resp response;
  if (httpauth_digest_response_decode(&response, &header->val) != 0) reading->failed = true;
  reading->sum += response.response.l;
  return false;
}
}  // namespace

std::uint64_t read_with_re(std::string_view message) {
  static mbuf* const buffer =
      mbuf_alloc(65536);  // its first octets are kept, only where it is read is put back
  buffer->pos = 0;
  buffer->end = 0;
  mbuf_write_mem(buffer, reinterpret_cast<const uint8_t*>(message.data()), message.size());
  buffer->pos = 0;
  sip_msg* msg = nullptr;
  // sip_msg_decode has decoded the request URI, the first Via, From with its URI and tag, To, and CSeq.
  if (sip_msg_decode(&msg, buffer) != 0) return 0;
  Reading reading;
  reading.sum = msg->uri.host.l + msg->from.uri.host.l + msg->to.uri.host.l + msg->callid.l + msg->cseq.num;
  if (sip_msg_hdr_count(msg, SIP_HDR_VIA) > 1) {
    sip_msg_hdr_apply(msg, true, SIP_HDR_VIA, read_via, &reading);
  } else {
    reading.sum += msg->via.sentby.l;
  }
  sip_msg_hdr_apply(msg, true, SIP_HDR_CONTACT, read_contact, &reading);
  sip_msg_hdr_apply(msg, true, SIP_HDR_PROXY_AUTHORIZATION, read_credentials, &reading);
  reading.sum += pl_u32(&msg->maxfwd) + pl_u32(&msg->expires) + pl_u32(&msg->clen);
  mem_deref(msg);
  return reading.failed ? 0 : reading.sum;
}

}  // namespace ringweir::bench
