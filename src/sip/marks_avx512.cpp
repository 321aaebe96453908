#include "sip/marks.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>

namespace ringweir::sip::detail {

bool has_avx512() noexcept {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx2");
}

namespace {
// A whole block a register, and comparisons that answer in bits: half of what AVX2 takes for it.
[[gnu::target("avx512f,avx512bw")]] inline BlockMasks masks_of(__m512i text) noexcept {
  const auto is = [text](char c) __attribute__((target("avx512f,avx512bw"))) {
    return _mm512_cmpeq_epi8_mask(text, _mm512_set1_epi8(c));
  };
  BlockMasks m;
  m.line_feed = is('\n');
  m.carriage_return = is('\r');
  m.colon = is(':');
  const std::uint64_t control = _mm512_cmple_epu8_mask(text, _mm512_set1_epi8(0x1f));
  m.odd = (control & ~(m.line_feed | m.carriage_return | is('\t'))) | is(0x7f);
  return m;
}
}  // namespace

[[gnu::target("avx512f,avx512bw")]] void mark_avx512(const char* text, std::size_t size, MarkCarry& from,
                                                     Marks& marks) noexcept {
  size = std::min(size, kMarkWindow);
  MarkCarry carry = from;  // a copy that the marks cannot alias
  std::uint64_t any_odd = 0;
  for (std::size_t i = 0, block = 0; i < size; i += 64, ++block) {
    const std::uint64_t valid = size - i >= 64 ? ~0ull : (1ull << (size - i)) - 1;
    combine(masks_of(_mm512_maskz_loadu_epi8(valid, text + i)), valid, carry, marks.ends_and_colons[block],
            marks.odd[block]);
    any_odd |= marks.odd[block];
  }
  marks.any_odd = any_odd;
  from = carry;
}

}  // namespace ringweir::sip::detail
#endif
