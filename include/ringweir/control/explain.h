// `digest explain`: the digest of a captured request, computed step by step (RFC 7616 3.4).
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "ringweir/auth/digest.h"
#include "ringweir/base/result.h"

namespace ringweir::control {

struct ExplainInput {
  std::string_view message;               // as captured; lines may end in LF alone
  std::optional<std::string> password;    // one of the two
  std::optional<std::string> stored_ha1;  // hex
  std::optional<std::string> username;    // instead of the one in the message
};

struct Explanation {
  std::string header;   // "Proxy-Authorization"
  std::string method, uri, username, realm;
  std::string sent;     // the response in the message
  std::string hint;     // on a difference, what is likely; else empty
  auth::Steps steps;
};

// Why there is nothing to explain, as a sentence.
Result<Explanation, std::string> explain_digest(const ExplainInput& input);

std::string explanation_text(const Explanation& explanation);
std::string explanation_json(const Explanation& explanation);

}  // namespace ringweir::control
