// The text of a message that is passed on (RFC 3261 16.6, 16.7, 16.11; RFC 3581; RFC 5393): what is edited is
// written, all else is copied octet for octet in its order, in one pass. Messages must have been parsed and
// validated (essentials.h). A writer needs room for the worst case, about 300 octets more than the pieces, or
// nothing is written and it fails. No allocation; any thread.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "ringweir/base/address.h"
#include "ringweir/base/limits.h"
#include "ringweir/base/writer.h"
#include "ringweir/sip/essentials.h"
#include "ringweir/sip/message.h"

namespace ringweir::sip {

// Header fields of one message, by their place in it.
class FieldSet {
 public:
  void add(const Message& message, const HeaderField& field) noexcept {
    const auto at = static_cast<std::size_t>(&field - &message.header(0));
    bits_[at / 64] |= std::uint64_t{1} << at % 64;
  }
  bool has(std::size_t at) const noexcept { return bits_[at / 64] >> at % 64 & 1; }
  bool empty() const noexcept { return (bits_[0] | bits_[1]) == 0; }

 private:
  static_assert(limits::kHeadersMax <= 128);
  std::array<std::uint64_t, 2> bits_{};
};

// Of the Route elements received those remain that stand in [begin, end), offsets into message.bytes(). Both
// lie between elements: begin at the first octet of one, end behind the last octet of one. As it is made it
// keeps all.
struct RouteSpan {
  std::uint32_t begin = 0;
  std::uint32_t end = ~0u;
};
// Without the first `count` elements; all of them gone when there are fewer. A value that cannot be read is
// kept.
RouteSpan routes_behind(const Message& message, std::size_t count) noexcept;

// What a Writer needs beyond the message and the texts of its edits; half of it is for the carriage returns that a message of bare line
// feeds gets.
inline constexpr std::size_t kForwardingRoom = 512;

inline constexpr std::uint8_t kMaxForwardsDefault = 70;  // RFC 3261 16.6 step 3

// Texts are element values without a name or line end, hold no CR or LF, and must outlive the call. Empty: no
// such edit.
struct RequestEdits {
  std::string_view request_uri;   // instead of the one received (16.6 step 2)
  std::string_view via;           // ours, put on top: "SIP/2.0/UDP host:port;branch=..." (16.6 step 8)
  Endpoint source;                // completes the Via received on top: received, rport (18.2.1, RFC 3581 4)
  std::uint32_t max_breadth = 0;  // set, or added where there is none (RFC 5393 5.3.3); 0: as received
  RouteSpan routes;               // what remains of the Route elements received (16.4, 16.6 step 6)
  std::array<std::string_view, 2> record_routes;  // put in front of those received, [0] topmost (16.6 step 4)
  std::string_view route;                         // put in front of what remains (16.6 step 6)
  std::string_view
      last_route;    // put behind what remains: a strict router gets the Request-URI here (16.6 step 6)
  FieldSet removed;  // header fields left out whole: credentials meant for us (22.3)
};

// The request as it goes on. Max-Forwards is one less than received, or 70 (16.6 step 3); Content-Length is
// added where there is none. Line ends become CRLF, folds are kept. `read` is what validate_request read from
// `request`.
void write_request(Writer& out, const Message& request, const Essentials& read,
                   const RequestEdits& edits) noexcept;

// The response as it goes on: without its top Via (16.7 step 3), which the caller has found to be ours.
// `more_lines` are header lines without line ends, added behind all others: challenges of the other branches
// (16.7 step 7).
void write_response(Writer& out, const Message& response, const Essentials& read,
                    std::span<const std::string_view> more_lines = {}) noexcept;

// One header field as a line without its line end, for `more_lines`; a fold is kept.
std::string_view line(const Message& message, const HeaderField& field) noexcept;

// The ACK to a final response other than 2xx, from the INVITE as it was sent (17.1.1.3): its Request-URI, top
// Via, Route fields, From, Call-ID and CSeq number; To as the response has it.
void write_ack(Writer& out, const Message& invite, std::string_view response_to) noexcept;
// The CANCEL of an INVITE as it was sent (9.1). Also right for other methods where somebody insists.
void write_cancel(Writer& out, const Message& invite) noexcept;

// The Via under the top one, which tells where a response goes once ours is taken off; nullopt when there is
// none, and the response is for us.
std::optional<Via> via_below(const Message& message, const Essentials& read) noexcept;
inline bool has_via_below(const Message& message, const Essentials& read) noexcept {
  const HeaderField* field = message.first(HeaderId::via);
  return field != nullptr && (message.next(*field) != nullptr || message.value(*field).size() != read.via.text.size());
}
// Where a response goes by its Via alone (18.2.2, RFC 3581 4): received, else the sent-by address; its port
// rport, else that of sent-by, else 5060. maddr is not followed. nullopt when sent-by is a name and nobody
// said what it was received from; a Via that write_request completed never is.
std::optional<Endpoint> response_destination(const Via& via) noexcept;

}  // namespace ringweir::sip
