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

// The second of two dots in a row, or null.
const char* find_two_dots(const char* at, const char* end) noexcept {
  for (; end - at >= 2; ++at) {
    if (at[0] == '.' && at[1] == '.') return at + 1;
  }
  return nullptr;
}

#ifdef RINGWEIR_SIP_OCTETS
// A host name of up to sixteen octets, as most are, with what it may not be told from the same bits. False:
// look closer.
bool take_short_host(Cursor& c, std::string_view& host) noexcept {
  const std::size_t left = static_cast<std::size_t>(c.end - c.at);
  if (left == 0) return false;
  const detail::Octets text =
      left >= 16 ? _mm_loadu_si128(reinterpret_cast<const __m128i*>(c.at)) : detail::load_some(c.at, left);
  const unsigned size = static_cast<unsigned>(
      __builtin_ctz(detail::bits(detail::outside<kHost>(text)) | 1u << (left < 16 ? left : 16)));
  const unsigned dots = detail::bits(detail::is(text, '.'));
  if (size == 0 || size == 16 || (dots & 1) != 0 || *c.at == '-' || (dots & dots >> 1) != 0) return false;
  host = {c.at, size};
  c.at += size;
  return true;
}
#endif
}  // namespace

bool take_host(Cursor& c, std::string_view& host) noexcept {
#ifdef RINGWEIR_SIP_OCTETS
  if (take_short_host(c, host)) [[likely]]
    return true;
#endif
  if (c.next_is('[')) return take_ipv6_reference(c, host);
  if (c.next_is('.') || c.next_is('-')) return false;
  const char* const start = c.at;
  host = c.take<kHost>();
  if (host.empty()) return false;
  const char* const empty_label = find_two_dots(start, c.at);
  if (empty_label == nullptr) [[likely]]
    return true;
  c.at = empty_label;
  return false;
}

bool take_port(Cursor& c, std::uint16_t& port) noexcept {
  std::uint32_t value = 0;
  for (; c.at != c.end && is_digit(*c.at); ++c.at) {
    value = value * 10 + static_cast<std::uint32_t>(*c.at - '0');
    if (value > 0xffff) return false;
  }
  port = static_cast<std::uint16_t>(value);
  return value != 0;
}

}  // namespace ringweir::sip
