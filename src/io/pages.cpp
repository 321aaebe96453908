#include "ringweir/io/pages.h"

#include <sys/mman.h>

#include <cstdint>

namespace ringweir::io {

namespace {
// The whole huge pages inside.
void advise(std::span<const std::byte> memory, int advice) noexcept {
  constexpr std::uintptr_t kHugePage = std::uintptr_t{2} << 20;
  const auto at = reinterpret_cast<std::uintptr_t>(memory.data());
  const std::uintptr_t begin = (at + kHugePage - 1) & ~(kHugePage - 1), end = (at + memory.size()) & ~(kHugePage - 1);
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, advice);
}
}  // namespace

void prefer_huge_pages(std::span<const std::byte> untouched) noexcept { advise(untouched, MADV_HUGEPAGE); }

void gather_into_huge_pages(std::span<const std::byte> filled) noexcept {
  constexpr int kCollapse = 25;  // MADV_COLLAPSE, younger than the headers of some systems
  advise(filled, MADV_HUGEPAGE);
  advise(filled, kCollapse);
}

Pages::Pages(std::size_t size) noexcept {
  void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return;
  // Huge pages would make all of it resident at the first touch.
  ::madvise(at, size, MADV_NOHUGEPAGE);
  at_ = static_cast<char*>(at);
  size_ = size;
}

Pages::~Pages() {
  if (at_) ::munmap(at_, size_);
}

}  // namespace ringweir::io
