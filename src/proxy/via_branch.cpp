#include "ringweir/proxy/via_branch.h"

#include <bit>
#include <cstring>

#include "proxy/base64url.h"
#include "proxy/signed_text.h"
#include "ringweir/base/limits.h"
#include "ringweir/sip/name_addr.h"

namespace ringweir::proxy {
namespace {

constexpr std::size_t kPrefixChars = kMagicCookie.size() + 1;
constexpr std::size_t kStatefulBytes = 4 + 4 + 1 + 4 + 8;  // slot, generation, shard, loop, tag
constexpr std::size_t kStatelessBytes = 4 + 8;             // loop, MAC
static_assert(kPrefixChars + base64url_chars(kStatefulBytes) == kStatefulBranchChars);
static_assert(kPrefixChars + base64url_chars(kStatelessBytes) == kStatelessBranchChars);
static_assert(limits::kShardsMax <= 256, "the shard has one octet");

// Numbers in the order of this machine: a branch comes back to the process, or to a twin of the same build.
static_assert(std::endian::native == std::endian::little);
template <class Number>
std::uint8_t* put(std::uint8_t* at, Number n) noexcept {
  std::memcpy(at, &n, sizeof n);
  return at + sizeof n;
}
template <class Number>
const std::uint8_t* take(const std::uint8_t* at, Number& n) noexcept {
  std::memcpy(&n, at, sizeof n);
  return at + sizeof n;
}

std::string_view write(char letter, const std::uint8_t* bytes, std::size_t size, char* out) noexcept {
  std::memcpy(out, kMagicCookie.data(), kMagicCookie.size());
  out[kMagicCookie.size()] = letter;
  char* const end = encode_base64url(bytes, size, out + kPrefixChars);
  return {out, static_cast<std::size_t>(end - out)};
}

// A branch with the cookie is unique by itself (RFC 3261 8.1.1.7); before it, sent-by, From tag, Call-ID and
// CSeq number are what tells transactions apart (17.2.3). `back` is signed because it is what a liar would
// want to choose.
std::uint64_t stateless_mac(const Key128& key, const sip::Via& via, const sip::Message& message,
                            const sip::Essentials& read, const Endpoint& back, std::uint32_t loop) noexcept {
  SignedText text(key);
  std::array<std::uint8_t, 4 + 4 + 2 + 2 + 16> numbers{};
  std::uint8_t* at = put(numbers.data(), loop);
  at = put(at, read.cseq.number);
  at = put(at, back.port);
  at = put(at, via.port);
  std::memcpy(at, back.ip.octets.data(), back.ip.octets.size());
  text.add({reinterpret_cast<const char*>(numbers.data()), numbers.size()});
  text.add(message.value(sip::HeaderId::call_id));
  text.add(via.branch);
  if (!via.has_magic_cookie()) {
    text.add(via.host);
    text.add(sip::tag(read.from).value_or(std::string_view{}));
  }
  return text.mac();
}

}  // namespace

std::string_view write_branch(const StatefulBranch& branch, char* out) noexcept {
  std::array<std::uint8_t, kStatefulBytes> bytes;
  std::uint8_t* at = put(bytes.data(), branch.slot);
  at = put(at, branch.generation);
  at = put(at, branch.shard);
  at = put(at, branch.loop);
  put(at, branch.tag);
  return write('f', bytes.data(), bytes.size(), out);
}

std::optional<StatefulBranch> parse_stateful_branch(std::string_view text) noexcept {
  std::array<std::uint8_t, kStatefulBytes> bytes;
  if (kind_of(text) != BranchKind::stateful) return std::nullopt;
  if (!decode_base64url(text.substr(kPrefixChars), bytes.data(), bytes.size())) return std::nullopt;
  StatefulBranch branch;
  const std::uint8_t* at = take(bytes.data(), branch.slot);
  at = take(at, branch.generation);
  at = take(at, branch.shard);
  at = take(at, branch.loop);
  take(at, branch.tag);
  return branch;
}

std::string_view write_branch(const StatelessBranch& branch, char* out) noexcept {
  std::array<std::uint8_t, kStatelessBytes> bytes;
  put(put(bytes.data(), branch.loop), branch.mac);
  return write('l', bytes.data(), bytes.size(), out);
}

std::optional<StatelessBranch> parse_stateless_branch(std::string_view text) noexcept {
  std::array<std::uint8_t, kStatelessBytes> bytes;
  if (kind_of(text) != BranchKind::stateless) return std::nullopt;
  if (!decode_base64url(text.substr(kPrefixChars), bytes.data(), bytes.size())) return std::nullopt;
  StatelessBranch branch;
  take(take(bytes.data(), branch.loop), branch.mac);
  return branch;
}

StatelessBranch stateless_branch(const Key128& key, const sip::Message& request, const sip::Essentials& read,
                                 const Endpoint& back, std::uint32_t loop) noexcept {
  return {loop, stateless_mac(key, read.via, request, read, back, loop)};
}

bool verify_stateless_branch(const Key128& key, std::string_view branch, const sip::Message& response,
                             const sip::Essentials& read, const sip::Via& below,
                             const Endpoint& back) noexcept {
  const auto claimed = parse_stateless_branch(branch);
  return claimed && claimed->mac == stateless_mac(key, below, response, read, back, claimed->loop);
}

std::uint32_t loop_hash(const KeyedHash& hash, const sip::Message& request,
                        const sip::Essentials& read) noexcept {
  std::uint64_t sum = read.cseq.number;
  const auto add = [&](std::string_view text) {
    sum = (std::rotl(sum, 23) ^ hash(text)) * 0x9e3779b97f4a7c15ull;
  };
  add(request.request_uri());
  add(request.value(sip::HeaderId::call_id));
  add(sip::tag(read.from).value_or(std::string_view{}));
  for (const auto* route = request.first(sip::HeaderId::route); route; route = request.next(*route)) {
    add(request.value(*route));
  }
  return static_cast<std::uint32_t>(sum >> 32);
}

std::optional<std::uint32_t> loop_hash_in(std::string_view branch) noexcept {
  if (const auto stateful = parse_stateful_branch(branch)) return stateful->loop;
  if (const auto stateless = parse_stateless_branch(branch)) return stateless->loop;
  return std::nullopt;
}

}  // namespace ringweir::proxy
