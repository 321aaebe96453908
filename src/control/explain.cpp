#include "ringweir/control/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "ringweir/control/trace_view.h"
#include "ringweir/sip/message.h"
#include "ringweir/sip/uri.h"

namespace ringweir::control {
namespace {

using sip::HeaderId;
using Failure = Unexpected<std::string>;

// A capture saved by hand has often lost its last empty line.
std::string completed(std::string_view text) {
  std::string whole(text);
  while (whole.ends_with('\n') || whole.ends_with('\r')) whole.pop_back();
  if (whole.find("\r\n\r\n") != std::string::npos || whole.find("\n\n") != std::string::npos) return std::string(text);
  return whole + "\r\n\r\n";
}

std::string hint_for(const Explanation& explanation, const sip::DigestCredentials& sent, const ExplainInput& input,
                     const sip::Message& message) {
  if (explanation.steps.matches) return {};
  if (sent.userhash) return "the message hides its user name (userhash): give it with --username";
  if (sent.qop == "auth-int") return "qop=auth-int also covers the body, which ringweir neither offers nor computes";
  // Phones that answer a challenge for one realm with another's password are the most frequent case.
  if (input.password && *input.password != explanation.username) {
    auto with_name = auth::explain(sent, message.method_text(), auth::Password{explanation.username});
    if (with_name && with_name->matches) return "the phone used its user name as the password";
  }
  if (input.password) {
    auto with_nothing = auth::explain(sent, message.method_text(), auth::Password{""});
    if (with_nothing && with_nothing->matches) return "the phone used an empty password";
  }
  if (sent.uri != message.request_uri()) {
    return "the digest's uri is not the request's: something between the phone and this capture rewrote it, or the phone "
           "signs another";
  }
  return "another password, or another realm than the phone was set up for";
}

Result<const sip::HeaderField*, std::string> credentials_field(const sip::Message& message) {
  for (const HeaderId id : {HeaderId::authorization, HeaderId::proxy_authorization}) {
    if (const auto* field = message.first(id)) return field;
  }
  if (message.has(HeaderId::www_authenticate) || message.has(HeaderId::proxy_authenticate)) {
    return Failure("this is the challenge; give the request that answers it");
  }
  return Failure("the message has neither an Authorization nor a Proxy-Authorization header field");
}

}  // namespace

Result<Explanation, std::string> explain_digest(const ExplainInput& input) {
  const std::string text = completed(input.message);
  const auto message = std::make_unique<sip::Message>();
  const sip::Parsed parsed = sip::parse(text, sip::Framing::datagram, *message);
  if (parsed.completeness != sip::Completeness::complete) {
    return Failure(fmt::format("not a SIP message: {} at octet {}", sip::reason(parsed.error.fault), parsed.error.offset));
  }
  const auto field = credentials_field(*message);
  if (!field) return Failure(field.error());
  if (!message->is_request()) return Failure("the message is a response; give the request with the credentials");
  auto sent = sip::parse_digest_credentials(message->value(**field));
  if (!sent) return Failure("the credentials cannot be read: " + std::string(sip::reason(sent.error().fault)));
  if (input.username) sent->username = *input.username;

  auth::Secret secret = auth::Password{input.password ? std::string_view(*input.password) : std::string_view{}};
  if (input.stored_ha1) {
    const auto algorithm = auth::parse_algorithm(sent->algorithm);
    const auto ha1 = algorithm ? auth::from_hex(*input.stored_ha1, auth::kind(*algorithm)) : std::nullopt;
    if (!ha1) return Failure("the HA1 is not hex of the length that the algorithm has");
    secret = *ha1;
  } else if (!input.password) {
    return Failure("a password or an HA1 is needed");
  }
  auto steps = auth::explain(*sent, message->method_text(), secret);
  if (!steps) return Failure("unknown algorithm: " + printable(sent->algorithm));
  Explanation explanation{std::string(sip::to_string((*field)->id)),
                          std::string(message->method_text()),
                          std::string(sent->uri),
                          std::string(sent->username),
                          std::string(sent->realm),
                          std::string(sent->response),
                          {},
                          std::move(*steps)};
  explanation.hint = hint_for(explanation, *sent, input, *message);
  return explanation;
}

std::string explanation_text(const Explanation& explanation) {
  const auth::Steps& steps = explanation.steps;
  const std::string hash(to_string(auth::kind(steps.algorithm)));
  std::string out;
  const auto line = [&](std::string_view name, std::string_view formula, std::string_view value) {
    out += fmt::format("{:<10}{:<40}{}\n", name, formula, printable(value));
  };
  line("header", "", explanation.header);
  line("algorithm", "", to_string(steps.algorithm));
  if (steps.a1.empty()) {
    line("HA1", "as given", steps.stored_ha1);
  } else {
    line("A1", "username:realm:password", steps.a1);
    line("HA1", hash + "(A1)", steps.stored_ha1);
  }
  if (!steps.session_a1.empty()) {
    line("A1-sess", "HA1:nonce:cnonce", steps.session_a1);
    line("HA1-sess", hash + "(A1-sess)", steps.ha1);
  }
  line("A2", "method:digest-uri", steps.a2);
  line("HA2", hash + "(A2)", steps.ha2);
  const bool has_qop = steps.response_input.size() > steps.ha1.size() + steps.ha2.size() &&
                       std::ranges::count(steps.response_input, ':') >= 5;
  line("input", has_qop ? "HA1:nonce:nc:cnonce:qop:HA2" : "HA1:nonce:HA2", steps.response_input);
  line("response", hash + "(input)", steps.response);
  line("sent", "", explanation.sent);
  out += steps.matches ? "MATCH\n" : "DIFFERS\n";
  if (!explanation.hint.empty()) out += "likely: " + explanation.hint + '\n';
  return out;
}

std::string explanation_json(const Explanation& explanation) {
  const auth::Steps& steps = explanation.steps;
  nlohmann::ordered_json json;
  json["header"] = explanation.header;
  json["method"] = explanation.method;
  json["uri"] = explanation.uri;
  json["username"] = explanation.username;
  json["realm"] = explanation.realm;
  json["algorithm"] = to_string(steps.algorithm);
  json["a1"] = steps.a1;
  json["ha1"] = steps.stored_ha1;
  if (!steps.session_a1.empty()) {
    json["session_a1"] = steps.session_a1;
    json["session_ha1"] = steps.ha1;
  }
  json["a2"] = steps.a2;
  json["ha2"] = steps.ha2;
  json["response_input"] = steps.response_input;
  json["response"] = steps.response;
  json["sent"] = explanation.sent;
  json["matches"] = steps.matches;
  if (!explanation.hint.empty()) json["likely"] = explanation.hint;
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace ringweir::control
