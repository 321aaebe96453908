#include "ringweir/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace ringweir {

void check_failed(const char* what, std::source_location where) noexcept {
  std::fprintf(stderr, "ringweir: check failed: %s at %s:%u in %s\n", what, where.file_name(), where.line(),
               where.function_name());
  std::abort();
}

}  // namespace ringweir
