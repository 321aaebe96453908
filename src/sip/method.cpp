#include "ringweir/sip/method.h"

#include <array>

namespace ringweir::sip {

namespace {
constexpr std::array<std::string_view, kMethods> kNames = {
    "unknown",   "INVITE", "ACK",     "BYE",  "CANCEL", "OPTIONS", "REGISTER", "PRACK",
    "SUBSCRIBE", "NOTIFY", "PUBLISH", "INFO", "REFER",  "MESSAGE", "UPDATE"};

Method only(Method candidate, std::string_view text) noexcept {
  return to_string(candidate) == text ? candidate : Method::unknown;
}
}  // namespace

std::string_view to_string(Method method) noexcept {
  return kNames[static_cast<std::size_t>(method)];
}

Method parse_method(std::string_view text) noexcept {
  if (text.size() < 3) return Method::unknown;
  switch (text[0]) {
    case 'A': return only(Method::ack, text);
    case 'B': return only(Method::bye, text);
    case 'C': return only(Method::cancel, text);
    case 'I': return only(text[2] == 'V' ? Method::invite : Method::info, text);
    case 'M': return only(Method::message, text);
    case 'N': return only(Method::notify, text);
    case 'O': return only(Method::options, text);
    case 'P': return only(text[1] == 'R' ? Method::prack : Method::publish, text);
    case 'R': return only(text[2] == 'G' ? Method::register_ : Method::refer, text);
    case 'S': return only(Method::subscribe, text);
    case 'U': return only(Method::update, text);
    default: return Method::unknown;
  }
}

}  // namespace ringweir::sip
