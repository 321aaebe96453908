// Asks for a line of memory before it is needed.
#pragma once

namespace ringweir {

// PERF: GCC 12 takes a function that does nothing but prefetch for one without effect and drops the calls to it; a
// statement that it must not look into keeps them. Measured: without it none of location's and auth's prefetches were made.
[[gnu::always_inline]] inline void prefetch_to_read(const void* at) noexcept {
  __builtin_prefetch(at);
  asm volatile("");
}
[[gnu::always_inline]] inline void prefetch_to_write(const void* at) noexcept {
  __builtin_prefetch(at, 1);
  asm volatile("");
}

}  // namespace ringweir
