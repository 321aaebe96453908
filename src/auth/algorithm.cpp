#include "ringweir/auth/algorithm.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "auth/letter_case.h"

namespace ringweir::auth {
namespace {

constexpr std::array<std::string_view, kAlgorithms> kNames{"MD5",          "MD5-sess",    "SHA-256",
                                                           "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"};

// PERF: hex is at both ends of every response: sixteen digits a step where there is SSE2.
#ifdef __SSE2__
void put_hex_of_sixteen(const std::uint8_t* octets, char* out) noexcept {
  const __m128i nibble = _mm_set1_epi8(0x0f);
  const __m128i all = _mm_loadu_si128(reinterpret_cast<const __m128i*>(octets));
  const __m128i high = _mm_and_si128(_mm_srli_epi16(all, 4), nibble), low = _mm_and_si128(all, nibble);
  const auto digits = [](__m128i values) {
    const __m128i letters =
        _mm_and_si128(_mm_cmpgt_epi8(values, _mm_set1_epi8(9)), _mm_set1_epi8('a' - '0' - 10));
    return _mm_add_epi8(_mm_add_epi8(values, _mm_set1_epi8('0')), letters);
  };
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), digits(_mm_unpacklo_epi8(high, low)));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 16), digits(_mm_unpackhi_epi8(high, low)));
}
// Eight octets from sixteen digits; false when one is none.
bool read_hex_of_sixteen(const char* digits, std::uint8_t* octets) noexcept {
  const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(digits));
  const auto up_to = [](__m128i values, char most) {
    return _mm_cmpeq_epi8(_mm_min_epu8(values, _mm_set1_epi8(most)), values);
  };
  const __m128i digit = _mm_sub_epi8(text, _mm_set1_epi8('0'));
  const __m128i letter = _mm_sub_epi8(_mm_or_si128(text, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
  const __m128i is_digit = up_to(digit, 9), is_letter = up_to(letter, 5);
  const __m128i value = _mm_or_si128(_mm_and_si128(is_digit, digit),
                                     _mm_and_si128(is_letter, _mm_add_epi8(letter, _mm_set1_epi8(10))));
  const __m128i pairs = _mm_or_si128(_mm_slli_epi16(value, 4), _mm_srli_epi16(value, 8));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(octets),
                   _mm_packus_epi16(_mm_and_si128(pairs, _mm_set1_epi16(0xff)), _mm_setzero_si128()));
  return _mm_movemask_epi8(_mm_or_si128(is_digit, is_letter)) == 0xffff;
}
#else
constexpr std::uint8_t kNoHexDigit = 0xff;
constexpr std::array<std::uint8_t, 256> kHexValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoHexDigit);
  for (std::uint8_t i = 0; i < 16; ++i) {
    values[static_cast<std::size_t>("0123456789abcdef"[i])] = i;
    values[static_cast<std::size_t>("0123456789ABCDEF"[i])] = i;
  }
  return values;
}();

void put_hex_of_sixteen(const std::uint8_t* octets, char* out) noexcept {
  for (std::size_t i = 0; i < 16; ++i) {
    out[2 * i] = "0123456789abcdef"[octets[i] >> 4];
    out[2 * i + 1] = "0123456789abcdef"[octets[i] & 15];
  }
}
bool read_hex_of_sixteen(const char* digits, std::uint8_t* octets) noexcept {
  unsigned seen = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    const unsigned high = kHexValues[static_cast<unsigned char>(digits[2 * i])];
    const unsigned low = kHexValues[static_cast<unsigned char>(digits[2 * i + 1])];
    seen |= high | low;
    octets[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return seen <= 15;
}
#endif

}  // namespace

std::string_view to_string(Algorithm algorithm) noexcept {
  return kNames[static_cast<std::size_t>(algorithm)];
}
std::string_view to_string(HashKind kind) noexcept {
  return kNames[2 * static_cast<std::size_t>(kind)];
}

std::optional<Algorithm> parse_algorithm(std::string_view text) noexcept {
  if (text.empty() || text == kNames[0]) return Algorithm::md5;
  for (std::size_t i = 0; i < kAlgorithms; ++i) {
    if (equal_any_case(text, kNames[i])) return static_cast<Algorithm>(i);
  }
  return std::nullopt;
}

static_assert(digest_size(HashKind::md5) % 16 == 0 && kDigestBytesMax % 16 == 0);

std::size_t to_hex(const Digest& digest, char* out) noexcept {
  for (std::size_t i = 0; i < digest.size; i += 16) put_hex_of_sixteen(digest.octets.data() + i, out + 2 * i);
  return 2u * digest.size;
}

std::optional<Digest> from_hex(std::string_view hex, HashKind kind) noexcept {
  Digest digest;
  digest.size = static_cast<std::uint8_t>(digest_size(kind));
  if (hex.size() != 2u * digest.size) return std::nullopt;
  bool good = true;
  for (std::size_t i = 0; i < digest.size; i += 8) {
    good &= read_hex_of_sixteen(hex.data() + 2 * i, digest.octets.data() + i);
  }
  if (!good) return std::nullopt;
  return digest;
}

}  // namespace ringweir::auth
