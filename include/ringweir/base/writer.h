// Appends text to a caller's buffer. Past its end nothing is written and the writer stays failed:
// callers check ok() once, at the end.
#pragma once
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace ringweir {

class Writer {
 public:
  Writer(char* begin, std::size_t capacity) noexcept : begin_(begin), at_(begin), end_(begin + capacity) {}

  void put(std::string_view text) noexcept {
    if (text.empty()) return;  // memcpy from nowhere is undefined, even of nothing
    if (text.size() > static_cast<std::size_t>(end_ - at_)) [[unlikely]] return fail();
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void put(char c) noexcept {
    if (at_ == end_) [[unlikely]] return fail();
    *at_++ = c;
  }
  void number(std::uint64_t n) noexcept {
    std::array<char, 20> digits;
    const auto r = std::to_chars(digits.data(), digits.data() + digits.size(), n);
    put({digits.data(), static_cast<std::size_t>(r.ptr - digits.data())});
  }
  void line(std::string_view name, std::string_view value) noexcept {
    put(name);
    put(": ");
    put(value);
    put("\r\n");
  }
  // A place to write up to `n` octets directly; null when they do not fit. Follow with wrote().
  char* reserve(std::size_t n) noexcept {
    if (n > static_cast<std::size_t>(end_ - at_)) [[unlikely]] {
      fail();
      return nullptr;
    }
    return at_;
  }
  void wrote(std::size_t n) noexcept { at_ += n; }

  bool ok() const noexcept { return !failed_; }
  std::size_t size() const noexcept { return static_cast<std::size_t>(at_ - begin_); }
  std::string_view text() const noexcept { return {begin_, size()}; }

 private:
  void fail() noexcept {
    failed_ = true;
    end_ = at_;
  }
  char* begin_;
  char* at_;
  char* end_;
  bool failed_ = false;
};

}  // namespace ringweir
