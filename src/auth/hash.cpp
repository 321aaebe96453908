// The hash functions: libcrypto's low-level calls, the one file where their deprecation is accepted.
// PERF: nanoseconds for the 117 octets of a response (2 blocks, 11 pieces), one EPYC core, best of 7 x
// 200,000:
//   MD5      low-level 213   EVP with fetched EVP_MD and reused context 234   one-shot 251   (two blocks
//   alone: about 200) SHA-256  low-level 154   EVP 236   one-shot 370 SHA-512/256  low-level 357   EVP 405
// MD5 of up to two blocks, as every response with a short cnonce is, is laid out by hand, padding included
// (RFC 1321 3.1, 3.2), and given to MD5_Transform: 1,450 instructions instead of 2,080, of which 1,270 are
// the two blocks.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/md5.h>
#include <openssl/sha.h>

#include <array>
#include <bit>
#include <cstring>

#include "ringweir/auth/algorithm.h"

namespace ringweir::auth {
namespace {

// SHA-512/256 is SHA-512 from other initial values, cut to 256 bits (FIPS 180-4 5.3.6.2). The low-level
// interface has no call that sets them.
constexpr std::uint64_t kSha512256Start[8] = {0x22312194fc2bf72c, 0x9f555fa3c84c64c2, 0x2393b86b6f53b151,
                                              0x963877195940eabd, 0x96283ee2a88effe3, 0xbe5e1e2553863992,
                                              0x2b0199fc2c85b8aa, 0x0eb72ddc81c52ca2};

constexpr std::size_t kMd5BlockBytes = 64, kMd5LengthBytes = 8;
constexpr std::size_t kMd5ShortMax =
    2 * kMd5BlockBytes - kMd5LengthBytes - 1;  // one octet of padding at least

std::size_t size_of(std::initializer_list<std::string_view> pieces) noexcept {
  std::size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  return size;
}

void md5_short(std::initializer_list<std::string_view> pieces, std::size_t size, std::uint8_t* out) noexcept {
  alignas(64) std::array<unsigned char, 2 * kMd5BlockBytes> text;
  unsigned char* at = text.data();
  for (const std::string_view piece : pieces) {
    if (piece.size() == 1) {  // the colons
      *at++ = static_cast<unsigned char>(piece[0]);
    } else {
      std::memcpy(at, piece.data(), piece.size());
      at += piece.size();
    }
  }
  const std::size_t padded = size + kMd5LengthBytes < kMd5BlockBytes ? kMd5BlockBytes : text.size();
  *at++ = 0x80;
  std::memset(at, 0, static_cast<std::size_t>(text.data() + padded - at));
  const std::uint64_t bits = std::uint64_t{size} * 8;
  static_assert(std::endian::native == std::endian::little, "RFC 1321 counts from the low octet");
  std::memcpy(text.data() + padded - kMd5LengthBytes, &bits, sizeof bits);
  MD5_CTX context;
  context.A = 0x67452301;  // RFC 1321 3.3
  context.B = 0xefcdab89;
  context.C = 0x98badcfe;
  context.D = 0x10325476;
  MD5_Transform(&context, text.data());
  if (padded == text.size()) MD5_Transform(&context, text.data() + kMd5BlockBytes);
  const std::uint32_t words[4] = {context.A, context.B, context.C, context.D};
  std::memcpy(out, words, sizeof words);
}

}  // namespace

Digest hash(HashKind kind, std::initializer_list<std::string_view> pieces) noexcept {
  Digest digest;
  digest.size = static_cast<std::uint8_t>(digest_size(kind));
  switch (kind) {
    case HashKind::md5: {
      if (const std::size_t size = size_of(pieces); size <= kMd5ShortMax) [[likely]] {
        md5_short(pieces, size, digest.octets.data());
        break;
      }
      MD5_CTX context;
      MD5_Init(&context);
      for (const std::string_view piece : pieces) MD5_Update(&context, piece.data(), piece.size());
      MD5_Final(digest.octets.data(), &context);
      break;
    }
    case HashKind::sha256: {
      SHA256_CTX context;
      SHA256_Init(&context);
      for (const std::string_view piece : pieces) SHA256_Update(&context, piece.data(), piece.size());
      SHA256_Final(digest.octets.data(), &context);
      break;
    }
    case HashKind::sha512_256: {
      SHA512_CTX context;
      SHA512_Init(&context);
      std::memcpy(context.h, kSha512256Start, sizeof kSha512256Start);
      context.md_len = kDigestBytesMax;
      for (const std::string_view piece : pieces) SHA512_Update(&context, piece.data(), piece.size());
      SHA512_Final(digest.octets.data(), &context);
      break;
    }
  }
  return digest;
}

}  // namespace ringweir::auth
