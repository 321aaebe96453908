// The registrar (RFC 3261 section 10.3), steps 5 to 8: what an authenticated REGISTER does to the bindings.
// Steps 1 to 4 (domain, Require, authentication, authorisation) are asked by the caller, in that order, through edge.h's
// decision. Pure: bytes, state and now in, an outcome out. One a shard, on the shard's thread.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "ringweir/base/address.h"
#include "ringweir/base/time.h"
#include "ringweir/base/writer.h"
#include "ringweir/location/directory.h"
#include "ringweir/location/registrations.h"
#include "ringweir/sip/message.h"
#include "ringweir/sip/name_addr.h"

namespace ringweir::registrar {

struct Policy {
  std::uint32_t min_expires_s = 60;
  std::uint32_t default_expires_s = 3600;
  std::uint32_t max_expires_s = 7200;
  std::uint32_t contacts_max = 10;
};

struct Request {
  const sip::Message& message;
  std::string_view aor;      // canonical, see sip::canonical_aor
  std::uint64_t aor_hash;
  std::string_view call_id;
  std::uint32_t cseq;
  Endpoint source;
  std::uint16_t socket;
  Instant now;
};

enum class Result : std::uint8_t {
  updated,             // 200, bindings changed or refreshed
  queried,             // 200, no Contact in the request
  bad_contact,         // 400
  bad_wildcard,        // 400: "*" beside another Contact, or without Expires: 0 (10.3 step 6)
  interval_too_brief,  // 423 with Min-Expires
  out_of_order,        // 500: an older CSeq of this Call-ID (10.3 steps 6 and 7)
  too_many_contacts,   // 403
  too_long,            // 513: a Contact, Call-ID or AOR longer than we keep
  no_memory,           // 503
};
inline constexpr std::size_t kResults = 9;

struct Outcome {
  Result result;
  const location::BindingSet* bindings = nullptr;  // may be null (none left); valid until the thread's next quiescent state
};

class Registrar {
 public:
  Registrar(location::Directory& directory, location::Registrations& registrations) noexcept
      : directory_(directory), registrations_(registrations) {}

  Outcome handle(const Request& request, const Policy& policy) noexcept;
  // The bindings as they stand, for a query or a retransmission.
  const location::BindingSet* bindings(std::string_view aor, std::uint64_t aor_hash) const noexcept;

 private:
  // The contacts of one REGISTER, read whole before anything changes (10.3 step 7: all or none). Kept between requests:
  // PERF: constructing it anew would clear 8 KiB each time.
  struct Asked {
    std::array<location::ContactUpdate, limits::kContactsPerRequestMax> updates;
    std::size_t count = 0;
    bool star = false;
    bool too_many = false;
    std::array<char, 4 * limits::kContactBytesMax> texts;  // contacts that cannot be kept as they stand in the message
    std::size_t texts_size = 0;
  };
  static std::optional<std::string_view> kept_text(const sip::Contact& contact, Asked& asked) noexcept;
  static bool read_contacts(const sip::Message& message, Asked& asked) noexcept;
  static bool settle_intervals(Asked& asked, std::optional<std::uint32_t> header, const Policy& policy) noexcept;

  Asked asked_;
  location::Directory& directory_;
  location::Registrations& registrations_;
};

// The status and reason that answer a result.
std::uint16_t status(Result result) noexcept;
std::string_view reason(Result result) noexcept;

// One Contact header field per binding alive at `now`, with every parameter the phone sent and the seconds it has left
// (10.3 step 8).
void write_contacts(Writer& out, const location::BindingSet* bindings, Instant now) noexcept;

}  // namespace ringweir::registrar
