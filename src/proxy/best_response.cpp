#include "ringweir/proxy/best_response.h"

namespace ringweir::proxy {
namespace {

// 16.7 step 6: 401, 407, 415, 420 and 484 affect whether and how the caller tries again; 408 and 480 only say that nobody
// was there; a 503 that was to be an answer says less than any other 5xx.
int rank(std::uint16_t status) noexcept {
  switch (status) {
    case 0: return 1'000;
    case 401:
    case 407: return 400;
    case 415:
    case 420:
    case 484: return 410;
    case 404:
    case 410: return 430;
    case 480: return 440;
    case 408: return 450;
    case 503: return 590;
    default: break;
  }
  if (status >= 600) return 100;
  return status / 100 * 100 + 20;
}

}  // namespace

bool is_better(std::uint16_t status, std::uint16_t than) noexcept { return rank(status) < rank(than); }

std::uint16_t as_forwarded(std::uint16_t best) noexcept { return best == 503 ? 500 : best; }

}  // namespace ringweir::proxy
