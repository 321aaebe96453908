// Sixteen octets at a time, as every x86-64 can: which of them end a run. Private to src/sip.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#define RINGWEIR_SIP_OCTETS 1

namespace ringweir::sip::detail {

using Octets = __m128i;

// Of `count` octets, at least one and below 16, as the first ones of sixteen; nothing outside them is read.
inline Octets load_some(const char* at, std::size_t count) noexcept {
  std::uint64_t low = 0, high = 0;
  if (count >= 8) {
    std::memcpy(&low, at, 8);
    std::memcpy(&high, at + count - 8, 8);
    high = count == 8 ? 0 : high >> (8 * (16 - count));
  } else if (count >= 4) {
    std::uint32_t first, last;
    std::memcpy(&first, at, 4);
    std::memcpy(&last, at + count - 4, 4);
    low = first | std::uint64_t{last} << (8 * (count - 4));
  } else {
    low = static_cast<unsigned char>(at[0]) |
          std::uint64_t{static_cast<unsigned char>(at[count / 2])} << (8 * (count / 2)) |
          std::uint64_t{static_cast<unsigned char>(at[count - 1])} << (8 * (count - 1));
  }
  return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
}

inline Octets is(Octets text, char c) noexcept {
  return _mm_cmpeq_epi8(text, _mm_set1_epi8(c));
}
inline Octets either(Octets a, Octets b) noexcept {
  return _mm_or_si128(a, b);
}
template <class... More>
Octets either(Octets a, Octets b, More... more) noexcept {
  return either(_mm_or_si128(a, b), more...);
}
inline Octets up_to(Octets text, unsigned char c) noexcept {  // unsigned
  return _mm_cmpeq_epi8(_mm_min_epu8(text, _mm_set1_epi8(static_cast<char>(c))), text);
}
inline Octets within(Octets text, char first, char last) noexcept {
  return up_to(_mm_sub_epi8(text, _mm_set1_epi8(first)), static_cast<unsigned char>(last - first));
}
// Octets that are not visible ASCII (signed comparison: those from 0x80 on are below the space too).
inline Octets not_visible(Octets text) noexcept {
  return either(_mm_cmpgt_epi8(_mm_set1_epi8('!'), text), is(text, 0x7f));
}
inline unsigned bits(Octets octets) noexcept {
  return static_cast<unsigned>(_mm_movemask_epi8(octets));
}

// The first of [at, end) for which `ends` (octets that end the run, given as Octets of Octets) has a bit;
// else `end`.
template <class Ends>
[[gnu::always_inline]] inline const char* find_end(const char* at, const char* end, Ends ends) noexcept {
  for (; end - at >= 16; at += 16) {
    const unsigned found = bits(ends(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))));
    if (found != 0) return at + __builtin_ctz(found);
  }
  if (at == end) return at;
  const std::size_t left = static_cast<std::size_t>(end - at);
  const unsigned found = bits(ends(load_some(at, left))) | 1u << left;
  return at + __builtin_ctz(found);
}

}  // namespace ringweir::sip::detail
#endif
