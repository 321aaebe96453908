// Request targets and the names a request may carry (RFC 3986, RFC 9110 7.2).
#include <algorithm>
#include <cctype>

#include "ringweir/control/admin_api.h"

namespace ringweir::control {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// `plus_is_blank`: in a query, as forms write it.
std::optional<std::string> decode(std::string_view text, bool plus_is_blank) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_blank) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view without_port(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

}  // namespace

std::optional<AdminRequest> parse_target(std::string_view target) {
  if (!target.starts_with('/')) return std::nullopt;
  target = target.substr(0, target.find('#'));
  const std::size_t mark = std::min(target.find('?'), target.size());
  AdminRequest request;
  const auto path = decode(target.substr(0, mark), false);
  if (!path) return std::nullopt;
  request.path = *path;
  std::string_view query = mark < target.size() ? target.substr(mark + 1) : std::string_view{};
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = decode(pair.substr(0, equals), true);
    const auto value = decode(equals < pair.size() ? pair.substr(equals + 1) : std::string_view{}, true);
    if (!name || !value) return std::nullopt;
    if (!name->empty()) request.query[*name] = *value;
  }
  return request;
}

bool smells_of_rebinding(const AdminRequest& request) {
  const std::string host = lower(request.host);
  if (request.method == "POST" && !request.origin.empty()) {
    const std::string origin = lower(request.origin);
    if (origin != "http://" + host && origin != "https://" + host) return true;
  }
  // On loopback nobody needs a name but localhost; elsewhere an operator's own names are as good as addresses.
  if (!request.on_loopback) return false;
  const std::string_view name = without_port(host);
  return !(name == "localhost" || name.ends_with(".localhost") || parse_ip(name));
}

}  // namespace ringweir::control
