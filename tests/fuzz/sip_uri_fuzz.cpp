// URIs: what parses is equal to itself, equality is symmetric, and equal URIs have one address of record but
// for the port.
#include "ringweir/base/check.h"
#include "ringweir/sip/uri.h"

using namespace ringweir;
using namespace ringweir::sip;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t line_end = bytes.find('\n');  // two URIs, one a line
  const auto a = parse_uri(bytes.substr(0, line_end));
  const auto b = parse_uri(line_end == bytes.npos ? bytes : bytes.substr(line_end + 1));
  if (a) {
    check(equal(*a, *a), "reflexive");
    (void)parameter(a->parameters, "transport");
  } else {
    check(a.error().offset <= size);
  }
  if (!a || !b) return 0;
  check(equal(*a, *b) == equal(*b, *a), "symmetric");
  char one[300], other[300];
  const auto aor_a = canonical_aor(*a, one, sizeof one), aor_b = canonical_aor(*b, other, sizeof other);
  const bool names = a->host.starts_with('[') == false;  // IPv6 references may be spelled in several ways
  if (names && aor_a && aor_b && equal(*a, *b))
    check(*aor_a == *aor_b, "equal URIs name one address of record");
  return 0;
}
