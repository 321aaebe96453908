#include "sip/characters.h"

namespace ringweir::sip {

namespace {
bool take_ipv6_reference(Cursor& c, std::string_view& host) noexcept {
  const char* start = c.at++;
  unsigned colons = 0;
  while (c.at != c.end && (is(*c.at, kHex) || *c.at == ':' || *c.at == '.')) colons += *c.at++ == ':';
  if (!c.next_is(']') || colons < 2) return false;
  ++c.at;
  host = c.since(start);
  return true;
}
}  // namespace

bool take_host(Cursor& c, std::string_view& host) noexcept {
  if (c.next_is('[')) return take_ipv6_reference(c, host);
  const char* const start = c.at;
  for (;;) {  // a label may neither be empty nor begin with a hyphen; a dot at the end is allowed
    const char* const label = c.at;
    if (c.take<kHost>().empty()) {
      if (label == start || c.next_is('.')) return false;
      break;
    }
    if (*label == '-') {
      c.at = label;
      return false;
    }
    if (!c.next_is('.')) break;
    ++c.at;
  }
  host = c.since(start);
  return true;
}

bool take_port(Cursor& c, std::uint16_t& port) noexcept {
  std::uint32_t value = 0;
  for (; c.at != c.end && is(*c.at, kDigit); ++c.at) {
    value = value * 10 + static_cast<std::uint32_t>(*c.at - '0');
    if (value > 0xffff) return false;
  }
  port = static_cast<std::uint16_t>(value);
  return value != 0;
}

}  // namespace ringweir::sip
