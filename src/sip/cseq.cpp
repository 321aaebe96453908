#include "ringweir/sip/cseq.h"

#include <algorithm>

#include "sip/characters.h"

namespace ringweir::sip {

namespace {
constexpr std::uint64_t kCSeqEnd = 1ull << 31;

// Saturates far above any number a header may have.
std::uint64_t take_number(Cursor& c) noexcept {
  constexpr int kDigitsMax = 18;
  std::uint64_t number = 0;
  const char* const stop = c.end - c.at > kDigitsMax ? c.at + kDigitsMax : c.end;
  for (; c.at != stop && is_digit(*c.at); ++c.at)
    number = number * 10 + static_cast<std::uint64_t>(*c.at - '0');
  for (; c.at != c.end && is_digit(*c.at); ++c.at) {
    number = std::min<std::uint64_t>(number * 10 + static_cast<std::uint64_t>(*c.at - '0'), 1ull << 40);
  }
  return number;
}
}  // namespace

Result<CSeq> parse_cseq(std::string_view value) noexcept {
  Cursor c(value);
  auto bad = [&] { return std::unexpected(Error{Fault::bad_cseq, c.offset()}); };
  c.skip_lws();
  const char* const digits = c.at;
  const std::uint64_t number = take_number(c);
  if (c.at == digits || number >= kCSeqEnd) return bad();
  const char* const behind = c.at;
  c.skip_lws();
  if (c.at == behind) return bad();
  CSeq cseq{static_cast<std::uint32_t>(number), parse_method(c.rest()), c.rest()};
  if (cseq.method != Method::unknown) [[likely]]
    return cseq;
  cseq.method_text = c.take<kToken>();
  if (cseq.method_text.empty()) return bad();
  c.skip_lws();
  if (!c.done()) return bad();
  cseq.method = parse_method(cseq.method_text);
  return cseq;
}

Result<std::uint32_t> parse_number(std::string_view value) noexcept {
  Cursor c(value);
  auto bad = [&] { return std::unexpected(Error{Fault::bad_header, c.offset()}); };
  c.skip_lws();
  const char* const digits = c.at;
  const std::uint64_t number = take_number(c);
  if (c.at == digits) return bad();
  c.skip_lws();
  if (!c.done()) return bad();
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(number, 0xffff'ffff));
}

}  // namespace ringweir::sip
