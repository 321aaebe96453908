// What is wrong with a configuration, and where.
#pragma once
#include <string>
#include <vector>

namespace ringweir::control {

// A place in a text; line and column from 1, 0 when there is none. Two values are equal wherever they stand.
struct Place {
  int line = 0;
  int column = 0;
  friend bool operator==(const Place&, const Place&) noexcept { return true; }
};

struct Diagnostic {
  std::string file;
  int line = 0;
  int column = 0;
  std::string text;  // a sentence; never contains a secret
};
using Diagnostics = std::vector<Diagnostic>;

std::string to_string(const Diagnostic& diagnostic);  // file:line:column: text

}  // namespace ringweir::control
