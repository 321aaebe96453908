#include "ringweir/sip/token_list.h"

#include "sip/characters.h"

namespace ringweir::sip {

std::string_view next_token(std::string_view& list) noexcept {
  Cursor c(list);
  while (!c.done() && (*c.at == ',' || is(*c.at, kLws))) ++c.at;
  const char* const start = c.at;
  while (!c.done() && *c.at != ',' && !is(*c.at, kLws)) ++c.at;
  const std::string_view token = c.since(start);
  list = c.rest();
  return token;
}

bool contains_token(std::string_view list, std::string_view token) noexcept {
  for (std::string_view next = next_token(list); !next.empty(); next = next_token(list)) {
    if (equals_any_case(next, token)) return true;
  }
  return false;
}

}  // namespace ringweir::sip
