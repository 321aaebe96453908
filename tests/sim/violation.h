// What a check found.
#pragma once
#include <string>

namespace ringweir::sim {

struct Violation {
  std::string kind;  // as in --break's table
  std::string text;
};

}  // namespace ringweir::sim
