#include "ringweir/sip/header.h"

#include "sip/header_names.h"

namespace ringweir::sip {

namespace {
// RFC 3261 table 2 and the RFCs of the extensions: a field that is not a comma list. Authorization and
// Proxy-Authorization are no lists either, yet may repeat, once for each realm (RFC 3261 7.3.1).
constexpr HeaderId kSingle[] = {HeaderId::from,
                                HeaderId::to,
                                HeaderId::call_id,
                                HeaderId::cseq,
                                HeaderId::max_forwards,
                                HeaderId::expires,
                                HeaderId::min_expires,
                                HeaderId::content_length,
                                HeaderId::content_type,
                                HeaderId::user_agent,
                                HeaderId::server,
                                HeaderId::event,
                                HeaderId::refer_to,
                                HeaderId::referred_by,
                                HeaderId::retry_after,
                                HeaderId::date,
                                HeaderId::subject,
                                HeaderId::timestamp,
                                HeaderId::rack,
                                HeaderId::rseq,
                                HeaderId::session_expires,
                                HeaderId::min_se,
                                HeaderId::max_breadth,
                                HeaderId::authentication_info};
static_assert(kHeaderIds <= 64);
constexpr std::uint64_t kSingleSet = [] {
  std::uint64_t set = 0;
  for (HeaderId id : kSingle) set |= 1ull << static_cast<unsigned>(id);
  return set;
}();
}  // namespace

HeaderId parse_header_name(std::string_view name) noexcept {
  return parse_known_name(name.data(), name.size());
}

std::string_view to_string(HeaderId id) noexcept {
  return detail::kHeaderNames[static_cast<std::size_t>(id)];
}

bool is_single_instance(HeaderId id) noexcept {
  return kSingleSet >> static_cast<unsigned>(id) & 1;
}

}  // namespace ringweir::sip
