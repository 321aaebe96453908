#include <sofia-sip/auth_common.h>
#include <sofia-sip/auth_digest.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/su.h>
#include <sofia-sip/su_alloc.h>

#include <cstring>

#include "peers/sip_peers.h"

namespace ringweir::bench {

std::uint64_t read_with_sofia(std::string_view message) {
  static const int ready = su_init();
  (void)ready;
  // The parser writes its terminators into the message's own buffer, so that it is copied in, as a transport
  // does.
  msg_t* msg = msg_make(sip_default_mclass(), 0, message.data(), static_cast<ssize_t>(message.size()));
  if (msg == nullptr) return 0;
  const sip_t* sip = sip_object(msg);
  if (sip == nullptr || sip->sip_request == nullptr || sip->sip_error != nullptr) {
    msg_destroy(msg);
    return 0;
  }
  std::uint64_t sum = std::strlen(sip->sip_request->rq_url->url_host);
  for (const sip_via_t* via = sip->sip_via; via != nullptr; via = via->v_next)
    sum += std::strlen(via->v_host);
  sum += std::strlen(sip->sip_from->a_url->url_host) + std::strlen(sip->sip_to->a_url->url_host);
  sum += std::strlen(sip->sip_call_id->i_id) + sip->sip_cseq->cs_seq;
  for (const sip_contact_t* contact = sip->sip_contact; contact != nullptr; contact = contact->m_next) {
    sum += std::strlen(contact->m_url->url_host) + (contact->m_expires != nullptr);
  }
  if (sip->sip_max_forwards != nullptr) sum += sip->sip_max_forwards->mf_count;
  if (sip->sip_expires != nullptr) sum += sip->sip_expires->ex_delta;
  if (sip->sip_proxy_authorization != nullptr) {
    // The header holds its parameters as a list of texts; this makes members of them.
    auth_response_t response = {};
    response.ar_size = sizeof response;
    auth_digest_response_get(msg_home(msg), &response, sip->sip_proxy_authorization->au_params);
    if (response.ar_response != nullptr) sum += std::strlen(response.ar_response);
  }
  if (sip->sip_content_length != nullptr) sum += sip->sip_content_length->l_length;
  msg_destroy(msg);
  return sum;
}

}  // namespace ringweir::bench
