#include "ringweir/proxy/route_table.h"

#include "ringweir/base/check.h"

namespace ringweir::proxy {
namespace {

static_assert(sip::kMethods <= 32, "a row keeps one bit a method");

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool equal_any_case(std::string_view lower_case, std::string_view host) noexcept {
  if (lower_case.size() != host.size()) return false;
  for (std::size_t i = 0; i < host.size(); ++i) {
    if (lower_case[i] != lower(host[i])) return false;
  }
  return true;
}

constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (lower(c) >= 'a' && lower(c) <= 'f') return lower(c) - 'a' + 10;
  return -1;
}

// "%39" is "9" (RFC 3261 19.1.4): a user cannot be written so that it slips past a route.
class Unescaped {
 public:
  explicit Unescaped(std::string_view text) noexcept : text_(text) {}
  bool done() const noexcept { return at_ == text_.size(); }
  char next() noexcept {
    const char c = text_[at_++];
    if (c != '%' || at_ + 2 > text_.size()) return c;
    const int high = hex_value(text_[at_]);
    const int low = hex_value(text_[at_ + 1]);
    if (high < 0 || low < 0) return c;
    at_ += 2;
    return static_cast<char>(high * 16 + low);
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

std::size_t unescaped_size(std::string_view text) noexcept {
  std::size_t size = 0;
  for (Unescaped rest(text); !rest.done(); rest.next()) ++size;
  return size;
}

struct Pattern {
  std::string head, tail;
  bool star = false;
};

Pattern parse_pattern(std::string_view text) {
  Pattern pattern;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '*') {
      check(!pattern.star, "a user pattern has one star");
      pattern.star = true;
      continue;
    }
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    (pattern.star ? pattern.tail : pattern.head) += text[i];
  }
  return pattern;
}

}  // namespace

RouteTable::RouteTable(std::span<const Route> routes) {
  rows_.reserve(routes.size());
  for (const Route& route : routes) {
    Row row;
    row.any_method = route.match.methods.empty();
    row.extensions_at = static_cast<std::uint32_t>(extensions_.size());
    for (const std::string& method : route.match.methods) {
      const sip::Method known = sip::parse_method(method);
      if (known == sip::Method::unknown) {
        extensions_.push_back(keep(method));
      } else {
        row.methods |= 1u << static_cast<unsigned>(known);
      }
    }
    row.extensions = static_cast<std::uint32_t>(extensions_.size()) - row.extensions_at;
    row.sources_at = static_cast<std::uint32_t>(sources_.size());
    row.sources = static_cast<std::uint32_t>(route.match.sources.size());
    sources_.insert(sources_.end(), route.match.sources.begin(), route.match.sources.end());
    row.local_domain = route.match.local_domain;
    std::string domain = route.match.domain;
    for (char& c : domain) c = lower(c);
    row.domain = keep(domain);
    if (route.match.has_user) {
      const Pattern pattern = parse_pattern(route.match.user);
      row.users = pattern.star ? Users::affix : Users::exact;
      row.head = keep(pattern.head);
      row.tail = keep(pattern.tail);
    }
    rows_.push_back(row);
    actions_.push_back(route.action);
  }
}

RouteTable::Text RouteTable::keep(std::string_view text) {
  const Text kept{static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(text.size())};
  text_ += text;
  return kept;
}

bool RouteTable::method_matches(const Row& row, const RouteInput& request) const noexcept {
  if (row.any_method) return true;
  if (request.method != sip::Method::unknown) return row.methods >> static_cast<unsigned>(request.method) & 1;
  for (std::uint32_t i = 0; i < row.extensions; ++i) {
    if (text(extensions_[row.extensions_at + i]) == request.method_text) return true;
  }
  return false;
}

bool RouteTable::source_matches(const Row& row, const IpAddress& source) const noexcept {
  if (row.sources == 0) return true;
  for (std::uint32_t i = 0; i < row.sources; ++i) {
    if (sources_[row.sources_at + i].contains(source)) return true;
  }
  return false;
}

// One pass over the user, whatever the pattern: a long user costs its length and no more.
bool RouteTable::user_matches(const Row& row, std::string_view user) const noexcept {
  if (row.users == Users::any) return true;
  if (user.empty()) return false;  // a URI without a user is nobody, not even "*"
  Unescaped rest(user);
  for (const char c : text(row.head)) {
    if (rest.done() || rest.next() != c) return false;
  }
  if (row.users == Users::exact) return rest.done();
  const std::string_view tail = text(row.tail);
  if (tail.empty()) return true;
  const std::size_t size = unescaped_size(user);
  if (size < row.head.size + tail.size()) return false;
  for (std::size_t skip = size - row.head.size - tail.size(); skip > 0; --skip) rest.next();
  for (const char c : tail) {
    if (rest.next() != c) return false;
  }
  return true;
}

bool RouteTable::matches(const Row& row, const RouteInput& request) const noexcept {
  if (!method_matches(row, request)) return false;
  if (row.local_domain && !request.is_local_domain) return false;
  if (row.domain.size != 0) {
    std::string_view host = request.host;
    if (host.ends_with('.')) host.remove_suffix(1);
    if (!equal_any_case(text(row.domain), host)) return false;
  }
  return user_matches(row, request.user) && source_matches(row, request.source);
}

std::size_t RouteTable::find(const RouteInput& request) const noexcept {
  std::size_t i = 0;
  while (i < rows_.size() && !matches(rows_[i], request)) ++i;
  return i;
}

const Action& RouteTable::decide(const RouteInput& request) const noexcept {
  const std::size_t i = find(request);
  return i < actions_.size() ? actions_[i] : otherwise_;
}

}  // namespace ringweir::proxy
