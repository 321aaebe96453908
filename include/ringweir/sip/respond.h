// Building a response from the request it answers (RFC 3261 8.2.6, 18.2.1, RFC 3581 4).
#pragma once
#include <cstdint>
#include <string_view>

#include "ringweir/base/address.h"
#include "ringweir/base/writer.h"
#include "ringweir/sip/essentials.h"
#include "ringweir/sip/message.h"
#include "ringweir/sip/via.h"

namespace ringweir::sip {

std::string_view reason_phrase(std::uint16_t status) noexcept;  // RFC 3261 21 and IANA; "Unknown" otherwise

// Status line, every Via in order (the top one with received and rport filled in from `source`), From, To (with `to_tag`
// where it has none and the status is not 100), Call-ID, CSeq, Timestamp where a 100 needs it.
// What is missing in the request is left out, and so is a top Via that cannot be read; other malformed values go back as
// they came (they hold no line end): a 400 answers what it can. Folded values are unfolded.
// The writer needs room for the worst case, about 300 octets more than the pieces, or nothing is written and it fails.
// The caller adds its own header fields, then calls end_message().
void begin_response(Writer& out, const Message& request, std::uint16_t status, std::string_view reason,
                    std::string_view to_tag, const Endpoint& source) noexcept;
// The same for a request that was validated: what was read once is not read again.
void begin_response(Writer& out, const Message& request, const Essentials& read, std::uint16_t status,
                    std::string_view reason, std::string_view to_tag, const Endpoint& source) noexcept;

// "Content-Length: n", the empty line and the body.
void end_message(Writer& out, std::string_view content_type = {}, std::string_view body = {}) noexcept;

// Where the response goes over UDP (RFC 3261 18.2.2, RFC 3581 4): the source address; its port when rport was asked for,
// else the port of sent-by (5060 when none). maddr is honoured only for a multicast-free address equal to the source.
Endpoint response_target(const Via& top, const Endpoint& source) noexcept;

}  // namespace ringweir::sip
