#include "ringweir/io/pages.h"

#include <sys/mman.h>

namespace ringweir::io {

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
