#include "sip/marks.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstring>

namespace ringweir::sip::detail {

namespace {
[[gnu::target("avx2")]] inline std::uint64_t bits(__m256i low, __m256i high) noexcept {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(low)) |
         static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm256_movemask_epi8(high))) << 32;
}

struct OddAndLineEnds {
  __m256i odd, line_feed, carriage_return;
};
[[gnu::target("avx2")]] inline OddAndLineEnds look(__m256i text) noexcept {
  const __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(text, _mm256_set1_epi8(0x1f)), text);
  const __m256i line_feed = _mm256_cmpeq_epi8(text, _mm256_set1_epi8('\n'));
  const __m256i carriage_return = _mm256_cmpeq_epi8(text, _mm256_set1_epi8('\r'));
  const __m256i allowed = _mm256_or_si256(_mm256_or_si256(line_feed, carriage_return),
                                          _mm256_cmpeq_epi8(text, _mm256_set1_epi8('\t')));
  const __m256i odd =
      _mm256_or_si256(_mm256_andnot_si256(allowed, control), _mm256_cmpeq_epi8(text, _mm256_set1_epi8(0x7f)));
  return {odd, line_feed, carriage_return};
}

[[gnu::target("avx2")]] inline BlockMasks masks_of(const char* text) noexcept {
  const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text));
  const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + 32));
  const __m256i colon = _mm256_set1_epi8(':');
  const OddAndLineEnds a = look(low), b = look(high);
  BlockMasks m;
  m.line_feed = bits(a.line_feed, b.line_feed);
  m.carriage_return = bits(a.carriage_return, b.carriage_return);
  m.colon = bits(_mm256_cmpeq_epi8(low, colon), _mm256_cmpeq_epi8(high, colon));
  m.odd = bits(a.odd, b.odd);
  return m;
}
}  // namespace

[[gnu::target("avx2")]] void mark_avx2(const char* text, std::size_t size, MarkCarry& from,
                                       Marks& marks) noexcept {
  size = std::min(size, kMarkWindow);
  MarkCarry carry = from;  // a copy that the marks cannot alias
  std::size_t i = 0, block = 0;
  for (; i + 64 <= size; i += 64, ++block) {
    combine(masks_of(text + i), ~0ull, carry, marks.ends_and_colons[block], marks.odd[block]);
  }
  if (i < size) {
    char padded[64] = {};
    std::memcpy(padded, text + i, size - i);
    combine(masks_of(padded), (1ull << (size - i)) - 1, carry, marks.ends_and_colons[block],
            marks.odd[block]);
  }
  from = carry;
}

}  // namespace ringweir::sip::detail
#endif
