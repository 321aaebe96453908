// Digest credentials as they stand in Authorization and Proxy-Authorization (RFC 7616 3.4, RFC 3261 25.1).
#pragma once
#include <cstdint>
#include <string_view>

#include "ringweir/sip/fault.h"

namespace ringweir::sip {

// Every member is the text between the quotes (escapes kept), or the token; empty when absent.
struct DigestCredentials {
  std::string_view username, realm, nonce, uri, response, algorithm, cnonce, opaque, qop, nc;
  bool userhash = false;
};

// The value of one Authorization header. A scheme other than Digest is Fault::bad_authorization at offset 0.
// A parameter given twice is an error.
Result<DigestCredentials> parse_digest_credentials(std::string_view value) noexcept;

// Challenges have the same shape; used by clients of ours (load source, `digest explain`).
struct DigestChallenge {
  std::string_view realm, nonce, algorithm, opaque, qop, domain;
  bool stale = false;
};
Result<DigestChallenge> parse_digest_challenge(std::string_view value) noexcept;

}  // namespace ringweir::sip
