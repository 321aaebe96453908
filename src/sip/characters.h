// Character sets of RFC 3261 25.1 and a cursor over header text. Private to src/sip.
// CR and LF count as LWS everywhere: parse() lets them into a value only as part of a fold.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "sip/octets.h"

namespace ringweir::sip {

enum CharacterSet : std::uint16_t {
  kToken = 1 << 0,
  kWord = 1 << 1,      // Call-ID
  kUser = 1 << 2,      // unreserved / user-unreserved
  kPassword = 1 << 3,  // unreserved / "&" / "=" / "+" / "$" / ","
  kParam = 1 << 4,     // paramchar without escapes
  kHname = 1 << 5,     // unreserved / hnv-unreserved
  kHost = 1 << 6,      // a host name; "_" is tolerated because container platforms use it
  kDigit = 1 << 7,
  kHex = 1 << 8,
  kLws = 1 << 9,
  kValue = 1 << 10,     // a parameter's value outside quotes: visible, none of ; , " < >
  kUriText = 1 << 11,   // inside angle brackets: visible ASCII, none of < > "
  kReserved = 1 << 12,  // RFC 3261 25.1 reserved, for URI comparison
  kDisplay = 1 << 13,   // an unquoted display name: tokens and LWS; UTF-8 is tolerated
  kAlpha = 1 << 14,
};

namespace detail {
consteval std::array<std::uint16_t, 256> character_table() {
  std::array<std::uint16_t, 256> table{};
  auto add = [&](std::string_view chars, unsigned sets) {
    for (char c : chars) table[static_cast<unsigned char>(c)] |= static_cast<std::uint16_t>(sets);
  };
  constexpr unsigned kUnreserved = kUser | kPassword | kParam | kHname;
  for (int c = 'a'; c <= 'z'; ++c) {
    for (int both : {c, c - 32}) table[both] |= kToken | kWord | kUnreserved | kHost | kDisplay | kAlpha;
  }
  add("0123456789", kToken | kWord | kUnreserved | kHost | kDigit | kHex | kDisplay);
  add("abcdefABCDEF", kHex);
  add("-.!%*_+`'~", kToken | kWord | kDisplay);
  add("()<>:\\\"/[]?{}", kWord);
  add("-_.!~*'()", kUnreserved);
  add("&=+$,;?/", kUser);
  add("&=+$,", kPassword);
  add("[]/:&+$", kParam);
  add("[]/?:+$", kHname);
  add("-._", kHost);
  add(" \t\r\n", kLws | kDisplay);
  add(";/?:@&=+$,", kReserved);
  for (int c = 0x21; c < 0x7f; ++c) {
    if (std::string_view(";,\"<>").find(static_cast<char>(c)) == std::string_view::npos) table[c] |= kValue;
    if (std::string_view("\"<>").find(static_cast<char>(c)) == std::string_view::npos) table[c] |= kUriText;
  }
  for (int c = 0x80; c < 0x100; ++c) table[c] |= kValue | kDisplay;
  return table;
}
inline constexpr auto kCharacters = character_table();

#ifdef RINGWEIR_SIP_OCTETS
// For the sets that runs of some length are made of: the octets outside.
template <unsigned sets>
inline constexpr bool has_octets = sets == kUriText || sets == kValue || sets == kWord || sets == kHost;
template <unsigned sets>
Octets outside(Octets text) noexcept {
  if constexpr (sets == kUriText) {
    return either(not_visible(text), is(text, '"'),
                  is(_mm_or_si128(text, _mm_set1_epi8(2)), '>'));  // < and >
  } else if constexpr (sets == kValue) {
    return either(up_to(text, ' '), is(text, 0x7f), is(text, ';'), is(text, ','), is(text, '"'),
                  is(text, '<'), is(text, '>'));
  } else if constexpr (sets == kWord) {
    return either(not_visible(text), within(text, '#', '$'), is(text, '&'), is(text, ','), is(text, ';'),
                  is(text, '='), is(text, '@'), is(text, '^'), is(text, '|'));
  } else {
    const Octets letter = within(_mm_or_si128(text, _mm_set1_epi8(0x20)), 'a', 'z');
    const Octets inside = either(letter, within(text, '-', '.'), within(text, '0', '9'), is(text, '_'));
    return _mm_cmpeq_epi8(inside, _mm_setzero_si128());
  }
}
#endif
}  // namespace detail

inline unsigned sets_of(char c) noexcept {
  return detail::kCharacters[static_cast<unsigned char>(c)];
}
inline bool is(char c, unsigned sets) noexcept {
  return (sets_of(c) & sets) != 0;
}
inline bool is_digit(char c) noexcept {
  return static_cast<unsigned char>(c - '0') <= 9;
}
inline char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

inline bool equals_any_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}
// The same against a literal in its usual spelling. PERF: that spelling costs a few instructions, another one
// ten an octet.
template <std::size_t N>
inline bool reads(std::string_view text, const char (&usual)[N]) noexcept {
  return text.size() == N - 1 &&
         (std::memcmp(text.data(), usual, N - 1) == 0 || equals_any_case(text, {usual, N - 1}));
}
inline int hex_value(char c) noexcept {
  return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

struct Cursor {
  const char* begin;
  const char* at;
  const char* end;

  explicit Cursor(std::string_view text) noexcept
      : begin(text.data()), at(text.data()), end(text.data() + text.size()) {}
  bool done() const noexcept { return at == end; }
  bool next_is(char c) const noexcept { return at != end && *at == c; }
  // PERF: what nearly everybody writes in the same way is compared as one or two words before it is read as a
  // grammar.
  template <std::size_t N>
  bool next_is(const char (&text)[N]) const noexcept {
    return static_cast<std::size_t>(end - at) >= N - 1 && std::memcmp(at, text, N - 1) == 0;
  }
  std::uint32_t offset() const noexcept { return static_cast<std::uint32_t>(at - begin); }
  std::string_view rest() const noexcept { return {at, static_cast<std::size_t>(end - at)}; }
  std::string_view since(const char* start) const noexcept {
    return {start, static_cast<std::size_t>(at - start)};
  }
  void skip_lws() noexcept {
    while (at != end && is(*at, kLws)) ++at;
  }
  // The longest run of octets from `sets`. PERF: sixteen at a time for what is long; else four at a time,
  // under three instructions an octet, one at a time six.
  template <unsigned sets>
  std::string_view take() noexcept {
    const char* const start = at;
#ifdef RINGWEIR_SIP_OCTETS
    if constexpr (detail::has_octets<sets>) {
      at = detail::find_end(at, end, detail::outside<sets>);
      return since(start);
    }
#endif
    const char* p = at;
    while (end - p >= 4 && (sets_of(p[0]) & sets_of(p[1]) & sets_of(p[2]) & sets_of(p[3]) & sets) != 0)
      p += 4;
    while (p != end && is(*p, sets)) ++p;
    at = p;
    return since(start);
  }
  // Characters of `sets` and %HH escapes; false at a broken escape, where the cursor then stands.
  template <unsigned sets>
  bool take_escaped(std::string_view& taken) noexcept {
    const char* const start = at;
    for (take<sets>(); at != end && *at == '%'; take<sets>()) {
      if (end - at < 3 || !is(at[1], kHex) || !is(at[2], kHex)) return false;
      at += 3;
    }
    taken = since(start);
    return true;
  }
  // To the next `c`, or the end.
  void skip_to(char c) noexcept {
#ifdef RINGWEIR_SIP_OCTETS
    at = detail::find_end(at, end, [c](detail::Octets text) { return detail::is(text, c); });
#else
    while (at != end && *at != c) ++at;
#endif
  }
  // PERF: digest parameters are two thirds of a REGISTER's text between quotes.
  void skip_to_quote_or_backslash() noexcept {
#ifdef RINGWEIR_SIP_OCTETS
    at = detail::find_end(at, end, [](detail::Octets text) {
      return detail::either(detail::is(text, '"'), detail::is(text, '\\'));
    });
#else
    while (at != end && *at != '"' && *at != '\\') ++at;
#endif
  }
  // A quoted-string, at its opening quote; false when it is never closed (the cursor stays).
  bool take_quoted(std::string_view& with_quotes) noexcept {
    const char* const start = at++;
    for (;;) {
      skip_to_quote_or_backslash();
      if (at == end) break;
      if (*at == '"') {
        ++at;
        with_quotes = since(start);
        return true;
      }
      if (*at == '\\' && end - at < 2) break;
      at += 2;  // a quoted-pair
    }
    at = start;
    return false;
  }
};

// generic-param: token [ EQUAL ( token / host / quoted-string ) ], EQUAL with LWS around it.
struct Parameter {
  std::string_view name, value;
  bool has_value;
  const char* end;  // behind the parameter, before any LWS
};
// The cursor stands on the name; afterwards on the first octet that is neither parameter nor LWS.
inline bool take_parameter(Cursor& c, Parameter& p) noexcept {
  p.name = c.take<kToken>();
  if (p.name.empty()) return false;
  p.value = {};
  p.has_value = false;
  p.end = c.at;
  c.skip_lws();
  if (!c.next_is('=')) return true;
  ++c.at;
  c.skip_lws();
  p.has_value = true;
  if (c.next_is('"')) {
    if (!c.take_quoted(p.value)) return false;
  } else {
    p.value = c.take<kValue>();
    if (p.value.empty()) return false;
  }
  p.end = c.at;
  c.skip_lws();
  return true;
}

// host = hostname / IPv4address / IPv6reference
bool take_host(Cursor& c, std::string_view& host) noexcept;
// 1 to 65535; the cursor stands behind the colon
bool take_port(Cursor& c, std::uint16_t& port) noexcept;

}  // namespace ringweir::sip
