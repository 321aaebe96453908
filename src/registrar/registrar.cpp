#include "ringweir/registrar/registrar.h"

#include <algorithm>
#include <optional>

#include "ringweir/sip/cseq.h"
#include "ringweir/sip/name_addr.h"

namespace ringweir::registrar {
namespace {

constexpr std::uint32_t kNotGiven = UINT32_MAX;  // the Contact has no expires: settle_intervals() finds one

// A malformed Expires counts as 3600 (RFC 3261 10.3 step 7, 20.19).
std::optional<std::uint32_t> header_expires(const sip::Message& message) noexcept {
  const sip::HeaderField* field = message.first(sip::HeaderId::expires);
  if (!field) return std::nullopt;
  const auto number = sip::parse_number(message.value(*field));
  return number ? *number : 3600;
}

}  // namespace

// The Contact with every parameter the phone sent but expires, on one line. Nearly always a part of the message as it is.
std::optional<std::string_view> Registrar::kept_text(const sip::Contact& contact, Asked& asked) noexcept {
  const std::string_view text = contact.address.text;
  const bool folded = text.find('\n') != text.npos;
  const bool inside = contact.expires_end != 0 && contact.expires_end < text.size();
  if (!folded && !inside) return contact.expires_end == 0 ? text : text.substr(0, contact.expires_begin);
  if (text.size() > asked.texts.size() - asked.texts_size) return std::nullopt;
  char* const begin = asked.texts.data() + asked.texts_size;
  const auto append = [&asked](std::string_view part) {
    asked.texts_size += sip::unfold(part, asked.texts.data() + asked.texts_size).size();
  };
  append(text.substr(0, contact.expires_end == 0 ? text.size() : contact.expires_begin));
  if (inside) append(text.substr(contact.expires_end));
  return std::string_view{begin, static_cast<std::size_t>(asked.texts.data() + asked.texts_size - begin)};
}

bool Registrar::read_contacts(const sip::Message& message, Asked& asked) noexcept {
  asked.count = asked.texts_size = 0;
  asked.star = asked.too_many = false;
  for (const sip::HeaderField* field = message.first(sip::HeaderId::contact); field; field = message.next(*field)) {
    std::string_view rest = message.value(*field);
    do {
      const auto contact = sip::parse_contact(rest, rest);
      if (!contact) return false;
      if (contact->star) {
        asked.star = true;
        ++asked.count;
        continue;
      }
      const auto uri = sip::parse_uri(contact->address.uri);
      if (!uri) return false;
      const auto text = asked.count < asked.updates.size() ? kept_text(*contact, asked) : std::nullopt;
      if (!text) {
        asked.too_many = true;
        return true;
      }
      location::ContactUpdate& update = asked.updates[asked.count++];
      update.text = *text;
      update.uri = *uri;
      update.q_thousandths = contact->q_thousandths;
      // A number that was given, however large, is never taken for one that was not.
      update.expires_s = contact->expires_s ? std::min(*contact->expires_s, kNotGiven - 1) : kNotGiven;
    } while (!rest.empty());
  }
  return true;
}

// RFC 3261 10.3 step 7: the parameter, else the header, else the default; 423 below the minimum (only under an hour);
// never above our maximum. 0 stays 0: it removes.
bool Registrar::settle_intervals(Asked& asked, std::optional<std::uint32_t> header, const Policy& policy) noexcept {
  for (std::size_t i = 0; i < asked.count; ++i) {
    std::uint32_t& expires_s = asked.updates[i].expires_s;
    if (expires_s == kNotGiven) expires_s = header.value_or(policy.default_expires_s);
    if (expires_s == 0) continue;
    if (expires_s < policy.min_expires_s && expires_s < 3600) return false;
    expires_s = std::clamp(expires_s, policy.min_expires_s, policy.max_expires_s);
  }
  return true;
}

namespace {
Result result_of(location::Outcome outcome) noexcept {
  switch (outcome) {
    case location::Outcome::done: return Result::updated;
    case location::Outcome::out_of_order: return Result::out_of_order;
    case location::Outcome::too_many_contacts: return Result::too_many_contacts;
    case location::Outcome::too_long: return Result::too_long;
    case location::Outcome::no_memory: return Result::no_memory;
  }
  return Result::no_memory;
}

}  // namespace

Outcome Registrar::handle(const Request& request, const Policy& policy) noexcept {
  if (!request.message.has(sip::HeaderId::contact)) {  // 10.3 step 6: no Contact asks, and changes nothing
    return {Result::queried, bindings(request.aor, request.aor_hash)};
  }
  Asked& asked = asked_;
  if (!read_contacts(request.message, asked)) return {Result::bad_contact};
  if (asked.too_many) return {Result::too_many_contacts};
  const auto header = header_expires(request.message);
  if (asked.star && (asked.count != 1 || header != 0u)) return {Result::bad_wildcard};
  if (asked.star) asked.count = 0;
  if (!settle_intervals(asked, header, policy)) return {Result::interval_too_brief};

  location::Registration registration;
  registration.aor = request.aor;
  registration.aor_hash = request.aor_hash;
  registration.call_id = request.call_id;
  registration.cseq = request.cseq;
  registration.star = asked.star;
  registration.contacts = {asked.updates.data(), asked.count};
  registration.source = request.source;
  registration.socket = request.socket;
  registration.user_agent = request.message.value(sip::HeaderId::user_agent);
  registration.now = request.now;
  registration.contacts_max = policy.contacts_max;
  const location::BindingSet* bindings = nullptr;
  const Result result = result_of(registrations_.apply(registration, bindings));
  return {result, result == Result::updated ? bindings : nullptr};
}

const location::BindingSet* Registrar::bindings(std::string_view aor, std::uint64_t aor_hash) const noexcept {
  return directory_.find(aor, aor_hash);
}

std::uint16_t status(Result result) noexcept {
  switch (result) {
    case Result::updated:
    case Result::queried: return 200;
    case Result::bad_contact:
    case Result::bad_wildcard: return 400;
    case Result::interval_too_brief: return 423;
    case Result::out_of_order: return 500;
    case Result::too_many_contacts: return 403;
    case Result::too_long: return 513;
    case Result::no_memory: return 503;
  }
  return 500;
}

std::string_view reason(Result result) noexcept {
  switch (result) {
    case Result::updated:
    case Result::queried: return "OK";
    case Result::bad_contact: return "Bad Contact";
    case Result::bad_wildcard: return "Bad Contact: * needs Expires: 0 and no other Contact";
    case Result::interval_too_brief: return "Interval Too Brief";
    case Result::out_of_order: return "CSeq Out Of Order";
    case Result::too_many_contacts: return "Too Many Contacts";
    case Result::too_long: return "Contact Or Call-ID Too Long";
    case Result::no_memory: return "Registrar Full";
  }
  return "Server Internal Error";
}

void write_contacts(Writer& out, const location::BindingSet* bindings, Instant now) noexcept {
  if (!bindings) return;
  for (std::size_t i = 0; i < bindings->size(); ++i) {
    const location::BindingView binding = bindings->view(i);
    if (binding.expires_at <= now) continue;
    out.put("Contact: ");
    out.put(binding.contact);
    out.put(";expires=");
    out.number(binding.remaining_s(now));
    out.put("\r\n");
  }
}

}  // namespace ringweir::registrar
