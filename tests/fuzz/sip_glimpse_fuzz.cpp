// Both forms of glimpse() agree, and never leave the datagram.
#include "ringweir/base/check.h"
#include "ringweir/sip/scan.h"

using namespace ringweir;
using namespace ringweir::sip;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Glimpse a = detail::glimpse_portable(bytes);
  check(a.call_id.empty() == (a.glance != Glance::message));
  if (detail::has_avx2()) {
    const Glimpse b = detail::glimpse_avx2(bytes);
    check(a.glance == b.glance && a.call_id == b.call_id && a.call_id.data() == b.call_id.data());
  }
  return 0;
}
