// The client's header field (RFC 7616 3.4, RFC 3261 22.4).
#include "ringweir/auth/digest.h"

namespace ringweir::auth {
namespace {

void quoted(Writer& out, std::string_view name, std::string_view text) noexcept {
  out.put(name);
  out.put("=\"");
  out.put(text);
  out.put('"');
}

// RFC 7616 3.4: nc is exactly eight hex digits.
std::array<char, 8> nonce_count(std::uint32_t nc) noexcept {
  std::array<char, 8> text;
  for (std::size_t i = 8; i-- > 0; nc >>= 4) text[i] = "0123456789abcdef"[nc & 15];
  return text;
}

}  // namespace

void write_authorization(Writer& out, bool proxy, const Answer& answer, const Digest& stored_ha1) noexcept {
  const std::array<char, 8> nc = nonce_count(answer.nc);
  const std::string_view nc_text{nc.data(), nc.size()};
  const ResponseInput input{answer.nonce, nc_text, answer.cnonce, answer.qop ? "auth" : ""};
  const Digest digest = response(answer.algorithm, stored_ha1, answer.method, answer.uri, input);
  char hex[kDigestHexMax];
  const std::size_t hex_size = to_hex(digest, hex);

  out.put(proxy ? "Proxy-Authorization: Digest username=\"" : "Authorization: Digest username=\"");
  put_escaped(out, answer.username);
  out.put('"');
  quoted(out, ", realm", answer.realm);
  quoted(out, ", nonce", answer.nonce);
  quoted(out, ", uri", answer.uri);
  quoted(out, ", response", {hex, hex_size});
  out.put(", algorithm=");
  out.put(to_string(answer.algorithm));
  if (answer.qop || is_session(answer.algorithm)) quoted(out, ", cnonce", answer.cnonce);
  if (answer.qop) {
    out.put(", qop=auth, nc=");
    out.put(nc_text);
  }
  if (!answer.opaque.empty()) quoted(out, ", opaque", answer.opaque);
  out.put("\r\n");
}

}  // namespace ringweir::auth
