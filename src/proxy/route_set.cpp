#include "ringweir/proxy/route_set.h"

#include <optional>

#include "ringweir/proxy/record_route.h"
#include "ringweir/sip/name_addr.h"

namespace ringweir::proxy {
namespace {

constexpr std::uint16_t kDefaultPort = 5060;

bool equal_any_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

// The elements of all Route fields, one after the other.
class RouteWalk {
 public:
  struct Element {
    sip::NameAddr address;
    std::uint32_t begin, behind;  // `behind`: where the next element begins, or the end of this field's value
  };
  explicit RouteWalk(const sip::Message& request) noexcept : request_(request) {
    enter(request.first(sip::HeaderId::route));
  }
  // nullopt at the end, and where one cannot be read: failed() then.
  std::optional<Element> next() noexcept {
    while (field_ != nullptr && rest_.empty()) enter(request_.next(*field_));
    if (field_ == nullptr) return std::nullopt;
    const std::uint32_t begin = offset(rest_.data());
    const auto address = sip::parse_name_addr(rest_, rest_);
    failed_ = !address;
    if (failed_) return std::nullopt;
    const std::uint32_t behind =
        rest_.empty() ? field_->value_offset + field_->value_size : offset(rest_.data());
    return Element{*address, begin, behind};
  }
  bool failed() const noexcept { return failed_; }

 private:
  void enter(const sip::HeaderField* field) noexcept {
    field_ = field;
    rest_ = field ? request_.value(*field) : std::string_view{};
  }
  std::uint32_t offset(const char* at) const noexcept {
    return static_cast<std::uint32_t>(at - request_.bytes().data());
  }

  const sip::Message& request_;
  const sip::HeaderField* field_ = nullptr;
  std::string_view rest_;
  bool failed_ = false;
};

// 16.4, first step: a strict router before us sent the request to our own Record-Route and put its target
// last.
bool take_last_route(const sip::Message& request, RouteSet& set) noexcept {
  RouteWalk walk(request);
  std::optional<RouteWalk::Element> last;
  std::uint32_t end = 0;
  for (auto element = walk.next(); element; element = walk.next()) {
    if (last) {  // what is kept ends behind the text of the one before
      const char* const behind = last->address.text.data() + last->address.text.size();
      end = static_cast<std::uint32_t>(behind - request.bytes().data());
    }
    last = element;
  }
  if (walk.failed() || !last) return false;
  set.request_uri = last->address.uri;
  set.kept.end = end;
  return true;
}

// 16.4, second step: an address of ours chosen by maddr, and the very socket that it names.
bool has_our_maddr(const sip::Uri& uri, const sip::Via& via, const DomainSet& ours,
                   std::uint16_t received_port) noexcept {
  if (uri.parameters.empty()) return false;
  const auto maddr = sip::parameter(uri.parameters, "maddr");
  if (!maddr || !ours.is_local(*maddr, 0)) return false;
  const auto transport = sip::parameter(uri.parameters, "transport");
  return received_port == (uri.port == 0 ? kDefaultPort : uri.port) &&
         equal_any_case(transport.value_or("udp"), via.transport);
}

bool is_ours(const sip::Uri& uri, const DomainSet& ours) noexcept {
  if (uri.scheme != sip::Scheme::sip && uri.scheme != sip::Scheme::sips) return false;
  return ours.is_local(uri.host, uri.port);
}

// 16.4, last step: the Route that names us goes. Twice when we record-routed twice, which shows in the same
// token (RFC 5658); another of ours behind it is there because the request passed us twice, and is to pass us
// twice again.
void take_our_routes(const sip::Message& request, const DomainSet& ours, bool have_one,
                     RouteSet& set) noexcept {
  RouteWalk walk(request);
  auto element = walk.next();
  for (; element && element->begin < set.kept.end; element = walk.next()) {
    const auto uri = sip::parse_uri(element->address.uri);
    if (!uri) {
      set.fault = sip::Fault::bad_route;
      return;
    }
    const bool mine = is_ours(*uri, ours);
    const std::string_view token = mine ? route_token(uri->parameters) : std::string_view{};
    if (!mine || (have_one && token != set.token)) {
      set.next = element->address.uri;
      set.next_is_strict = !sip::parameter(uri->parameters, "lr");
      set.next_is_ours = mine;
      set.kept.begin = element->begin;
      set.behind_next = {element->behind, set.kept.end};
      return;
    }
    have_one = true;
    set.token = token;
    set.kept.begin = element->behind;
  }
  if (walk.failed()) set.fault = sip::Fault::bad_route;
}

}  // namespace

RouteSet read_route_set(const sip::Message& request, const sip::Essentials& read, const sip::Uri& uri,
                        const DomainSet& ours, std::uint16_t received_port) noexcept {
  RouteSet set;
  set.in_dialog = sip::tag(read.to).has_value();
  if (request.has(sip::HeaderId::route)) {
    const std::string_view token = is_ours(uri, ours) ? route_token(uri.parameters) : std::string_view{};
    if (!token.empty()) {
      if (!take_last_route(request, set)) {
        set.fault = sip::Fault::bad_route;
        return set;
      }
      set.token = token;
    }
    take_our_routes(request, ours, !token.empty(), set);
  }
  set.strip_maddr = set.request_uri.empty() && has_our_maddr(uri, read.via, ours, received_port);
  return set;
}

}  // namespace ringweir::proxy
