#include "sip/start_line.h"

#include "sip/characters.h"

namespace ringweir::sip {

namespace {
constexpr std::size_t kVersionSize = 7;  // SIP/2.0

bool is_version_2(const char* at) noexcept {
  return reads({at, kVersionSize}, "SIP/2.0");
}

// "SIP" "/" 1*DIGIT "." 1*DIGIT, any case (RFC 3261 7.1)
bool is_some_version(std::string_view text) noexcept {
  if (text.size() < kVersionSize || !equals_any_case(text.substr(0, 4), "SIP/")) return false;
  Cursor c(text.substr(4));
  if (c.take<kDigit>().empty() || !c.next_is('.')) return false;
  ++c.at;
  return !c.take<kDigit>().empty() && c.done();
}

StartLine broken(std::size_t offset) noexcept {
  StartLine line;
  line.error = {Fault::start_line, static_cast<std::uint32_t>(offset)};
  return line;
}

StartLine parse_status_line(std::string_view line) noexcept {
  const std::size_t space = line.find(' ');
  if (space == line.npos || !is_some_version(line.substr(0, space))) return broken(0);
  const std::string_view code = line.substr(space + 1);
  if (code.size() < 3 || !is(code[0], kDigit) || !is(code[1], kDigit) || !is(code[2], kDigit))
    return broken(space + 1);
  StartLine out;
  out.status = static_cast<std::uint16_t>((code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0'));
  if (out.status < 100 || out.status > 699) return broken(space + 1);
  // The SP before an empty reason phrase is missing from some small servers' answers.
  if (code.size() > 3 && code[3] != ' ') return broken(space + 4);
  if (code.size() > 4) out.uri_or_reason = code.substr(4);
  if (space != kVersionSize || !is_version_2(line.data())) out.error = {Fault::version, 0};
  return out;
}
}  // namespace

StartLine parse_start_line(std::string_view line) noexcept {
  Cursor c(line);
  StartLine out;
  out.method_text = c.take<kToken>();
  if (c.next_is('/')) return parse_status_line(line);
  if (out.method_text.empty() || !c.next_is(' ')) return broken(c.offset());
  const char* const uri = ++c.at;
  c.skip_to(' ');
  out.uri_or_reason = c.since(uri);
  if (out.uri_or_reason.empty() || c.done()) return broken(c.offset());
  ++c.at;
  const std::string_view version = c.rest();
  if (version.size() != kVersionSize || !is_version_2(version.data())) {
    if (!is_some_version(version)) return broken(c.offset());
    out.error = {Fault::version, c.offset()};
  }
  out.method = parse_method(out.method_text);
  return out;
}

}  // namespace ringweir::sip
