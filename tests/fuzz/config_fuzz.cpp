// Any text given as a configuration is read or refused, each mistake with a sentence.
#include <cstdint>
#include <string_view>

#include "ringweir/base/check.h"
#include "ringweir/control/config.h"
#include "ringweir/control/config_changes.h"
#include "ringweir/control/routes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringweir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // A base folder that does not exist: no input reads a file of this machine by a relative path.
  const auto result = control::load_config_text(text, "fuzz.yaml", "/nonexistent");
  if (!result) {
    check(!result.error().empty(), "a refusal has a reason");
    for (const control::Diagnostic& each : result.error()) check(!each.text.empty(), "a diagnostic has a text");
    return 0;
  }
  check(!result->listeners.empty() && !result->routes.empty(), "what is read is complete");
  check(control::describe_changes(*result, *result).empty(), "a configuration does not differ from itself");
  check(control::make_route_table(*result).size() == result->routes.size(), "each route has a row");
  return 0;
}
