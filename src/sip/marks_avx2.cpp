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

[[gnu::target("avx2")]] inline std::uint64_t equal_to(__m256i low, __m256i high, char c) noexcept {
  const __m256i all = _mm256_set1_epi8(c);
  return bits(_mm256_cmpeq_epi8(low, all), _mm256_cmpeq_epi8(high, all));
}

[[gnu::target("avx2")]] inline BlockMasks masks_of(const char* text) noexcept {
  const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text));
  const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + 32));
  const __m256i last_control = _mm256_set1_epi8(0x1f);
  const std::uint64_t controls = bits(_mm256_cmpeq_epi8(_mm256_min_epu8(low, last_control), low),
                                      _mm256_cmpeq_epi8(_mm256_min_epu8(high, last_control), high));
  BlockMasks m;
  m.line_feed = equal_to(low, high, '\n');
  m.carriage_return = equal_to(low, high, '\r');
  m.colon = equal_to(low, high, ':');
  m.odd =
      (controls & ~m.line_feed & ~m.carriage_return & ~equal_to(low, high, '\t')) | equal_to(low, high, 0x7f);
  return m;
}
}  // namespace

[[gnu::target("avx2")]] void mark_avx2(const char* text, std::size_t size, MarkCarry& carry,
                                       Marks& marks) noexcept {
  size = std::min(size, kMarkWindow);
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
}

}  // namespace ringweir::sip::detail
#endif
