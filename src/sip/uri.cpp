#include "ringweir/sip/uri.h"

#include "ringweir/base/limits.h"
#include "sip/characters.h"

namespace ringweir::sip {

namespace {
std::unexpected<Error> bad(const Cursor& c) noexcept {
  return std::unexpected(Error{Fault::bad_uri, c.offset()});
}

// [ user [ ":" password ] "@" ]. Without an "@" this is host, parameters and headers, whose characters are
// among a user's; with one it may still be. False at what can be neither.
bool take_userinfo(Cursor& c, Uri& uri) noexcept {
  const char* const start = c.at;
  c.skip_to('@');
  const bool is_there = !c.done();
  c.at = start;
  if (!is_there) return true;
  std::string_view user, password;
  if (!c.take_escaped<kUser>(user)) return false;
  if (c.next_is(':')) {
    ++c.at;
    if (!c.take_escaped<kPassword>(password)) return false;
    if (!c.next_is('@')) password = {};
  }
  if (!c.next_is('@')) {
    c.at = start;
    return true;
  }
  if (user.empty()) return false;
  ++c.at;
  uri.user = user;
  uri.password = password;
  return true;
}

// *( ";" pname [ "=" pvalue ] )
bool take_parameters(Cursor& c, Uri& uri) noexcept {
  const char* const start = c.at + 1;
  std::string_view part;
  for (std::size_t count = 0; c.next_is(';'); ++count) {
    ++c.at;
    if (count == limits::kUriParametersMax || !c.take_escaped<kParam>(part) || part.empty()) return false;
    if (!c.next_is('=')) continue;
    ++c.at;
    if (!c.take_escaped<kParam>(part) || part.empty()) return false;
  }
  uri.parameters = c.since(start);
  return true;
}

// "?" hname "=" hvalue *( "&" hname "=" hvalue )
bool take_headers(Cursor& c, Uri& uri) noexcept {
  const char* const start = c.at + 1;
  std::string_view part;
  std::size_t count = 0;
  do {
    ++c.at;
    if (count++ == limits::kUriParametersMax || !c.take_escaped<kHname>(part) || part.empty()) return false;
    if (!c.next_is('=')) return false;
    ++c.at;
    if (!c.take_escaped<kHname>(part)) return false;
  } while (c.next_is('&'));
  uri.headers = c.since(start);
  return true;
}

bool parse_sip(Cursor& c, Uri& uri) noexcept {
  if (!take_userinfo(c, uri) || !take_host(c, uri.host)) return false;
  if (c.next_is(':')) {
    ++c.at;
    if (!take_port(c, uri.port)) return false;
  }
  if (c.next_is(';') && !take_parameters(c, uri)) return false;
  if (c.next_is('?') && !take_headers(c, uri)) return false;
  return c.done();
}

// RFC 3966 3: a number, global or local, then parameters
bool parse_tel(Cursor& c, Uri& uri) noexcept {
  const char* const start = c.at;
  if (c.next_is('+')) ++c.at;
  const char* const digits = c.at;
  while (c.at != c.end && (is(*c.at, kHex) || std::strchr("-.()*#", *c.at) != nullptr)) ++c.at;
  if (c.at == digits) return false;
  uri.host = c.since(start);
  if (c.next_is(';') && !take_parameters(c, uri)) return false;
  return c.done();
}

bool parse_other(Cursor& c, Uri& uri) noexcept {
  uri.host = c.rest();
  if (uri.host.empty() || !c.take_escaped<kUriText>(uri.host) || !c.done()) return false;
  return true;
}

Scheme scheme_of(std::string_view text) noexcept {
  if (reads(text, "sip")) return Scheme::sip;
  if (reads(text, "sips")) return Scheme::sips;
  return reads(text, "tel") ? Scheme::tel : Scheme::other;
}
}  // namespace

// The scheme and its colon
static bool take_scheme(Cursor& c, Uri& uri) noexcept {
  if (c.done() || !is(*c.at, kAlpha)) return false;
  while (c.at != c.end && (is(*c.at, kAlpha | kDigit) || *c.at == '+' || *c.at == '-' || *c.at == '.'))
    ++c.at;
  if (!c.next_is(':')) return false;
  uri.scheme_text = c.since(c.begin);
  uri.scheme = scheme_of(uri.scheme_text);
  ++c.at;
  return true;
}

static bool take_rest(Cursor& c, Uri& uri) noexcept {
  switch (uri.scheme) {
    case Scheme::sip:
    case Scheme::sips: return parse_sip(c, uri);
    case Scheme::tel: return parse_tel(c, uri);
    case Scheme::other: break;
  }
  return parse_other(c, uri);
}

Result<Uri> parse_uri(std::string_view text) noexcept {
  Result<Uri> out;  // PERF: filled where the caller wants it; a Uri is 120 octets
  Uri& uri = *out;
  uri.text = text;
  Cursor c(text);
  bool good;
  if (text.starts_with("sip:")) [[likely]] {
    uri.scheme_text = text.substr(0, 3);
    uri.scheme = Scheme::sip;
    c.at += 4;
    good = parse_sip(c, uri);
  } else {
    good = take_scheme(c, uri) && take_rest(c, uri);
  }
  if (!good) out = bad(c);
  return out;
}

std::optional<std::string_view> parameter(std::string_view parameters, std::string_view name) noexcept {
  Cursor c(parameters);
  // PERF: the tag of From and To is asked for with every message and stands first: a third of what the loop takes.
  if (parameters.size() > name.size() + 1 && parameters[name.size()] == '=' && parameters.starts_with(name)) {
    c.at += name.size() + 1;
    const std::string_view value = c.take<kValue>();
    if (!value.empty() && (c.done() || *c.at == ';')) return value;
    c.at = c.begin;
  }
  while (!c.done()) {
    while (!c.done() && (*c.at == ';' || is(*c.at, kLws))) ++c.at;
    const char* const start = c.at;
    while (!c.done() && *c.at != ';' && *c.at != '=' && !is(*c.at, kLws)) ++c.at;
    const std::string_view found = c.since(start);
    c.skip_lws();
    std::string_view value;
    if (c.next_is('=')) {
      ++c.at;
      c.skip_lws();
      const char* const value_start = c.at;
      if (!c.next_is('"') || !c.take_quoted(value)) {
        while (!c.done() && *c.at != ';' && !is(*c.at, kLws)) ++c.at;
        value = c.since(value_start);
      }
    }
    if (!found.empty() && equals_any_case(found, name)) return value;
    while (!c.done() && *c.at != ';') ++c.at;
  }
  return std::nullopt;
}

// `text` in lower case; `end` is where the space ends.
static char* put_lower(char* to, std::string_view text, [[maybe_unused]] const char* end) noexcept {
#ifdef RINGWEIR_SIP_OCTETS
  if (!text.empty() && text.size() < 16 && end - to >= 16) {  // PERF: a host is one register
    const detail::Octets octets = detail::load_some(text.data(), text.size());
    const detail::Octets upper = detail::within(octets, 'A', 'Z');
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                     _mm_or_si128(octets, _mm_and_si128(upper, _mm_set1_epi8(0x20))));
    return to + text.size();
  }
#endif
  for (char c : text) *to++ = lower(c);
  return to;
}

std::optional<std::string_view> canonical_aor(const Uri& uri, char* out, std::size_t capacity) noexcept {
  if (uri.scheme != Scheme::sip && uri.scheme != Scheme::sips) return std::nullopt;
  if (uri.user.size() + 1 + uri.host.size() > capacity) return std::nullopt;
  char* to = out;
  std::size_t i = 0;
  if (!uri.user.empty() && uri.user.find('%') == uri.user.npos) {
    std::memcpy(to, uri.user.data(), uri.user.size());
    to += uri.user.size();
    i = uri.user.size();
  }
  for (; i < uri.user.size(); ++i) {
    const char c = uri.user[i];
    if (c != '%') {
      *to++ = c;
      continue;
    }
    const char meant = static_cast<char>(hex_value(uri.user[i + 1]) << 4 | hex_value(uri.user[i + 2]));
    i += 2;
    if (is(meant, kUser)) {
      *to++ = meant;
      continue;
    }
    constexpr char kDigits[] = "0123456789ABCDEF";
    *to++ = '%';
    *to++ = kDigits[static_cast<unsigned char>(meant) >> 4];
    *to++ = kDigits[static_cast<unsigned char>(meant) & 0xf];
  }
  if (!uri.user.empty()) *to++ = '@';
  to = put_lower(to, uri.host, out + capacity);
  return std::string_view(out, static_cast<std::size_t>(to - out));
}

}  // namespace ringweir::sip
