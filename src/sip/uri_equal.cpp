// RFC 3261 19.1.4: when two URIs are the same. An equality without transitivity: a parameter in only one is
// ignored.
#include "ringweir/base/address.h"
#include "ringweir/sip/uri.h"
#include "sip/characters.h"

namespace ringweir::sip {

namespace {
// One character of a component: %HH equals the character itself unless that is reserved.
struct Character {
  char value;
  bool escaped_reserved;
  bool operator==(const Character&) const noexcept = default;
};

Character take(std::string_view text, std::size_t& i, bool any_case) noexcept {
  char c = text[i++];
  bool reserved = false;
  if (c == '%' && text.size() - i >= 2 && is(text[i], kHex) && is(text[i + 1], kHex)) {
    c = static_cast<char>(hex_value(text[i]) << 4 | hex_value(text[i + 1]));
    i += 2;
    reserved = is(c, kReserved);
  }
  return {any_case ? lower(c) : c, reserved};
}

bool same_text(std::string_view a, std::string_view b, bool any_case) noexcept {
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (take(a, i, any_case) != take(b, j, any_case)) return false;
  }
  return i == a.size() && j == b.size();
}

struct Pair {
  std::string_view name, value;
  bool has_value;
};
// Takes one "name[=value]" off the front of `list`.
Pair take_pair(std::string_view& list, char separator) noexcept {
  const std::size_t end = list.find(separator);
  const std::string_view part = list.substr(0, end);
  list.remove_prefix(end == list.npos ? list.size() : end + 1);
  const std::size_t equals = part.find('=');
  if (equals == part.npos) return {part, {}, false};
  return {part.substr(0, equals), part.substr(equals + 1), true};
}

bool same_pair(const Pair& a, const Pair& b) noexcept {
  return a.has_value == b.has_value && same_text(a.name, b.name, true) && same_text(a.value, b.value, true);
}

bool find_parameter(std::string_view list, std::string_view name, Pair& found) noexcept {
  while (!list.empty()) {
    found = take_pair(list, ';');
    if (same_text(found.name, name, true)) return true;
  }
  return false;
}

// "A URI omitting any component with a default value will not match": these count also where only one URI has
// them.
bool always_counts(std::string_view name) noexcept {
  for (std::string_view special : {"transport", "user", "ttl", "method", "maddr"}) {
    if (same_text(name, special, true)) return true;
  }
  return false;
}

// Every parameter of `a` against those of `b`; of a name given twice the first counts.
bool parameters_agree(const Uri& a, const Uri& b, bool all_count) noexcept {
  std::string_view list = a.parameters;
  while (!list.empty()) {
    const std::string_view name = take_pair(list, ';').name;
    Pair mine, other;
    find_parameter(a.parameters, name, mine);
    if (find_parameter(b.parameters, name, other)) {
      if (mine.has_value != other.has_value || !same_text(mine.value, other.value, true)) return false;
    } else if (all_count || always_counts(name)) {
      return false;
    }
  }
  return true;
}

std::size_t count_of(std::string_view list, const Pair& header) noexcept {
  std::size_t count = 0;
  while (!list.empty()) count += same_pair(take_pair(list, '&'), header);
  return count;
}

bool headers_agree(const Uri& a, const Uri& b) noexcept {
  std::string_view list = a.headers;
  while (!list.empty()) {
    const Pair header = take_pair(list, '&');
    if (count_of(a.headers, header) != count_of(b.headers, header)) return false;
  }
  return true;
}

bool same_host(std::string_view a, std::string_view b) noexcept {
  if (equals_any_case(a, b)) return true;
  if (!a.starts_with('[') || !b.starts_with('[')) return false;
  const auto ip_a = parse_ip(a), ip_b = parse_ip(b);  // RFC 5954 4.2: IPv6 references by what they mean
  return ip_a && ip_b && *ip_a == *ip_b;
}

// RFC 3966 4: visual separators do not count
bool same_number(std::string_view a, std::string_view b) noexcept {
  auto skip = [](std::string_view text, std::size_t i) {
    while (i < text.size() && std::string_view("-.()").find(text[i]) != std::string_view::npos) ++i;
    return i;
  };
  std::size_t i = skip(a, 0), j = skip(b, 0);
  while (i < a.size() && j < b.size()) {
    if (lower(a[i]) != lower(b[j])) return false;
    i = skip(a, i + 1);
    j = skip(b, j + 1);
  }
  return i == a.size() && j == b.size();
}
}  // namespace

bool equal(const Uri& a, const Uri& b) noexcept {
  if (a.scheme != b.scheme) return false;
  if (a.scheme == Scheme::other) {
    return equals_any_case(a.scheme_text, b.scheme_text) && same_text(a.host, b.host, false);
  }
  if (a.scheme == Scheme::tel) {
    return same_number(a.host, b.host) && parameters_agree(a, b, true) && parameters_agree(b, a, true);
  }
  return same_text(a.user, b.user, false) && same_text(a.password, b.password, false) &&
         same_host(a.host, b.host) && a.port == b.port && parameters_agree(a, b, false) &&
         parameters_agree(b, a, false) && headers_agree(a, b) && headers_agree(b, a);
}

}  // namespace ringweir::sip
