// PERF: OpenSSL's low-level MD5 takes about 0.3 us for a response, EVP more than twice that on so short an
// input.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "digest.h"

#include <openssl/md5.h>

#include <initializer_list>

namespace ringweir::load {
namespace {

Hex32 md5_of(std::initializer_list<std::string_view> parts) noexcept {
  MD5_CTX context;
  MD5_Init(&context);
  for (const std::string_view part : parts) MD5_Update(&context, part.data(), part.size());
  std::array<unsigned char, MD5_DIGEST_LENGTH> bytes;
  MD5_Final(bytes.data(), &context);
  Hex32 hex;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    hex[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
    hex[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
  }
  return hex;
}

}  // namespace

Hex32 md5_hex(std::string_view text) noexcept {
  return md5_of({text});
}

Hex32 ha1(std::string_view user, std::string_view realm, std::string_view password) {
  return md5_of({user, ":", realm, ":", password});
}

Hex32 response_qop(const Hex32& ha1, std::string_view nonce, std::string_view nc, std::string_view cnonce,
                   const Hex32& ha2) noexcept {
  std::array<char, 512> text;  // one update: the nonce is at most kNonceBytesMax
  std::size_t size = 0;
  for (const std::string_view part : {view(ha1), std::string_view(":"), nonce, std::string_view(":"), nc,
                                      std::string_view(":"), cnonce, std::string_view(":auth:"), view(ha2)}) {
    part.copy(text.data() + size, part.size());
    size += part.size();
  }
  return md5_of({std::string_view(text.data(), size)});
}

Hex32 response_plain(const Hex32& ha1, std::string_view nonce, const Hex32& ha2) noexcept {
  return md5_of({view(ha1), ":", nonce, ":", view(ha2)});
}

}  // namespace ringweir::load
