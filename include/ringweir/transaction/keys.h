// What names a transaction: RFC 3261 17.1.3, 17.2.3 and 9.2 as 64 keyed bits.
//
// Why 64 keyed bits suffice and the fields are not compared again: with 400,000 transactions in a table a
// request of another transaction meets one by chance with probability 2^-45; at a million new requests a
// second that is one mistaken match in a year. The secret is drawn at start and never leaves the process, and
// neither does a hash, so that nobody can look for a pair of requests that collide except by sending them:
// 2^32 live transactions at once, ten thousand times the limit.
#pragma once
#include <cstdint>
#include <string_view>

#include "ringweir/base/hash.h"
#include "ringweir/sip/essentials.h"

namespace ringweir::transaction {

// No magic cookie in the top Via's branch, or nothing behind it (RFC 4475 3.2.1): RFC 2543's
// rules.
bool is_old_style(const sip::Via& top) noexcept;

// The server transaction that a request belongs to. `as` is the method whose transaction is looked for:
// invite for an INVITE, an ACK (17.2.3) and the INVITE that a CANCEL is for (9.2); for all others, the
// CANCEL's own transaction too, the request's.
// - with the magic cookie in the top Via's branch: branch, sent-by (the port that goes without saying filled
// in, the host in
//   any case), method;
// - without (RFC 2543): Request-URI, From tag, Call-ID, CSeq number, the top Via whole, method, and unless
// `as` is invite the
//   To tag. The To tag of an old-style INVITE is matched beside the key: see same_to_tag().
std::uint64_t server_key(const sip::Message& request, const sip::Essentials& read, sip::Method as,
                         const KeyedHash& hash) noexcept;

// The To tag, 0 when there is none. An INVITE again has the INVITE's; the ACK of an old-style one has the
// response's.
std::uint32_t to_tag_hash(const sip::NameAddr& to, const KeyedHash& hash) noexcept;
std::uint32_t tag_hash(std::string_view tag, const KeyedHash& hash) noexcept;  // of a tag that is there

// The client transaction: branch of the top Via and the CSeq method (17.1.3). A response's `read` gives both;
// whoever sends a request gives the branch it has written. `method_text` matters for an unknown method only.
std::uint64_t client_key(std::string_view branch, sip::Method method, std::string_view method_text,
                         const KeyedHash& hash) noexcept;
inline std::uint64_t client_key(const sip::Essentials& response, const KeyedHash& hash) noexcept {
  return client_key(response.via.branch, response.cseq.method, response.cseq.method_text, hash);
}

}  // namespace ringweir::transaction
