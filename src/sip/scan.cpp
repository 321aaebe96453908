#include "ringweir/sip/scan.h"

#include <cstring>

#include "sip/glimpse.h"

namespace ringweir::sip {

namespace detail {

bool has_avx2() noexcept {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
#else
  return false;
#endif
}

Glimpse glimpse_portable(std::string_view datagram) noexcept {
  const char* const end = datagram.data() + datagram.size();
  const char* at = skip_line_ends(datagram.data(), end);
  if (at == end) return {datagram.empty() ? Glance::garbage : Glance::keep_alive, {}};
  if (!may_begin_message(at, end)) return {Glance::garbage, {}};
  Glimpse found;
  while ((at = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at))))) {
    if (++at == end) break;
    if (look_at_line(at, end, found)) return found;
  }
  return {Glance::no_call_id, {}};
}

#if !defined(__x86_64__)
Glimpse glimpse_avx2(std::string_view datagram) noexcept {
  return glimpse_portable(datagram);
}
#endif

}  // namespace detail

namespace {
Glimpse (*const glimpse_here)(std::string_view) noexcept = detail::has_avx2() ? detail::glimpse_avx2
                                                                              : detail::glimpse_portable;
}

Glimpse glimpse(std::string_view datagram) noexcept {
  return glimpse_here(datagram);
}

}  // namespace ringweir::sip
