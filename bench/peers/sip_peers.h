// The same work done by other libraries, each in a translation unit of its own: their headers do not get on
// with each other. Each reads one message to the same result: request line URI, every Via, From, To, Call-ID,
// CSeq, Contact with its parameters, Max-Forwards, Expires, credentials, Content-Length. Each returns a
// number made from what it read, so that nothing is optimized away, or 0 when it failed.
#pragma once
#include <cstdint>
#include <string_view>

namespace ringweir::bench {

std::uint64_t read_with_osip2(std::string_view message);
std::uint64_t read_with_sofia(std::string_view message);
std::uint64_t read_with_re(std::string_view message);

}  // namespace ringweir::bench
