// Request methods (RFC 3261 7.1 and its extensions). Case-sensitive; an unknown one keeps its text in the message.
#pragma once
#include <cstdint>
#include <string_view>

namespace ringweir::sip {

enum class Method : std::uint8_t {
  unknown, invite, ack, bye, cancel, options, register_, prack, subscribe, notify, publish, info, refer, message, update,
};
inline constexpr std::size_t kMethods = 15;

Method parse_method(std::string_view text) noexcept;
std::string_view to_string(Method method) noexcept;  // "REGISTER"; "unknown" for unknown

}  // namespace ringweir::sip
