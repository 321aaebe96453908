// A stream cut anywhere gives what it gives whole: partial until the message is there, then the same message
// or error.
#include <algorithm>
#include <string>

#include "ringweir/base/check.h"
#include "ringweir/sip/message.h"

using namespace ringweir;
using namespace ringweir::sip;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Message message;
  const Parsed whole = parse(bytes, Framing::stream, message);
  check(whole.consumed <= size && whole.error.offset <= size);
  const std::size_t step = 1 + size / 512;  // at every octet of what is short
  for (std::size_t cut = 0; cut < size; cut += step) {
    const std::string prefix(bytes.substr(0, cut));
    const Parsed part = parse(prefix, Framing::stream, message);
    if (part.completeness == Completeness::partial) continue;
    check(part.completeness == whole.completeness, "same outcome");
    check(part.error.fault == whole.error.fault && part.error.offset == whole.error.offset, "same error");
    check(part.consumed == whole.consumed && part.consumed <= cut, "same size");
  }
  return 0;
}
