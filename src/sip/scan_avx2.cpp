#if defined(__x86_64__)
#include <immintrin.h>

#include "sip/glimpse.h"

namespace ringweir::sip::detail {

namespace {
// Bits of the octets that begin a line and could begin "Call-ID", "i" or the empty line.
[[gnu::target("avx2")]] inline std::uint32_t candidates(const char* at, std::uint32_t& line_start) noexcept {
  const __m256i text = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  const __m256i any_case = _mm256_or_si256(text, _mm256_set1_epi8(0x20));
  const __m256i line_feed = _mm256_cmpeq_epi8(text, _mm256_set1_epi8('\n'));
  const __m256i initial =
      _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(any_case, _mm256_set1_epi8('c')),
                                      _mm256_cmpeq_epi8(any_case, _mm256_set1_epi8('i'))),
                      _mm256_or_si256(_mm256_cmpeq_epi8(text, _mm256_set1_epi8('\r')), line_feed));
  const std::uint32_t ends = static_cast<std::uint32_t>(_mm256_movemask_epi8(line_feed));
  const std::uint32_t found = static_cast<std::uint32_t>(_mm256_movemask_epi8(initial));
  const std::uint32_t starts = ends << 1 | line_start;
  line_start = ends >> 31;
  return starts & found;
}
}  // namespace

[[gnu::target("avx2")]] Glimpse glimpse_avx2(std::string_view datagram) noexcept {
  if (datagram.size() < 32) return glimpse_portable(datagram);
  const char* const end = datagram.data() + datagram.size();
  const char* at = skip_line_ends(datagram.data(), end);
  if (at == end) return {Glance::keep_alive, {}};
  if (!may_begin_message(at, end)) return {Glance::garbage, {}};
  Glimpse found;
  const char* const first =
      at;  // the start line is no header, even behind leading line ends in the same block
  std::uint32_t line_start = 0;
  while (at != end) {
    std::uint32_t skip = 0;
    if (end - at < 32) {  // the last block overlaps the one before it: nothing past the end is read
      skip = static_cast<std::uint32_t>(32 - (end - at));
      at = end - 32;
    }
    std::uint32_t bits = candidates(at, line_start) >> skip << skip;
    for (; bits != 0; bits &= bits - 1) {
      const char* line = at + __builtin_ctz(bits);
      if (line != first && look_at_line(line, end, found)) return found;
    }
    at += 32;
  }
  return {Glance::no_call_id, {}};
}

}  // namespace ringweir::sip::detail
#endif
