#include "ringweir/base/address.h"

#include <arpa/inet.h>

#include <charconv>

namespace ringweir {

bool IpAddress::is_v4() const noexcept {
  static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::memcmp(octets.data(), kMapped, sizeof kMapped) == 0;
}

bool IpAddress::is_loopback() const noexcept {
  if (is_v4()) return octets[12] == 127;
  IpAddress one;
  one.octets[15] = 1;
  return *this == one;
}

bool IpAddress::is_unspecified() const noexcept {
  return *this == IpAddress{} || *this == v4(0, 0, 0, 0);
}

namespace {
char* decimal(char* out, unsigned value) noexcept { return std::to_chars(out, out + 5, value).ptr; }
}  // namespace

std::size_t format_ip(const IpAddress& ip, char* out) noexcept {
  if (ip.is_v4()) {
    char* at = out;
    for (int i = 12; i < 16; ++i) {
      if (i > 12) *at++ = '.';
      at = decimal(at, ip.octets[static_cast<std::size_t>(i)]);
    }
    return static_cast<std::size_t>(at - out);
  }
  char text[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, ip.octets.data(), text, sizeof text);  // RFC 5952 form
  const std::size_t size = std::strlen(text);
  std::memcpy(out, text, size);
  return size;
}

std::size_t format_host(const IpAddress& ip, char* out) noexcept {
  if (ip.is_v4()) return format_ip(ip, out);
  out[0] = '[';
  const std::size_t size = format_ip(ip, out + 1);
  out[size + 1] = ']';
  return size + 2;
}

std::size_t format_endpoint(const Endpoint& e, char* out) noexcept {
  const std::size_t size = format_host(e.ip, out);
  out[size] = ':';
  return static_cast<std::size_t>(decimal(out + size + 1, e.port) - out);
}

std::string to_string(const IpAddress& ip) {
  char text[kIpTextMax];
  return {text, format_ip(ip, text)};
}

std::string to_string(const Endpoint& e) {
  char text[kEndpointTextMax];
  return {text, format_endpoint(e, text)};
}

// PERF: what nearly every address is costs 230 instructions here, and 770 by way of inet_pton. What it refuses may still be
// IPv6, or nothing; a number with a leading zero is nothing, since some would read it as octal.
static bool parse_quad(std::string_view text, std::uint8_t* quad) noexcept {
  const char* at = text.data();
  const char* const end = at + text.size();
  for (int part = 0; part < 4; ++part) {
    if (part != 0 && (at == end || *at++ != '.')) return false;
    unsigned value = 0;
    const char* const begin = at;
    for (; at != end && at - begin < 3 && *at >= '0' && *at <= '9'; ++at) {
      value = value * 10 + static_cast<unsigned>(*at - '0');
    }
    if (at == begin || value > 255 || (*begin == '0' && at - begin > 1)) return false;
    quad[part] = static_cast<std::uint8_t>(value);
  }
  return at == end;
}

std::optional<IpAddress> parse_ip(std::string_view text) noexcept {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
    if (text.find(':') == text.npos) return std::nullopt;
  }
  std::uint8_t quad[4];
  if (parse_quad(text, quad)) return IpAddress::v4(quad[0], quad[1], quad[2], quad[3]);
  char copy[kIpTextMax + 1];
  // A NUL inside would end the copy early and let what follows it pass unread.
  if (text.empty() || text.size() > kIpTextMax || text.find('\0') != text.npos) return std::nullopt;
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = 0;
  IpAddress ip;
  if (inet_pton(AF_INET6, copy, ip.octets.data()) == 1) return ip;
  return std::nullopt;
}

std::optional<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port) noexcept {
  std::string_view host = text;
  std::uint16_t port = default_port;
  const std::size_t colon = text.rfind(':');
  const bool bracketed = !text.empty() && text.front() == '[';
  const bool has_port = colon != text.npos && (bracketed ? text[colon - 1] == ']' : text.find(':') == colon);
  if (has_port) {
    host = text.substr(0, colon);
    const std::string_view digits = text.substr(colon + 1);
    const auto r = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (r.ec != std::errc{} || r.ptr != digits.data() + digits.size()) return std::nullopt;
  }
  const auto ip = parse_ip(host);
  if (!ip) return std::nullopt;
  return Endpoint{*ip, port};
}

}  // namespace ringweir
