#include "ringweir/sip/via.h"

#include "sip/characters.h"

namespace ringweir::sip {

namespace {
std::unexpected<Error> bad(const Cursor& c) noexcept {
  return std::unexpected(Error{Fault::bad_via, c.offset()});
}

// token, with the SLASH behind it
bool take_slash(Cursor& c) noexcept {
  c.skip_lws();
  if (!c.next_is('/')) return false;
  ++c.at;
  c.skip_lws();
  return true;
}

// sent-protocol = protocol-name SLASH protocol-version SLASH transport
bool take_protocol(Cursor& c, Via& via) noexcept {
  if (c.end - c.at > 8 && std::memcmp(c.at, "SIP/2.0/", 8) == 0) [[likely]] {
    c.at += 8;
  } else {
    if (!reads(c.take<kToken>(), "SIP") || !take_slash(c)) return false;
    if (c.take<kToken>() != "2.0" || !take_slash(c)) return false;
  }
  if (c.next_is("UDP ")) [[likely]] {
    via.transport = {c.at, 3};
    c.at += 4;
    c.skip_lws();
    return true;
  }
  via.transport = c.take<kToken>();
  const char* const behind = c.at;
  c.skip_lws();
  return !via.transport.empty() && c.at != behind;
}

// sent-by = host [ COLON port ]
bool take_sent_by(Cursor& c, Via& via) noexcept {
  if (!take_host(c, via.host)) return false;
  const char* const behind = c.at;
  c.skip_lws();
  if (!c.next_is(':')) {
    if (!c.next_is(';') && !c.next_is(',') && !c.done()) c.at = behind;
    return true;
  }
  ++c.at;
  c.skip_lws();
  return take_port(c, via.port);
}

bool read_rport(const Parameter& p, Via& via, const char* text) noexcept {
  if (via.has_rport) return false;
  via.has_rport = true;
  via.rport_offset = static_cast<std::uint32_t>(p.name.data() + p.name.size() - text);
  via.rport_end = static_cast<std::uint32_t>(p.end - text);
  Cursor c(p.value);
  return !p.has_value || (take_port(c, via.rport) && c.done());
}

bool read_received(const Parameter& p, Via& via, const char* text, const char* semicolon) noexcept {
  if (via.received_end != 0) return false;
  via.received = p.value;
  via.received_offset = static_cast<std::uint32_t>(semicolon - text);
  via.received_end = static_cast<std::uint32_t>(p.end - text);
  return true;
}

// branch, received, rport and maddr are told apart by length; ttl and others are only syntax to us.
bool read_parameter(const Parameter& p, Via& via, const char* text, const char* semicolon) noexcept {
  switch (p.name.size()) {
    case 5:
      if (reads(p.name, "rport")) return read_rport(p, via, text);
      if (reads(p.name, "maddr")) via.maddr = p.value;
      return true;
    case 6:
      if (!reads(p.name, "branch")) return true;
      if (via.branch.data() != nullptr || !p.has_value) return false;
      via.branch = p.value;
      return true;
    case 8: return !reads(p.name, "received") || read_received(p, via, text, semicolon);
    default: return true;
  }
}
}  // namespace

// branch=value and a bare rport, as nearly every request has them: read at once. False: the cursor has not
// moved.
static bool take_usual_parameter(Cursor& c, Via& via, const char* text, const char*& end) noexcept {
  Cursor p = c;
  if (p.next_is(";branch=") && via.branch.data() == nullptr) {
    p.at += 8;
    const std::string_view branch = p.take<kValue>();
    if (branch.empty() || (!p.done() && *p.at != ';')) return false;
    via.branch = branch;
  } else if (p.next_is(";rport") && !via.has_rport) {
    p.at += 6;
    if (!p.done() && *p.at != ';') return false;
    via.has_rport = true;
    via.rport_offset = via.rport_end = static_cast<std::uint32_t>(p.at - text);
  } else {
    return false;
  }
  end = c.at = p.at;
  return true;
}

// Where the cursor stands when it answers false, the error is.
static bool take_element(Cursor& c, Via& via, std::string_view& rest) noexcept {
  c.skip_lws();
  const char* const start = c.at;
  if (!take_protocol(c, via) || !take_sent_by(c, via)) return false;
  const char* end = c.at;
  c.skip_lws();
  while (c.next_is(';')) {
    if (take_usual_parameter(c, via, start, end)) continue;
    const char* const semicolon = c.at++;
    c.skip_lws();
    Parameter p;
    if (!take_parameter(c, p)) return false;
    if (!read_parameter(p, via, start, semicolon)) {
      c.at = p.name.data();
      return false;
    }
    end = p.end;
  }
  while (end != start && is(end[-1], kLws)) --end;
  via.text = {start, static_cast<std::size_t>(end - start)};
  rest = {};
  if (c.done()) return true;
  if (*c.at != ',') return false;
  ++c.at;
  c.skip_lws();
  rest = c.rest();
  return !c.done();
}

Result<Via> parse_via(std::string_view value, std::string_view& rest) noexcept {
  Result<Via> out;
  Cursor c(value);
  if (!take_element(c, *out, rest)) out = bad(c);
  return out;
}

}  // namespace ringweir::sip
