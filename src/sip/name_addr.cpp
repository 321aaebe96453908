#include "ringweir/sip/name_addr.h"

#include "sip/characters.h"

namespace ringweir::sip {

namespace {
std::unexpected<Error> bad(const Cursor& c) noexcept {
  return std::unexpected(Error{Fault::bad_header, c.offset()});
}

std::string_view trimmed(const char* begin, const char* end) noexcept {
  while (end != begin && is(end[-1], kLws)) --end;
  return {begin, static_cast<std::size_t>(end - begin)};
}

// LAQUOT addr-spec RAQUOT: what is between is the URI's own affair, but it is visible ASCII.
bool take_bracketed(Cursor& c, NameAddr& address) noexcept {
  ++c.at;
  address.uri = c.take<kUriText>();
  if (address.uri.empty() || !c.next_is('>')) return false;
  ++c.at;
  return true;
}

// addr-spec without brackets: a comma, question mark or semicolon is not part of it (RFC 3261 20, 20.10).
bool take_bare(Cursor& c, const char* start, NameAddr& address) noexcept {
  c.at = start;
  while (!c.done() && is(*c.at, kUriText) && *c.at != ',' && *c.at != ';' && *c.at != '?') ++c.at;
  address.uri = c.since(start);
  return !address.uri.empty();
}

// [ display-name ] LAQUOT addr-spec RAQUOT / addr-spec
bool take_address(Cursor& c, NameAddr& address) noexcept {
  if (c.next_is('"')) {
    if (!c.take_quoted(address.display)) return false;
    c.skip_lws();
    return c.next_is('<') && take_bracketed(c, address);
  }
  if (c.next_is('<')) return take_bracketed(c, address);
  const char* const start = c.at;
  c.take<kDisplay>();
  if (!c.next_is('<')) return take_bare(c, start, address);
  address.display = trimmed(start, c.at);
  return take_bracketed(c, address);
}
}  // namespace

// *( SEMI generic-param ); `end` becomes the end of the last one
static bool take_parameters(Cursor& c, NameAddr& address, const char*& end) noexcept {
  const char* const parameters = c.at + 1;
  Parameter p;
  while (c.next_is(';')) {
    if (c.next_is(";tag=")) {  // PERF: most parameters there are, and most have nothing behind them
      Cursor tag = c;
      tag.at += 5;
      if (!tag.take<kValue>().empty() && tag.done()) {
        end = c.at = tag.at;
        break;
      }
    }
    ++c.at;
    c.skip_lws();
    if (!take_parameter(c, p)) return false;
    end = p.end;
  }
  address.parameters = {parameters, static_cast<std::size_t>(end - parameters)};
  return true;
}

static bool take_element(Cursor& c, NameAddr& address, std::string_view& rest) noexcept {
  c.skip_lws();
  const char* const start = c.at;
  if (!take_address(c, address)) return false;
  const char* end = c.at;
  c.skip_lws();
  if (c.next_is(';') && !take_parameters(c, address, end)) return false;
  address.text = {start, static_cast<std::size_t>(end - start)};
  rest = {};
  if (c.done()) return true;
  if (*c.at != ',') return false;
  ++c.at;
  c.skip_lws();
  rest = c.rest();
  return !c.done();  // a comma with nothing behind it
}

Result<NameAddr> parse_name_addr(std::string_view value, std::string_view& rest) noexcept {
  Result<NameAddr> out;
  Cursor c(value);
  if (!take_element(c, *out, rest)) out = bad(c);
  return out;
}

std::optional<std::string_view> tag(const NameAddr& address) noexcept {
  return parameter(address.parameters, "tag");
}

}  // namespace ringweir::sip
