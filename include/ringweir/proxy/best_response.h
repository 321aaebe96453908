// Which of several final responses a forked request is answered with (RFC 3261 16.7 step 6). Pure.
#pragma once
#include <cstdint>

namespace ringweir::proxy {

// Is `status` a better answer than `than`? Both final and not 2xx (those are forwarded at once); `than` may be 0: none yet.
// A 6xx beats all; else the lowest class; within 4xx those that tell the caller how to do better come first.
bool is_better(std::uint16_t status, std::uint16_t than) noexcept;

// What is sent in place of the best response's status: a 503 says that *this* server is overloaded, which is not so when a target
// said it, so it becomes 500 (16.7 step 6); everything else stays.
std::uint16_t as_forwarded(std::uint16_t best) noexcept;

}  // namespace ringweir::proxy
