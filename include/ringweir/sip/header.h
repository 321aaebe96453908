// Header field names: long forms, compact forms (RFC 3261 7.3.3), any case.
#pragma once
#include <cstdint>
#include <string_view>

namespace ringweir::sip {

enum class HeaderId : std::uint8_t {
  other,  // kept as it is
  via, from, to, call_id, cseq, contact, max_forwards, expires, min_expires,
  authorization, proxy_authorization, www_authenticate, proxy_authenticate, authentication_info,
  content_length, content_type, content_encoding, route, record_route, require, proxy_require, supported, unsupported,
  allow, accept, user_agent, server, path, service_route, event, refer_to, referred_by, retry_after, date, warning,
  subject, timestamp, rack, rseq, session_expires, min_se, allow_events, max_breadth, identity,
  count_,
};
inline constexpr std::size_t kHeaderIds = static_cast<std::size_t>(HeaderId::count_);

HeaderId parse_header_name(std::string_view name) noexcept;
std::string_view to_string(HeaderId id) noexcept;          // canonical long form; "" for other
bool is_single_instance(HeaderId id) noexcept;             // may appear at most once (RFC 3261 7.3.1, table 2)

}  // namespace ringweir::sip
