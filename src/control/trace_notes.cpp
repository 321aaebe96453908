#include "control/trace_notes.h"

#include <fmt/format.h>

#include <memory>

#include "ringweir/control/trace_view.h"
#include "ringweir/sip/credentials.h"
#include "ringweir/sip/message.h"
#include "ringweir/sip/name_addr.h"
#include "ringweir/sip/via.h"

namespace ringweir::control {
namespace {

using sip::HeaderId;

void add(std::string& remarks, std::string_view remark) {
  if (!remarks.empty()) remarks += ' ';
  remarks += printable(remark);
}

std::string shortened(std::string_view text, std::size_t most) {
  return text.size() <= most ? std::string(text) : std::string(text.substr(0, most)) + "..";
}

void note_challenges(const sip::Message& message, HeaderId id, std::string& remarks) {
  for (const auto* field = message.first(id); field; field = message.next(*field)) {
    const auto challenge = sip::parse_digest_challenge(message.value(*field));
    if (!challenge) continue;
    add(remarks, fmt::format("{} nonce={}{}", challenge->algorithm.empty() ? "MD5" : challenge->algorithm,
                             shortened(challenge->nonce, 8), challenge->stale ? " stale" : ""));
  }
}

void note_credentials(const sip::Message& message, HeaderId id, std::string& remarks) {
  const auto* field = message.first(id);
  if (!field) return;
  const auto sent = sip::parse_digest_credentials(message.value(*field));
  if (!sent) return add(remarks, "credentials unreadable");
  add(remarks, fmt::format("user={} nonce={}{}{}", shortened(sent->username, 32), shortened(sent->nonce, 8),
                           sent->nc.empty() ? "" : " nc=", sent->nc));
}

// RFC 3261 10.2.1.1: a Contact's own expires goes before the Expires header field.
void note_contacts(const sip::Message& message, std::string& remarks) {
  std::size_t contacts = 0;
  std::string_view expires = message.value(HeaderId::expires);
  std::string own;
  for (const auto* field = message.first(HeaderId::contact); field; field = message.next(*field)) {
    std::string_view rest = message.value(*field);
    while (!rest.empty()) {
      const auto contact = sip::parse_contact(rest, rest);
      if (!contact) return add(remarks, "contact unreadable");
      if (contact->star) return add(remarks, "contact=*");
      if (contact->expires_s) own = std::to_string(*contact->expires_s);
      ++contacts;
    }
  }
  if (contacts == 0) return add(remarks, message.is_request() ? "query" : "no contacts");
  add(remarks, fmt::format("{} contact{}", contacts, contacts == 1 ? "" : "s"));
  if (!own.empty()) expires = own;
  if (!expires.empty()) add(remarks, fmt::format("expires={}", shortened(expires, 10)));
}

std::string remarks_of(const sip::Message& message, std::string_view cseq) {
  std::string remarks;
  note_challenges(message, HeaderId::www_authenticate, remarks);
  note_challenges(message, HeaderId::proxy_authenticate, remarks);
  note_credentials(message, HeaderId::authorization, remarks);
  note_credentials(message, HeaderId::proxy_authorization, remarks);
  const bool of_register = cseq.ends_with(" REGISTER");
  if (of_register && (message.is_request() || message.status() == 200)) note_contacts(message, remarks);
  if (const auto value = message.value(HeaderId::min_expires); !value.empty()) {
    add(remarks, fmt::format("min-expires={}", shortened(value, 10)));
  }
  if (const auto value = message.value(HeaderId::retry_after); !value.empty()) {
    add(remarks, fmt::format("retry-after={}", shortened(value, 10)));
  }
  return remarks;
}

std::string first_line(std::string_view text) {
  return shortened(text.substr(0, std::min(text.find_first_of("\r\n"), text.size())), 40);
}

std::string user_of(std::string_view from) {
  std::string_view rest;
  const auto address = sip::parse_name_addr(from, rest);
  if (!address) return {};
  const auto uri = sip::parse_uri(address->uri);
  if (!uri) return {};
  return printable(uri->user.empty() ? std::string(uri->host) : fmt::format("{}@{}", uri->user, uri->host));
}

void note_request_uri(std::string_view text, TraceNotes& notes) {
  const auto uri = sip::parse_uri(text);
  if (!uri) return;
  notes.uri_user = printable(uri->user);
  notes.uri_host = printable(fmt::format("{}:{}", uri->host, uri->port));
}

}  // namespace

TraceNotes read_notes(std::string_view text) {
  TraceNotes notes;
  notes.identity = text;
  const auto message = std::make_unique<sip::Message>();
  const sip::Parsed parsed = sip::parse(text, sip::Framing::datagram, *message);
  if (parsed.completeness != sip::Completeness::complete) {
    notes.start = "[" + printable(first_line(text)) + "]";
    notes.remarks = printable(sip::reason(parsed.error.fault));
    return notes;
  }
  notes.request = message->is_request();
  notes.status = message->status();
  notes.start = printable(notes.request
                              ? fmt::format("{} {}", message->method_text(), message->request_uri())
                              : fmt::format("{} {}", message->status(), message->reason_phrase()));
  notes.cseq = printable(message->value(HeaderId::cseq));
  notes.from_user = user_of(message->value(HeaderId::from));
  notes.remarks = remarks_of(*message, notes.cseq);
  if (notes.request) note_request_uri(message->request_uri(), notes);
  std::string_view rest;
  if (const auto via = sip::parse_via(message->value(HeaderId::via), rest); via && !via->branch.empty()) {
    // With To: forks of one INVITE ring under the same branch and different tags.
    notes.identity = fmt::format("{}|{}|{}|{}", notes.start, notes.cseq, via->branch, message->value(HeaderId::to));
  }
  return notes;
}

}  // namespace ringweir::control
