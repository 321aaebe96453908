// Stage 1 of parse(): where do lines end, and where is the first colon of each line? One bit for each octet,
// 64 octets a block, kMarkBlocks blocks a call. Stage 2 (message.cpp) walks the bits. Private to src/sip.
#pragma once
#include <cstddef>
#include <cstdint>

namespace ringweir::sip::detail {

inline constexpr std::size_t kMarkBlocks = 8;
inline constexpr std::size_t kMarkWindow = kMarkBlocks * 64;

struct Marks {
  std::uint64_t ends_and_colons[kMarkBlocks];  // LF, and the first colon after a line's start
  // Octets that no header line may hold (controls other than HT and line ends; DEL), and the octet after a CR
  // that should have been its LF. A quoted-pair may hold them (RFC 3261 25.1), so stage 2 looks at what is
  // before.
  std::uint64_t odd[kMarkBlocks];
  std::uint64_t any_odd;  // all of them together: 0 for every message but a few
};
// What one window leaves for the next: each is 0 or 1.
struct MarkCarry {
  std::uint64_t line_start = 1;
  std::uint64_t seeking_colon = 0;
  std::uint64_t after_cr = 0;
};

// Marks min(size, kMarkWindow) octets; bits past the end are clear. Reads nothing outside [text, text +
// size).
using MarkFunction = void (*)(const char* text, std::size_t size, MarkCarry& carry, Marks& marks) noexcept;
void mark_portable(const char* text, std::size_t size, MarkCarry& carry, Marks& marks) noexcept;
void mark_avx2(const char* text, std::size_t size, MarkCarry& carry,
               Marks& marks) noexcept;  // only when has_avx2()
#if defined(__x86_64__)
void mark_avx512(const char* text, std::size_t size, MarkCarry& carry,
                 Marks& marks) noexcept;  // only when has_avx512()
bool has_avx512() noexcept;
#endif
extern MarkFunction const mark;

// The marks as offsets in ascending order, `base` added to each; returns how many. `offsets` has room for a
// window's.
using ListFunction = std::uint32_t (*)(const Marks& marks, std::size_t blocks, std::uint32_t base,
                                       std::uint32_t* offsets) noexcept;
std::uint32_t list_portable(const Marks& marks, std::size_t blocks, std::uint32_t base,
                            std::uint32_t* offsets) noexcept;
std::uint32_t list_avx2(const Marks& marks, std::size_t blocks, std::uint32_t base,
                        std::uint32_t* offsets) noexcept;  // only when has_avx2()
extern ListFunction const list;

// Shared by both forms, each compiled for its own instructions.
[[gnu::always_inline]] inline std::uint32_t list_marks(const Marks& marks, std::size_t blocks,
                                                       std::uint32_t base, std::uint32_t* offsets) noexcept {
  std::uint32_t* to = offsets;
  for (std::size_t block = 0; block < blocks; ++block, base += 64) {
    for (std::uint64_t bits = marks.ends_and_colons[block]; bits != 0; bits &= bits - 1) {
      *to++ = base + static_cast<std::uint32_t>(__builtin_ctzll(bits));
    }
  }
  return static_cast<std::uint32_t>(to - offsets);
}

// The masks of one block combined; shared by both forms.
struct BlockMasks {
  std::uint64_t line_feed, carriage_return, colon, odd;
};
inline void combine(const BlockMasks& m, std::uint64_t valid, MarkCarry& carry,
                    std::uint64_t& ends_and_colons, std::uint64_t& odd) noexcept {
  const std::uint64_t starts = (m.line_feed << 1) | carry.line_start;
  // A carry ripples from each start and comes to rest in the line's first colon, or in its end when it has none.
  unsigned long long sum;
  const bool over1 = __builtin_uaddll_overflow(starts, ~(m.colon | m.line_feed), &sum);
  const bool over2 = __builtin_uaddll_overflow(sum, carry.seeking_colon, &sum);
  ends_and_colons = (m.line_feed | (sum & m.colon)) & valid;
  odd = (m.odd | (((m.carriage_return << 1) | carry.after_cr) & ~m.line_feed)) & valid;
  carry.line_start = m.line_feed >> 63;
  carry.seeking_colon = over1 || over2;
  carry.after_cr = m.carriage_return >> 63;
}

}  // namespace ringweir::sip::detail
