// The digest computation (RFC 7616 3.4.1 to 3.4.3, RFC 2069 2.1.2), forward, for both sides. Pure; any
// thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "ringweir/auth/algorithm.h"
#include "ringweir/base/writer.h"
#include "ringweir/sip/credentials.h"

namespace ringweir::auth {

// What the response is computed from besides HA1 and HA2: texts as between the quotes on the wire.
struct ResponseInput {
  std::string_view nonce, nc, cnonce;
  std::string_view qop;  // "auth", as sent; empty: the old form of RFC 2069, without nc and cnonce
};

// H(username:realm:password): what a user is stored as. Texts without quotes and escapes.
Digest ha1(HashKind kind, std::string_view username, std::string_view realm,
           std::string_view password) noexcept;
// The HA1 to compute with: `stored` itself, or for a -sess algorithm H(stored:nonce:cnonce) (RFC 7616 3.4.2).
Digest session_ha1(Algorithm algorithm, const Digest& stored, std::string_view nonce,
                   std::string_view cnonce) noexcept;
// H(method:uri), for qop=auth and for none (RFC 7616 3.4.3).
Digest ha2(HashKind kind, std::string_view method, std::string_view uri) noexcept;
// From HA1 (session_ha1() already applied) and HA2.
Digest response(HashKind kind, const Digest& ha1, const Digest& ha2, const ResponseInput& input) noexcept;
// All of it, from a stored HA1.
Digest response(Algorithm algorithm, const Digest& stored_ha1, std::string_view method, std::string_view uri,
                const ResponseInput& input) noexcept;

// The same time whatever differs. Sizes are public.
bool equal_in_constant_time(const Digest& a, const Digest& b) noexcept;

// A quoted-string's content with its backslash escapes taken away (RFC 3261 25.1 quoted-pair). A text without
// any is returned as it is, nothing copied. nullopt when it does not fit or ends in a lone backslash.
std::optional<std::string_view> unescape(std::string_view text, char* out, std::size_t capacity) noexcept;
// The other way: backslashes before '"' and '\'.
void put_escaped(Writer& out, std::string_view text) noexcept;

// `digest explain`: every step as text.
struct Steps {
  Algorithm algorithm;
  std::string a1;          // username:realm:password (empty when only an HA1 was given)
  std::string stored_ha1;  // its hash
  std::string session_a1;  // -sess only: HA1:nonce:cnonce
  std::string ha1;         // what the response uses; equal to stored_ha1 without -sess
  std::string a2, ha2;
  std::string response_input;  // HA1:nonce:nc:cnonce:qop:HA2, or HA1:nonce:HA2
  std::string response;
  bool matches;  // the response that was sent
};
struct Password {
  std::string_view text;
};
using Secret = std::variant<Password, Digest>;  // a password, or a stored HA1
// nullopt for an algorithm we do not know, or an HA1 of another size. Cold: allocates.
std::optional<Steps> explain(const sip::DigestCredentials& credentials, std::string_view method,
                             const Secret& secret);

// The client's side: one Authorization or Proxy-Authorization header field, with its CRLF.
struct Answer {
  std::string_view username;              // plain; escaped when written
  std::string_view realm, nonce, opaque;  // as in the challenge, escapes kept; an empty opaque is left out
  std::string_view method, uri;
  Algorithm algorithm = Algorithm::md5;
  bool qop = true;  // false: the form of RFC 2069
  std::uint32_t nc = 1;
  std::string_view cnonce;  // a token of the caller's; needed with qop and with -sess
};
void write_authorization(Writer& out, bool proxy, const Answer& answer, const Digest& stored_ha1) noexcept;

}  // namespace ringweir::auth
