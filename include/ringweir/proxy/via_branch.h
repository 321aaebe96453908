// The branches that we put into Via (RFC 3261 8.1.1.7, 16.6 step 8, 16.11; RFC 5393 4.2). All text is
// base64url behind the magic cookie and one letter: 'f' stateful, 'l' stateless; no two texts are one branch.
// Pure; any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "ringweir/base/address.h"
#include "ringweir/base/hash.h"
#include "ringweir/sip/essentials.h"
#include "ringweir/sip/message.h"
#include "ringweir/sip/via.h"

namespace ringweir::proxy {

enum class BranchKind : std::uint8_t { foreign, stateful, stateless };

inline constexpr std::string_view kMagicCookie = "z9hG4bK";
inline constexpr std::size_t kStatefulBranchChars = 36;
inline constexpr std::size_t kStatelessBranchChars = 24;
inline constexpr std::size_t kBranchCharsMax = kStatefulBranchChars;

// By length and letters alone: what it says is not yet believed.
constexpr BranchKind kind_of(std::string_view branch) noexcept {
  if (branch.size() == kStatefulBranchChars && branch.starts_with(kMagicCookie) && branch[7] == 'f') {
    return BranchKind::stateful;
  }
  if (branch.size() == kStatelessBranchChars && branch.starts_with(kMagicCookie) && branch[7] == 'l') {
    return BranchKind::stateless;
  }
  return BranchKind::foreign;
}

// Names a client transaction. `tag` is random and kept in the transaction: a slot is believed only when it
// and the generation are the same there.
struct StatefulBranch {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  std::uint8_t shard = 0;
  std::uint32_t loop = 0;  // loop_hash() of the request that was forwarded
  std::uint64_t tag = 0;
  friend bool operator==(const StatefulBranch&, const StatefulBranch&) = default;
};
// `out` has room for kStatefulBranchChars; the text is in it.
std::string_view write_branch(const StatefulBranch& branch, char* out) noexcept;
std::optional<StatefulBranch> parse_stateful_branch(std::string_view text) noexcept;

// Proves that we forwarded the request that a response belongs to, and whom its answer is for, without any
// state.
struct StatelessBranch {
  std::uint32_t loop = 0;
  std::uint64_t mac = 0;
  friend bool operator==(const StatelessBranch&, const StatelessBranch&) = default;
};
std::string_view write_branch(const StatelessBranch& branch,
                              char* out) noexcept;  // room for kStatelessBranchChars
std::optional<StatelessBranch> parse_stateless_branch(std::string_view text) noexcept;

// RFC 3261 16.11. The same for a retransmission, a CANCEL and the ACK to a non-2xx, which share with the
// request its top branch (or, before RFC 3261, its sent-by and From tag), Call-ID, CSeq number, Request-URI
// and Route. `back` is where responses will go: sip::response_target of the Via received on top and its
// source.
StatelessBranch stateless_branch(const Key128& key, const sip::Message& request, const sip::Essentials& read,
                                 const Endpoint& back, std::uint32_t loop) noexcept;
// Whether a response with our branch on top may go to `back`, which sip::response_destination read from
// `below`, the Via under ours. Constant time in the MAC.
bool verify_stateless_branch(const Key128& key, std::string_view branch, const sip::Message& response,
                             const sip::Essentials& read, const sip::Via& below,
                             const Endpoint& back) noexcept;

// RFC 5393 4.2: changes with all that routing depends on and with nothing else: Request-URI, Route, Call-ID,
// From tag and CSeq number as received. Not with Via, Max-Forwards, the To tag (an ACK differs in it) or
// credentials.
std::uint32_t loop_hash(const KeyedHash& hash, const sip::Message& request,
                        const sip::Essentials& read) noexcept;
// The loop hash in a branch of either kind; nullopt for a foreign one.
std::optional<std::uint32_t> loop_hash_in(std::string_view branch) noexcept;

}  // namespace ringweir::proxy
