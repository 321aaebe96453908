// RFC 3261 16.3 with RFC 5393: may this request be proxied at all? Pure; any thread.
#pragma once
#include <cstdint>

#include "ringweir/base/hash.h"
#include "ringweir/base/writer.h"
#include "ringweir/proxy/domain_set.h"
#include "ringweir/sip/essentials.h"
#include "ringweir/sip/message.h"
#include "ringweir/sip/uri.h"

namespace ringweir::proxy {

inline constexpr std::uint32_t kMaxBreadthDefault = 60;  // RFC 5393 5.3.3

struct RequestCheck {
  // 0: it may. 400, 416, 420 (the response lists unsupported_options in Unsupported), 440, 482, 483.
  std::uint16_t status = 0;
  sip::Fault fault = sip::Fault::none;  // of a 400
  std::uint8_t max_forwards = 70;       // as received, 70 where there is none
  std::uint32_t max_breadth = 0;  // branches may use no more together: as received, at most the policy's
  std::uint32_t loop = 0;         // loop_hash(), for the branches of what is forwarded
};

// Step 1, reasonable syntax, has been done: `read` is what sip::validate_request read, `uri` the Request-URI,
// parsed. Step 6, authentication, is the caller's. `max_breadth` is the policy's: the default and the most. A
// 483 to an OPTIONS may instead be answered by the edge itself (16.3 step 3). Nothing is answered to an ACK,
// whatever the status.
RequestCheck check_request(const sip::Message& request, const sip::Essentials& read, const sip::Uri& uri,
                           const DomainSet& ours, const KeyedHash& hash,
                           std::uint32_t max_breadth = kMaxBreadthDefault) noexcept;

// RFC 5393 5.3.3: what each of `branches` requests forwarded at once gets of `max_breadth`; 0: too little,
// answer 440. A serial search reuses what a branch that has ended gave back.
constexpr std::uint32_t breadth_of_each(std::uint32_t max_breadth, std::uint32_t branches) noexcept {
  return branches == 0 ? max_breadth : max_breadth / branches;
}

// The value of Unsupported for a 420: every option-tag of every Proxy-Require (16.3 step 5), as we know none.
void write_unsupported(Writer& out, const sip::Message& request) noexcept;

}  // namespace ringweir::proxy
