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

// The second of two dots in a row, or null. PERF: eight octets a step; hosts are short.
const char* find_two_dots(const char* at, const char* end) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  for (; end - at >= 8; at += 7) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    word ^= kOnes * '.';
    const std::uint64_t dots =
        (word - kOnes) & ~word & kHigh;  // may also mark what follows a dot: looked at below
    if ((dots & (dots >> 8)) != 0) break;
  }
  for (; end - at >= 2; ++at) {
    if (at[0] == '.' && at[1] == '.') return at + 1;
  }
  return nullptr;
}
}  // namespace

bool take_host(Cursor& c, std::string_view& host) noexcept {
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
  for (; c.at != c.end && is(*c.at, kDigit); ++c.at) {
    value = value * 10 + static_cast<std::uint32_t>(*c.at - '0');
    if (value > 0xffff) return false;
  }
  port = static_cast<std::uint16_t>(value);
  return value != 0;
}

}  // namespace ringweir::sip
