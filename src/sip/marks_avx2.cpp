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

struct Look {
  __m256i odd, line_feed, carriage_return, colon;
};
// PERF: one shuffle finds the three controls that are allowed: each low nibble names the one octet it may
// stand for.
[[gnu::target("avx2")]] inline Look look(__m256i text) noexcept {
  const __m256i allowed_by_nibble = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, '\t', '\n', -1, -1, '\r', -1, -1));
  const __m256i allowed = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(allowed_by_nibble, text), text);
  const __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(text, _mm256_set1_epi8(0x1f)), text);
  const __m256i odd =
      _mm256_or_si256(_mm256_andnot_si256(allowed, control), _mm256_cmpeq_epi8(text, _mm256_set1_epi8(0x7f)));
  return {odd, _mm256_cmpeq_epi8(text, _mm256_set1_epi8('\n')),
          _mm256_cmpeq_epi8(text, _mm256_set1_epi8('\r')), _mm256_cmpeq_epi8(text, _mm256_set1_epi8(':'))};
}

[[gnu::target("avx2")]] inline BlockMasks masks_of(const char* text) noexcept {
  const Look low = look(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(text)));
  const Look high = look(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + 32)));
  BlockMasks m{bits(low.line_feed, high.line_feed), bits(low.carriage_return, high.carriage_return),
               bits(low.colon, high.colon), 0};
  const __m256i odd = _mm256_or_si256(low.odd, high.odd);
  if (!_mm256_testz_si256(odd, odd)) [[unlikely]]
    m.odd = bits(low.odd, high.odd);
  return m;
}
}  // namespace

[[gnu::target("avx2")]] void mark_avx2(const char* text, std::size_t size, MarkCarry& from,
                                       Marks& marks) noexcept {
  size = std::min(size, kMarkWindow);
  MarkCarry carry = from;  // a copy that the marks cannot alias
  std::uint64_t any_odd = 0;
  std::size_t i = 0, block = 0;
  for (; i + 64 <= size; i += 64, ++block) {
    combine(masks_of(text + i), ~0ull, carry, marks.ends_and_colons[block], marks.odd[block]);
    any_odd |= marks.odd[block];
  }
  if (i < size) {
    char padded[64] = {};
    std::memcpy(padded, text + i, size - i);
    combine(masks_of(padded), (1ull << (size - i)) - 1, carry, marks.ends_and_colons[block],
            marks.odd[block]);
    any_odd |= marks.odd[block];
  }
  marks.any_odd = any_odd;
  from = carry;
}

// BMI comes with AVX2 on every processor (has_avx2() asks for both).
[[gnu::target("avx2,bmi")]] std::uint32_t list_avx2(const Marks& marks, std::size_t blocks,
                                                    std::uint32_t base, std::uint32_t* offsets) noexcept {
  return list_marks(marks, blocks, base, offsets);
}

}  // namespace ringweir::sip::detail
#endif
