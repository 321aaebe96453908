#include "ringweir/sip/cseq.h"
#include "ringweir/sip/name_addr.h"
#include "sip/characters.h"

namespace ringweir::sip {

namespace {
// qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
bool parse_q(std::string_view text, std::uint16_t& thousandths) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return false;
  if (text.size() > 1 && text[1] != '.') return false;
  std::uint32_t value = text[0] == '1' ? 1000 : 0;
  std::uint32_t unit = 100;
  for (char c : text.substr(text.size() > 1 ? 2 : 1)) {
    if (!is(c, kDigit)) return false;
    value += static_cast<std::uint32_t>(c - '0') * unit;
    unit /= 10;
  }
  thousandths = static_cast<std::uint16_t>(value);
  return value <= 1000;
}

std::unexpected<Error> bad(std::size_t offset) noexcept {
  return std::unexpected(Error{Fault::bad_contact, static_cast<std::uint32_t>(offset)});
}

// q and expires; the first expires counts.
bool read_parameter(const Parameter& p, Contact& contact) noexcept {
  if (reads(p.name, "q")) return parse_q(p.value, contact.q_thousandths);
  if (contact.expires_end != 0 || !reads(p.name, "expires")) return true;
  const char* const text = contact.address.text.data();
  const char* semicolon = p.name.data() - 1;
  while (*semicolon != ';') --semicolon;  // LWS may stand between: the name-addr's grammar says there is one
  contact.expires_begin = static_cast<std::uint32_t>(semicolon - text);
  contact.expires_end = static_cast<std::uint32_t>(p.end - text);
  if (const auto seconds = parse_number(p.value)) {
    contact.expires_s = *seconds;
  } else {
    contact.expires_s = 3600;  // RFC 3261 10.3 step 7
  }
  return true;
}
}  // namespace

Result<Contact> parse_contact(std::string_view value, std::string_view& rest) noexcept {
  Contact contact;
  Cursor c(value);
  c.skip_lws();
  if (c.next_is('*')) {
    const std::uint32_t star = c.offset();
    ++c.at;
    c.skip_lws();
    if (c.done()) {  // "*" stands alone, RFC 3261 20.10
      contact.star = true;
      contact.address.text = value.substr(star, 1);
      rest = {};
      return contact;
    }
    if (*c.at == ',' || *c.at == ';') return bad(c.offset());
  }
  const auto address = parse_name_addr(value, rest);
  if (!address) return bad(address.error().offset);
  contact.address = *address;
  if (address->parameters.empty()) return contact;
  Cursor p(address->parameters);
  for (p.skip_lws(); !p.done(); p.skip_lws()) {
    Parameter parameter;
    if (*p.at == ';') {
      ++p.at;
      continue;
    }
    if (!take_parameter(p, parameter)) return bad(static_cast<std::size_t>(p.at - value.data()));
    if (!read_parameter(parameter, contact))
      return bad(static_cast<std::size_t>(parameter.name.data() - value.data()));
  }
  return contact;
}

}  // namespace ringweir::sip
