// Comma lists of tokens: Require, Supported, Allow, Proxy-Require (RFC 3261 25.1).
#pragma once
#include <string_view>

namespace ringweir::sip {

// Takes the first token off `list` (commas and LWS skipped); empty when there is none left.
std::string_view next_token(std::string_view& list) noexcept;
bool contains_token(std::string_view list, std::string_view token) noexcept;  // any case

}  // namespace ringweir::sip
