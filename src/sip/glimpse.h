// What both forms of glimpse() share: everything but finding the line ends. Private to src/sip.
#pragma once
#include <bit>

#include "ringweir/sip/scan.h"
#include "sip/characters.h"

namespace ringweir::sip::detail {

inline const char* skip_line_ends(const char* at, const char* end) noexcept {
  while (at != end && (*at == '\r' || *at == '\n')) ++at;
  return at;
}

// PERF: one word compared for what nearly every datagram begins with.
inline bool is_usual_method(const char* at) noexcept {
  return std::memcmp(at, "REGISTER", 8) == 0 || std::memcmp(at, "OPTIONS ", 8) == 0 ||
         std::memcmp(at, "INVITE s", 8) == 0 || std::memcmp(at, "SIP/2.0 ", 8) == 0;
}

// A method and a space, or "SIP/": only the first octets are looked at. STUN, RTP and DTLS fail on the first
// one.
inline bool may_begin_message(const char* at, const char* end) noexcept {
  const char* const first = at;
  if (end - at > 8 && is_usual_method(at)) return true;
  const char* const stop = end - at > 8 ? at + 8 : end;
  while (at != stop && is(*at, kToken)) ++at;
  return at != first && (at == stop || *at == ' ' || *at == '/');
}

// The value behind the colon up to the line's end, folds included, trimmed: the same octets that parse()
// calls the value.
inline std::string_view line_value(const char* at, const char* end) noexcept {
  const char* stop = at;
  for (;;) {
    stop = static_cast<const char*>(std::memchr(stop, '\n', static_cast<std::size_t>(end - stop)));
    if (stop == nullptr) stop = end;
    if (end - stop < 2 || (stop[1] != ' ' && stop[1] != '\t')) break;
    ++stop;
  }
  while (at != stop && is(*at, kLws)) ++at;
  while (at != stop && is(stop[-1], kLws)) --stop;
  return {at, static_cast<std::size_t>(stop - at)};
}

// "Call-ID" in any case, as one word; eight octets may be read.
inline bool is_call_id(const char* at) noexcept {
  static_assert(std::endian::native == std::endian::little, "the first octet is the word's lowest");
  constexpr std::uint64_t kLetters = 0x0020200020202020, kName = 0x0064692d6c6c6163;  // "call-id"
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return ((word & 0x00ffffffffffffff) | kLetters) == kName;
}

// `at` is the first octet of a line (at < end). True when the search is over, one way or the other.
inline bool look_at_line(const char* at, const char* end, Glimpse& found) noexcept {
  if (*at == '\r' || *at == '\n') {
    found = {Glance::no_call_id, {}};
    return true;
  }
  const char initial = static_cast<char>(*at | 0x20);
  if (initial == 'i') {
    ++at;
  } else if (initial == 'c' && end - at > 7 && is_call_id(at)) {
    at += 7;
  } else {
    return false;
  }
  while (at != end && (*at == ' ' || *at == '\t')) ++at;
  if (at == end || *at != ':') return false;
  const std::string_view value = line_value(at + 1, end);
  found = {value.empty() ? Glance::no_call_id : Glance::message, value};
  return true;
}

}  // namespace ringweir::sip::detail
