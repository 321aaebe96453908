#include <osipparser2/osip_parser.h>

#include <cstdlib>
#include <cstring>

#include "peers/sip_peers.h"

namespace ringweir::bench {

std::uint64_t read_with_osip2(std::string_view message) {
  static const int ready = parser_init();
  (void)ready;
  osip_message_t* sip = nullptr;
  if (osip_message_init(&sip) != 0) return 0;
  if (osip_message_parse(sip, message.data(), message.size()) != 0) {
    osip_message_free(sip);
    return 0;
  }
  // osip_message_parse has parsed the URI, Via, From, To, Call-ID, CSeq, Contact, Authorization and
  // Content-Length.
  std::uint64_t sum = std::strlen(sip->req_uri->host);
  for (int i = 0; i < osip_list_size(&sip->vias); ++i) {
    sum += std::strlen(static_cast<osip_via_t*>(osip_list_get(&sip->vias, i))->host);
  }
  sum += std::strlen(sip->from->url->host) + std::strlen(sip->to->url->host);
  sum += std::strlen(sip->call_id->number) + std::strlen(sip->cseq->number);
  osip_contact_t* contact = nullptr;
  if (osip_message_get_contact(sip, 0, &contact) == 0 && contact != nullptr && contact->url != nullptr) {
    osip_generic_param_t* expires = nullptr;
    osip_contact_param_get_byname(contact, const_cast<char*>("expires"), &expires);
    sum += std::strlen(contact->url->host) + (expires != nullptr);
  }
  osip_header_t* field = nullptr;
  if (osip_message_get_max_forwards(sip, 0, &field) >= 0 && field != nullptr)
    sum += std::strtoul(field->hvalue, nullptr, 10);
  field = nullptr;
  if (osip_message_get_expires(sip, 0, &field) >= 0 && field != nullptr)
    sum += std::strtoul(field->hvalue, nullptr, 10);
  osip_proxy_authorization_t* credentials = nullptr;
  if (osip_message_get_proxy_authorization(sip, 0, &credentials) == 0 && credentials != nullptr) {
    sum += std::strlen(credentials->response);
  }
  if (sip->content_length != nullptr) sum += std::strtoul(sip->content_length->value, nullptr, 10);
  osip_message_free(sip);
  return sum;
}

}  // namespace ringweir::bench
