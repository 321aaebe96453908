// check(): our own mistakes, always on, in every build. Never used on anything that a peer can send.
#pragma once
#include <source_location>

namespace ringweir {

[[noreturn]] void check_failed(const char* what, std::source_location where) noexcept;

// Stops the process with a line saying where, when `held` is false.
inline void check(bool held, const char* what = "invariant",
                  std::source_location where = std::source_location::current()) noexcept {
  if (!held) [[unlikely]] check_failed(what, where);
}

}  // namespace ringweir
