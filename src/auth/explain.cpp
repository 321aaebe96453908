#include <vector>

#include "ringweir/auth/digest.h"

namespace ringweir::auth {
namespace {

std::string hex(const Digest& digest) {
  std::string text(2u * digest.size, '\0');
  to_hex(digest, text.data());
  return text;
}

std::string plain(std::string_view quoted) {
  std::vector<char> room(quoted.size() + 1);
  return std::string(unescape(quoted, room.data(), room.size()).value_or(quoted));
}

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) {
    if (!text.empty()) text += ':';
    text += part;
  }
  return text;
}

}  // namespace

std::optional<Steps> explain(const sip::DigestCredentials& sent, std::string_view method,
                             const Secret& secret) {
  const auto algorithm = parse_algorithm(sent.algorithm);
  if (!algorithm) return std::nullopt;
  const HashKind hash_kind = kind(*algorithm);

  Steps steps{};
  steps.algorithm = *algorithm;
  Digest stored;
  if (const auto* password = std::get_if<Password>(&secret)) {
    steps.a1 = plain(sent.username) + ':' + plain(sent.realm) + ':' + std::string(password->text);
    stored = hash(hash_kind, {steps.a1});
  } else {
    stored = std::get<Digest>(secret);
    if (stored.size != digest_size(hash_kind)) return std::nullopt;
  }
  steps.stored_ha1 = hex(stored);
  steps.ha1 = steps.stored_ha1;
  if (is_session(*algorithm)) {
    steps.session_a1 = joined({steps.stored_ha1, sent.nonce, sent.cnonce});
    steps.ha1 = hex(hash(hash_kind, {steps.session_a1}));
  }
  steps.a2 = std::string(method) + ':' + std::string(sent.uri);
  steps.ha2 = hex(hash(hash_kind, {steps.a2}));
  steps.response_input = sent.qop.empty()
                             ? joined({steps.ha1, sent.nonce, steps.ha2})
                             : joined({steps.ha1, sent.nonce, sent.nc, sent.cnonce, sent.qop, steps.ha2});
  const Digest computed = hash(hash_kind, {steps.response_input});
  steps.response = hex(computed);
  steps.matches = from_hex(sent.response, hash_kind) == computed;
  return steps;
}

}  // namespace ringweir::auth
