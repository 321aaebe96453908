// The Request-URI of what is forwarded (RFC 3261 16.4, 16.5, 16.6 step 2). Pure; a Writer without the room
// fails.
#pragma once
#include <cstdint>
#include <string_view>

#include "ringweir/base/writer.h"
#include "ringweir/sip/uri.h"

namespace ringweir::proxy {

// `strip` characters (an escape is one) taken from the front of the user, `prefix` put before what is left;
// all else as it is. false, and nothing written, when there is no user, it has fewer characters than `strip`,
// or nobody would be left.
bool write_edited_user(Writer& out, const sip::Uri& uri, std::uint8_t strip,
                       std::string_view prefix) noexcept;

// A Contact's or target's URI as a Request-URI: without header fields and the method parameter (19.1.1, table
// 1).
void write_as_request_uri(Writer& out, const sip::Uri& uri) noexcept;

// 16.4: without maddr, transport and port, when the maddr is ours.
void write_without_maddr(Writer& out, const sip::Uri& uri) noexcept;

}  // namespace ringweir::proxy
