#include "ringweir/auth/nonce.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "ringweir/base/check.h"
#include "ringweir/base/limits.h"

namespace ringweir::auth {
namespace {

constexpr std::size_t kBodyBytes = 12, kMacBytes = 9, kBytes = kBodyBytes + kMacBytes;
static_assert(kBytes * 4 == kNonceChars * 3, "no padding, so no two texts are one nonce");
static_assert(limits::kShardsMax <= 256, "the shard has one octet");

constexpr std::uint64_t kTimeMask = (std::uint64_t{1} << 40) - 1;
// Shards read the clock at slightly different moments; a nonce from further ahead means that the clock was
// set back.
constexpr std::int64_t kAheadMsMax = 1'000;

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint32_t kNotInAlphabet = 1u << 31;
// PERF: what each character is worth in each place of its group of four, so that a group is four loads and
// three ors.
constexpr std::array<std::array<std::uint32_t, 256>, 4> kValues = [] {
  std::array<std::array<std::uint32_t, 256>, 4> values{};
  for (std::size_t place = 0; place < 4; ++place) {
    values[place].fill(kNotInAlphabet);
    for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
      values[place][static_cast<unsigned char>(kAlphabet[i])] =
          static_cast<std::uint32_t>(i << (6 * (3 - place)));
    }
  }
  return values;
}();

using Bytes = std::array<std::uint8_t, kBytes>;

void encode(const Bytes& bytes, char* out) noexcept {
  for (std::size_t i = 0; i < kBytes; i += 3, out += 4) {
    const unsigned group = bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2];
    out[0] = kAlphabet[group >> 18];
    out[1] = kAlphabet[group >> 12 & 63];
    out[2] = kAlphabet[group >> 6 & 63];
    out[3] = kAlphabet[group & 63];
  }
}

bool decode(std::string_view text, Bytes& bytes) noexcept {
  std::uint32_t strange = 0;
  std::array<std::uint8_t, kBytes + 1>
      out;  // each group is written with one octet too many, which the next covers
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  for (std::size_t i = 0; i < kBytes; i += 3, at += 4) {
    const std::uint32_t group = kValues[0][at[0]] | kValues[1][at[1]] | kValues[2][at[2]] | kValues[3][at[3]];
    strange |= group;
    const std::uint32_t big_endian = __builtin_bswap32(group << 8);
    std::memcpy(out.data() + i, &big_endian, 4);
  }
  std::memcpy(bytes.data(), out.data(), kBytes);
  return (strange & kNotInAlphabet) == 0;
}

// The MAC's nine octets as one word and one octet.
struct Mac {
  std::uint64_t low;
  std::uint8_t high;
};

Mac mac_of(const Key128& key, const Bytes& bytes) noexcept {
  const Hash128 hash = siphash128(key, {reinterpret_cast<const char*>(bytes.data()), kBodyBytes});
  return {hash.low, static_cast<std::uint8_t>(hash.high)};
}

// How long after `b` is `a`, where only the low 40 bits are known.
std::int64_t difference_ms(std::uint64_t a, std::uint64_t b) noexcept {
  return static_cast<std::int64_t>((a - b) << 24) >> 24;
}

}  // namespace

NonceMint::NonceMint(const Key128& key, std::uint32_t shard, std::uint32_t shards, WallMs started_ms,
                     std::uint64_t process) noexcept
    : key_(key), started_ms_(started_ms), shard_(static_cast<std::uint8_t>(shard)), shards_(shards) {
  ringweir::check(shard < shards && shards <= limits::kShardsMax, "shard of a nonce mint");
  std::array<char, 20> run;
  std::memcpy(run.data(), &started_ms, 8);
  std::memcpy(run.data() + 8, &process, 8);
  std::memcpy(run.data() + 16, &shards, 4);
  process_ = static_cast<std::uint16_t>(siphash128(key, {run.data(), run.size()}).high);
}

void NonceMint::mint(WallMs now, char* out) noexcept {
  // A clock that was set back behind our start stands still, rather than making nonces that seem older than
  // the process.
  const std::uint64_t time = static_cast<std::uint64_t>(std::max(now, started_ms_)) & kTimeMask;
  Bytes bytes;
  const std::uint64_t head = time | std::uint64_t{process_} << 40 | std::uint64_t{shard_} << 56;
  std::memcpy(bytes.data(), &head, 8);
  std::memcpy(bytes.data() + 8, &count_, 4);
  ++count_;
  const Mac mac = mac_of(key_, bytes);
  std::memcpy(bytes.data() + kBodyBytes, &mac.low, 8);
  bytes[kBodyBytes + 8] = mac.high;
  encode(bytes, out);
}

NonceCheck NonceMint::check(std::string_view nonce, WallMs now, std::int64_t lifetime_ms) const noexcept {
  Bytes bytes;
  if (nonce.size() != kNonceChars || !decode(nonce, bytes)) return {NonceState::forged, {}};
  const Mac expected = mac_of(key_, bytes);
  std::uint64_t low, head;
  std::memcpy(&low, bytes.data() + kBodyBytes, 8);
  // One comparison of the whole: how far a guess is right does not show in the time.
  if (((low ^ expected.low) | static_cast<std::uint64_t>(bytes[kBodyBytes + 8] ^ expected.high)) != 0) {
    return {NonceState::forged, {}};
  }
  std::memcpy(&head, bytes.data(), 8);
  NonceId id;
  id.shard = static_cast<std::uint32_t>(head >> 56);
  std::memcpy(&id.count, bytes.data() + 8, 4);
  const std::uint64_t minted = head & kTimeMask;
  const std::int64_t age = difference_ms(static_cast<std::uint64_t>(std::max(now, started_ms_)), minted);
  const bool ours = static_cast<std::uint16_t>(head >> 40) == process_ && id.shard < shards_ &&
                    difference_ms(minted, static_cast<std::uint64_t>(started_ms_)) >= 0;
  const bool fresh = age <= lifetime_ms && age >= -kAheadMsMax;
  return {ours && fresh ? NonceState::valid : NonceState::stale, id};
}

}  // namespace ringweir::auth
