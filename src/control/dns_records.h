// DNS answers as c-ares hands them over, read into our records. Used by the resolver alone.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "ringweir/control/name_book.h"

namespace ringweir::control {

inline constexpr std::size_t kRecordsMax = 64;  // read of one answer; the rest is dropped

// The lowest TTL of the answer section, in seconds; UINT32_MAX where there is none or the message is cut
// short.
std::uint32_t least_ttl(std::span<const unsigned char> message);
std::vector<NaptrRecord> read_naptr(std::span<const unsigned char> message);
std::vector<SrvRecord> read_srv(std::span<const unsigned char> message);

}  // namespace ringweir::control
