#include "sip/marks.h"

#include <algorithm>
#include <array>

#include "ringweir/sip/scan.h"

namespace ringweir::sip::detail {

namespace {
enum : std::uint8_t { kLineFeed = 1, kCarriageReturn = 2, kColon = 4, kOdd = 8 };
constexpr auto kClasses = [] {
  std::array<std::uint8_t, 256> classes{};
  for (int c = 0; c < 0x20; ++c) classes[c] = kOdd;
  classes[0x7f] = kOdd;
  classes['\t'] = 0;
  classes['\n'] = kLineFeed;
  classes['\r'] = kCarriageReturn;
  classes[':'] = kColon;
  return classes;
}();

BlockMasks masks_of(const char* text, std::size_t size) noexcept {
  BlockMasks m{};
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint64_t found = kClasses[static_cast<unsigned char>(text[i])];
    m.line_feed |= (found & 1) << i;
    m.carriage_return |= (found >> 1 & 1) << i;
    m.colon |= (found >> 2 & 1) << i;
    m.odd |= (found >> 3) << i;
  }
  return m;
}
}  // namespace

void mark_portable(const char* text, std::size_t size, MarkCarry& from, Marks& marks) noexcept {
  size = std::min(size, kMarkWindow);
  MarkCarry carry = from;  // a copy that the marks cannot alias
  std::uint64_t any_odd = 0;
  for (std::size_t i = 0, block = 0; i < size; i += 64, ++block) {
    const std::size_t octets = std::min<std::size_t>(64, size - i);
    const std::uint64_t valid = octets == 64 ? ~0ull : (1ull << octets) - 1;
    combine(masks_of(text + i, octets), valid, carry, marks.ends_and_colons[block], marks.odd[block]);
    any_odd |= marks.odd[block];
  }
  marks.any_odd = any_odd;
  from = carry;
}

std::uint32_t list_portable(const Marks& marks, std::size_t blocks, std::uint32_t base,
                            std::uint32_t* offsets) noexcept {
  return list_marks(marks, blocks, base, offsets);
}

#if !defined(__x86_64__)
std::uint32_t list_avx2(const Marks& marks, std::size_t blocks, std::uint32_t base,
                        std::uint32_t* offsets) noexcept {
  return list_marks(marks, blocks, base, offsets);
}
void mark_avx2(const char* text, std::size_t size, MarkCarry& carry, Marks& marks) noexcept {
  mark_portable(text, size, carry, marks);
}
#endif

#if defined(__x86_64__)
MarkFunction const mark = has_avx512() ? mark_avx512 : has_avx2() ? mark_avx2 : mark_portable;
#else
MarkFunction const mark = mark_portable;
#endif
ListFunction const list = has_avx2() ? list_avx2 : list_portable;

}  // namespace ringweir::sip::detail
