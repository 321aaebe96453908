// The hash functions: libcrypto's low-level calls, the one file where their deprecation is accepted.
// PERF: nanoseconds for the 117 octets of a response (2 blocks, 11 pieces), one EPYC core, best of 7 x
// 200,000:
//   MD5      low-level 213   EVP with fetched EVP_MD and reused context 234   one-shot 251   (two blocks
//   alone: about 200) SHA-256  low-level 154   EVP 236   one-shot 370 SHA-512/256  low-level 357   EVP 405
// Copying the pieces into one buffer first gains nothing (MD5: 216 to 234).
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/md5.h>
#include <openssl/sha.h>

#include <cstring>

#include "ringweir/auth/algorithm.h"

namespace ringweir::auth {
namespace {

// SHA-512/256 is SHA-512 from other initial values, cut to 256 bits (FIPS 180-4 5.3.6.2). The low-level
// interface has no call that sets them.
constexpr std::uint64_t kSha512256Start[8] = {0x22312194fc2bf72c, 0x9f555fa3c84c64c2, 0x2393b86b6f53b151,
                                              0x963877195940eabd, 0x96283ee2a88effe3, 0xbe5e1e2553863992,
                                              0x2b0199fc2c85b8aa, 0x0eb72ddc81c52ca2};

}  // namespace

Digest hash(HashKind kind, std::initializer_list<std::string_view> pieces) noexcept {
  Digest digest;
  digest.size = static_cast<std::uint8_t>(digest_size(kind));
  switch (kind) {
    case HashKind::md5: {
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
