#include "ringweir/proxy/target_uri.h"

#include <initializer_list>

namespace ringweir::proxy {
namespace {

bool is_sip(const sip::Uri& uri) noexcept {
  return uri.scheme == sip::Scheme::sip || uri.scheme == sip::Scheme::sips;
}

bool equal_any_case(std::string_view lower_case, std::string_view text) noexcept {
  if (lower_case.size() != text.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (lower_case[i] != (c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c)) return false;
  }
  return true;
}

// Each ";name=value" whose name is not among `without`. A URI's parameters have no quotes: every ';' begins
// one.
void put_parameters(Writer& out, std::string_view parameters,
                    std::initializer_list<std::string_view> without) noexcept {
  while (!parameters.empty()) {
    const std::string_view one = parameters.substr(0, parameters.find(';'));
    parameters.remove_prefix(one.size() == parameters.size() ? one.size() : one.size() + 1);
    const std::string_view name = one.substr(0, one.find('='));
    bool left_out = false;
    for (const std::string_view unwanted : without) left_out |= equal_any_case(unwanted, name);
    if (left_out) continue;
    out.put(';');
    out.put(one);
  }
}

// Scheme, userinfo, host
std::string_view up_to_host(const sip::Uri& uri) noexcept {
  return uri.text.substr(0, static_cast<std::size_t>(uri.host.data() + uri.host.size() - uri.text.data()));
}

}  // namespace

bool write_edited_user(Writer& out, const sip::Uri& uri, std::uint8_t strip,
                       std::string_view prefix) noexcept {
  if (!is_sip(uri) || uri.user.empty()) return false;
  std::string_view left = uri.user;
  for (; strip > 0; --strip) {
    if (left.empty()) return false;
    left.remove_prefix(left.front() == '%' ? 3 : 1);  // parse_uri saw both digits of an escape
  }
  if (left.empty() && prefix.empty()) return false;
  const auto user_begin = static_cast<std::size_t>(uri.user.data() - uri.text.data());
  out.put(uri.text.substr(0, user_begin));
  out.put(prefix);
  out.put(left);
  out.put(uri.text.substr(user_begin + uri.user.size()));
  return true;
}

void write_as_request_uri(Writer& out, const sip::Uri& uri) noexcept {
  if (!is_sip(uri)) return out.put(uri.text);
  out.put(up_to_host(uri));
  if (uri.port != 0) {
    out.put(':');
    out.number(uri.port);
  }
  put_parameters(out, uri.parameters, {"method"});
}

void write_without_maddr(Writer& out, const sip::Uri& uri) noexcept {
  out.put(up_to_host(uri));
  put_parameters(out, uri.parameters, {"maddr", "transport"});
  if (!uri.headers.empty()) {
    out.put('?');
    out.put(uri.headers);
  }
}

}  // namespace ringweir::proxy
