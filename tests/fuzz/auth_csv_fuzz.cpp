// User lists of any bytes: every line is a user, an error, a comment or blank, and what was read can be found
// again.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "ringweir/auth/credentials.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringweir::auth;
  const std::string text(reinterpret_cast<const char*>(data), size);
  constexpr Algorithm kConfigured[] = {Algorithm::md5};
  CredentialsBuilder builder("example.com", kConfigured, {1, 2});
  const auto errors = builder.add_csv(text);
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  if (errors.size() + builder.size() > lines) std::abort();
  for (const CredentialsError& error : errors) {
    if (error.line == 0 || error.line > lines || error.column == 0 || error.column > size + 1) std::abort();
    if (error.message.empty()) std::abort();
  }
  const auto users = std::move(builder).build();
  std::size_t seen = 0;
  users->for_each([&](const User& user) {
    ++seen;
    const bool answers = users->ha1(user.username, HashKind::md5).has_value();
    if (answers != ((user.known & bit(HashKind::md5)) != 0)) std::abort();
  });
  if (seen != users->size()) std::abort();
  return 0;
}
