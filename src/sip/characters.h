// Character sets of RFC 3261 25.1 and a cursor over header text. Private to src/sip.
// CR and LF count as LWS everywhere: parse() lets them into a value only as part of a fold.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

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
}  // namespace detail

inline unsigned sets_of(char c) noexcept {
  return detail::kCharacters[static_cast<unsigned char>(c)];
}
inline bool is(char c, unsigned sets) noexcept {
  return (sets_of(c) & sets) != 0;
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
  std::uint32_t offset() const noexcept { return static_cast<std::uint32_t>(at - begin); }
  std::string_view rest() const noexcept { return {at, static_cast<std::size_t>(end - at)}; }
  std::string_view since(const char* start) const noexcept {
    return {start, static_cast<std::size_t>(at - start)};
  }
  void skip_lws() noexcept {
    while (at != end && is(*at, kLws)) ++at;
  }
  // The longest run of octets from `sets`. PERF: four at a time costs under three instructions an octet, one
  // at a time six.
  template <unsigned sets>
  std::string_view take() noexcept {
    const char* const start = at;
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
  // PERF: digest parameters are two thirds of a REGISTER's text between quotes: sixteen octets a step, as any x86-64 can.
  void skip_to_quote_or_backslash() noexcept {
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    for (; end - at >= 16; at += 16) {
      const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
      const __m128i found = _mm_or_si128(_mm_cmpeq_epi8(octets, quote), _mm_cmpeq_epi8(octets, backslash));
      if (const unsigned mask = static_cast<unsigned>(_mm_movemask_epi8(found))) {
        at += __builtin_ctz(mask);
        return;
      }
    }
#endif
    while (at != end && *at != '"' && *at != '\\') ++at;
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
