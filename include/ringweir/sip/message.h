// One message as a zero-copy view: parse() finds the start line and where each header field stands; values are read
// when asked for, by the productions beside this file (via.h, cseq.h, ...). The bytes must outlive the view.
// A Message is reused: parse() overwrites only what it needs. No allocation. One thread at a time.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "ringweir/base/limits.h"
#include "ringweir/sip/fault.h"
#include "ringweir/sip/header.h"
#include "ringweir/sip/method.h"

namespace ringweir::sip {

// `name` as sent; `value` without the white space around it. A folded value (RFC 3261 7.3.1) keeps its CRLF and
// blanks: every production treats them as LWS; unfold() copies one clean.
struct HeaderField {
  std::uint32_t name_offset, value_offset;
  std::uint32_t value_size;
  std::uint16_t name_size;
  HeaderId id;
  bool folded;
};

enum class Framing : std::uint8_t { datagram, stream };  // RFC 3261 18.3
enum class Completeness : std::uint8_t { complete, partial, error };

struct Parsed {
  Completeness completeness;
  Error error;            // when error
  std::uint32_t consumed; // when complete: octets of this message, body included
};

class Message {
 public:
  // An empty message. Written out so that `Message m{}` does not zero the header index.
  Message() noexcept { first_.fill(kNone); }

  bool is_request() const noexcept { return status_ == 0; }
  Method method() const noexcept { return method_; }               // a request's, else unknown
  std::string_view method_text() const noexcept { return method_text_; }
  std::string_view request_uri() const noexcept { return uri_; }
  std::uint16_t status() const noexcept { return status_; }        // 100..699, 0 for a request
  std::string_view reason_phrase() const noexcept { return uri_; } // of a response
  std::string_view bytes() const noexcept { return bytes_; }       // start line to the end of the body
  std::string_view body() const noexcept { return body_; }
  std::size_t header_count() const noexcept { return count_; }
  const HeaderField& header(std::size_t i) const noexcept { return headers_[i]; }

  std::string_view name(const HeaderField& f) const noexcept { return bytes_.substr(f.name_offset, f.name_size); }
  std::string_view value(const HeaderField& f) const noexcept { return bytes_.substr(f.value_offset, f.value_size); }
  // The first field of that name, or null. other is not indexed.
  const HeaderField* first(HeaderId id) const noexcept {
    const std::uint8_t at = first_[static_cast<std::size_t>(id)];
    return at == kNone ? nullptr : &headers_[at];
  }
  // The next field of the same name after `f`, or null.
  const HeaderField* next(const HeaderField& f) const noexcept;
  bool has(HeaderId id) const noexcept { return first(id) != nullptr; }
  std::string_view value(HeaderId id) const noexcept {  // empty when absent
    const HeaderField* f = first(id);
    return f ? value(*f) : std::string_view{};
  }

 private:
  friend class StructureParser;
  static constexpr std::uint8_t kNone = 0xff;
  std::string_view bytes_, method_text_, uri_, body_;
  std::uint32_t count_ = 0;
  std::uint16_t status_ = 0;
  Method method_ = Method::unknown;
  std::array<std::uint8_t, kHeaderIds> first_;
  std::array<HeaderField, limits::kHeadersMax> headers_;
};
static_assert(limits::kHeadersMax < 0xff);

// Structure only: start line, header index, Content-Length, body. Errors carry code and offset. A message with a version
// other than SIP/2.0 or a duplicate header is an error here, but `out` is filled as far as it goes, so that an answer
// (505, 400) can still be built from its Via, From, To, Call-ID and CSeq.
// CR and LF before the start line are skipped (RFC 3261 7.5) and count as consumed. A bare LF ends a line in a datagram,
// as hand-made messages have it; on a stream it is Fault::header_syntax, because two readers that disagree on line ends
// disagree on where a message ends. Control octets are Fault::binary unless a backslash quotes them (RFC 3261 25.1).
// On a stream the answer for a prefix is partial or the very error that the whole has; `out` is then unspecified.
Parsed parse(std::string_view bytes, Framing framing, Message& out) noexcept;

// Copies a folded value with each fold replaced by one space; returns the text in `out` (at most value.size() octets).
std::string_view unfold(std::string_view value, char* out) noexcept;

}  // namespace ringweir::sip
