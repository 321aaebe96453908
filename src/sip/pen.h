// Text into space that has been reserved for its worst case: no check a piece. Private to src/sip.
#pragma once
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "ringweir/sip/message.h"

namespace ringweir::sip {

struct Pen {
  char* at;
  template <std::size_t N>
  void put(const char (&text)[N]) noexcept {  // sizes of the fixed pieces are known when this is compiled
    std::memcpy(at, text, N - 1);
    at += N - 1;
  }
  void put(std::string_view text) noexcept {
    std::memcpy(at, text.data(), text.size());
    at += text.size();
  }
  void copy(std::string_view text) noexcept { put(text); }
  void value(std::string_view text, bool folded) noexcept {
    if (folded) [[unlikely]] {
      at += unfold(text, at).size();
    } else {
      put(text);
    }
  }
  void number(std::uint32_t n) noexcept { at = std::to_chars(at, at + 10, n).ptr; }
};

}  // namespace ringweir::sip
