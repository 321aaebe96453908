// What is wrong with a message, and where. RFC 3261 21.4.1: a 400 names what was malformed.
#pragma once
#include <cstdint>
#include <string_view>

#include "ringweir/base/result.h"

namespace ringweir::sip {

enum class Fault : std::uint8_t {
  none,
  start_line,          // neither a Request-Line nor a Status-Line
  version,             // well formed, but not SIP/2.0 (505)
  header_syntax,       // a header line without a name or a colon
  too_many_headers,    // limits::kHeadersMax
  header_too_long,     // limits::kHeaderLineBytesMax
  message_too_long,    // limits::kMessageBytesMax (513)
  content_length,      // not a number, negative, or larger than what arrived (datagram)
  no_content_length,   // required on a stream, RFC 3261 18.3
  missing_via, missing_from, missing_to, missing_call_id, missing_cseq, missing_max_forwards,
  bad_via, bad_from, bad_to, bad_call_id, bad_cseq, bad_max_forwards, bad_contact, bad_expires, bad_route, bad_uri,
  bad_authorization, bad_header,
  cseq_method,         // CSeq method differs from the request line's, RFC 3261 8.1.1.5
  duplicate_header,    // a single-instance header given twice, RFC 3261 7.3.1
  binary,              // a control octet where text must be
  truncated,           // a datagram that ends before the empty line
};

struct Error {
  Fault fault = Fault::none;
  std::uint32_t offset = 0;  // into the bytes that were given
};

template <class T>
using Result = ringweir::Result<T, Error>;

// A reason phrase for the 400, naming the header: "Bad CSeq", "Missing Call-ID". Static storage.
std::string_view reason(Fault fault) noexcept;

}  // namespace ringweir::sip
