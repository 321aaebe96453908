#include "app/output.h"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace ringweir::app {

void add_output_option(CLI::App& command, OutputOption& option) {
  command.add_option("-o,--output", option.format, "table or json")->check(CLI::IsMember({"table", "json"}))->capture_default_str();
}

bool on_terminal() {
  static const bool yes = [] {
    const char* const term = std::getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && !std::getenv("NO_COLOR") && term && std::string_view(term) != "dumb";
  }();
  return yes;
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

int fail(int code, const std::string& what) {
  std::fprintf(stderr, "ringweir: %s\n", what.c_str());
  return code;
}

std::string table(const Row& head, const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(head.size());
  const auto measure = [&](const Row& row) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  };
  measure(head);
  for (const Row& row : rows) measure(row);
  std::string out;
  const auto write = [&](const Row& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - row[i].size() + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  };
  write(head);
  for (const Row& row : rows) write(row);
  return out;
}

}  // namespace ringweir::app
