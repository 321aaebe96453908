#include "reply.h"

#include <strings.h>

namespace ringweir::load {
namespace {

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Value of name= or name="..." in a challenge; names in a challenge of our peers are lower case or as the RFC
// prints them.
std::string_view parameter_of(std::string_view challenge, std::string_view name) noexcept {
  for (std::size_t at = challenge.find(name); at != std::string_view::npos;
       at = challenge.find(name, at + 1)) {
    const std::size_t after = at + name.size();
    const bool starts = at == 0 || challenge[at - 1] == ' ' || challenge[at - 1] == ',';
    if (!starts || after >= challenge.size() || challenge[after] != '=') continue;
    std::string_view value = challenge.substr(after + 1);
    if (!value.empty() && value.front() == '"') return value.substr(1, value.find('"', 1) - 1);
    return value.substr(0, value.find_first_of(", \r\n"));
  }
  return {};
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

Challenge read_challenge(std::string_view line, bool proxy) noexcept {
  Challenge challenge;
  challenge.realm = parameter_of(line, "realm");
  challenge.nonce = parameter_of(line, "nonce");
  challenge.opaque = parameter_of(line, "opaque");
  challenge.proxy = proxy;
  challenge.qop_auth = parameter_of(line, "qop").find("auth") != std::string_view::npos;
  challenge.stale = equal_ignoring_case(parameter_of(line, "stale"), "true");
  return challenge;
}

}  // namespace

int status_of(std::string_view message) noexcept {
  if (message.size() < 12 || message.substr(0, 8) != "SIP/2.0 ") return 0;
  const int status = (message[8] - '0') * 100 + (message[9] - '0') * 10 + (message[10] - '0');
  return status >= 100 && status <= 699 ? status : 0;
}

std::optional<std::uint64_t> hex_of(std::string_view digits) noexcept {
  std::uint64_t number = 0;
  for (const char c : digits) {
    const int value = hex_value(c);
    if (value < 0) return std::nullopt;
    number = number << 4 | static_cast<std::uint64_t>(value);
  }
  return number;
}

std::optional<std::uint64_t> token_of(std::string_view message) noexcept {
  const std::size_t at = message.find(kBranchCookie);
  if (at == std::string_view::npos || message.size() < at + kBranchCookie.size() + kTokenDigits)
    return std::nullopt;
  return hex_of(message.substr(at + kBranchCookie.size(), kTokenDigits));
}

std::optional<Challenge> challenge_of(std::string_view message) noexcept {
  for (std::size_t at = message.find("\r\n"); at != std::string_view::npos; at = message.find("\r\n", at)) {
    at += 2;
    const std::string_view rest = message.substr(at);
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    const std::string_view name = line.substr(0, line.find(':'));
    const bool proxy = equal_ignoring_case(name, "Proxy-Authenticate");
    if (!proxy && !equal_ignoring_case(name, "WWW-Authenticate")) continue;
    const std::string_view algorithm = parameter_of(line, "algorithm");
    if (algorithm.empty() || equal_ignoring_case(algorithm, "MD5")) return read_challenge(line, proxy);
  }
  return std::nullopt;
}

std::string_view header_of(std::string_view message, std::string_view name) noexcept {
  for (std::size_t at = message.find("\r\n"); at != std::string_view::npos; at = message.find("\r\n", at)) {
    at += 2;
    const std::string_view rest = message.substr(at);
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (!equal_ignoring_case(line.substr(0, name.size()), name)) continue;
    std::string_view value = line.substr(name.size() + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    return value;
  }
  return {};
}

}  // namespace ringweir::load
