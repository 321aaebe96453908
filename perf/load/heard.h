// What the two ends of a call read out of a message, in one pass over its lines. Only long header names:
// they are what the load sends and what proxies add.
#pragma once
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "call.h"

namespace ringweir::load {

// Calls each(name, line) for every header line, the line without its CRLF.
template <class Each>
void each_header(std::string_view message, Each&& each) {
  const char* at = message.data();
  const char* const end = at + message.size();
  at = static_cast<const char*>(std::memchr(at, '\n', message.size()));
  while (at != nullptr && ++at < end) {
    const auto* newline = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
    if (newline == nullptr || newline - at < 2) return;
    const std::string_view line(at, static_cast<std::size_t>(newline - at - 1));
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) each(line.substr(0, colon), line);
    at = newline;
  }
}

// "Name: value" without the name.
inline std::string_view value_of(std::string_view line) noexcept {
  line.remove_prefix(line.find(':') + 1);
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  return line;
}

// The call's number out of our Call-ID, "SSSSSSSS-TTTTTTTTTTTTTTTT@phone"; nothing for others.
std::optional<std::uint64_t> call_token_of(std::string_view call_id) noexcept;

// The call's number out of the line of a From of ours, whose tag it is.
std::optional<std::uint64_t> token_after_tag(std::string_view from) noexcept;

// A request as its callee sees it. `repeated` gets the lines that a response repeats (RFC 3261 8.2.6.2), with
// the To tag where the request has none.
struct HeardRequest {
  std::string_view method, uri, call_id;
  bool in_dialog = false;  // the To has a tag
  bool complete = false;   // the lines fitted and all were there
};
HeardRequest hear_request(std::string_view message, std::string_view to_tag, Repeated& repeated) noexcept;

// A 2xx to an INVITE as its caller sees it: makes the dialog's state. False when it lacks something.
bool hear_answer(std::string_view message, Dialog& dialog) noexcept;

// The To with its tag, for the ACK to a response that is no 2xx.
std::string_view heard_to(std::string_view message) noexcept;

}  // namespace ringweir::load
