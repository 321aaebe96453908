#include "ringweir/base/hash.h"

#include <bit>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "ringweir/base/random.h"

namespace ringweir {
namespace {

struct SipState {
  std::uint64_t v0, v1, v2, v3;
  void round() noexcept {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void absorb(std::uint64_t word) noexcept {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
  std::uint64_t finish() noexcept {
    for (int i = 0; i < 4; ++i) round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

}  // namespace

Hash128 siphash128(const Key128& key, std::string_view bytes) noexcept {
  SipState s{key[0] ^ 0x736f6d6570736575ull, key[1] ^ 0x646f72616e646f6dull ^ 0xee, key[0] ^ 0x6c7967656e657261ull,
             key[1] ^ 0x7465646279746573ull};
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + at, 8);
    s.absorb(word);
  }
  std::uint64_t last = static_cast<std::uint64_t>(bytes.size()) << 56;
  unsigned shift = 0;
  if (bytes.size() - at >= 4) {  // what a nonce leaves
    std::uint32_t word;
    std::memcpy(&word, bytes.data() + at, 4);
    last |= word;
    at += 4;
    shift = 32;
  }
  for (; at < bytes.size(); ++at, shift += 8) {
    last |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[at])) << shift;
  }
  s.absorb(last);
  s.v2 ^= 0xee;
  const std::uint64_t low = s.finish();
  s.v1 ^= 0xdd;
  return {low, s.finish()};
}

KeyedHash::KeyedHash(const Key128& key) noexcept {
  Random words(key[0] ^ std::rotl(key[1], 32));
  for (std::size_t i = 0; i < secret_.size(); i += 8) {
    const std::uint64_t word = words.next() ^ ((i & 8) ? key[1] : key[0]);
    std::memcpy(secret_.data() + i, &word, 8);
  }
}

std::uint64_t KeyedHash::operator()(std::string_view bytes) const noexcept {
  return XXH3_64bits_withSecret(bytes.data(), bytes.size(), secret_.data(), secret_.size());
}

}  // namespace ringweir
