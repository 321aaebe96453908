// What every message must have to be answered or routed, each well formed and read once (RFC 3261 8.1.1, 8.2, 16.3 step 1).
#pragma once
#include "ringweir/sip/cseq.h"
#include "ringweir/sip/message.h"
#include "ringweir/sip/name_addr.h"
#include "ringweir/sip/via.h"

namespace ringweir::sip {

struct Essentials {
  Via via;  // the top one
  NameAddr from, to;
  CSeq cseq{};
};

// Via (every one), From, To, Call-ID and CSeq; the CSeq method equal to the request line's. Max-Forwards may be missing (16.3
// step 3), but not be nonsense. `out` holds what was read before the error.
Error validate_request(const Message& message, Essentials& out) noexcept;
// The same for a response.
Error validate_response(const Message& message, Essentials& out) noexcept;

// For who only asks whether.
inline Error validate_request(const Message& message) noexcept {
  Essentials read;
  return validate_request(message, read);
}
inline Error validate_response(const Message& message) noexcept {
  Essentials read;
  return validate_response(message, read);
}

}  // namespace ringweir::sip
