// How commands print: tables or JSON, colour only on a terminal, one line for an error.
#pragma once
#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "ringweir/app/command.h"

namespace ringweir::app {

struct OutputOption {
  std::string format = "table";
  bool json() const { return format == "json"; }
};
// -o table|json
void add_output_option(CLI::App& command, OutputOption& option);

bool on_terminal();  // standard output
void print(const std::string& text);
// "ringweir: ..." on standard error; returns the code.
int fail(int code, const std::string& what);

using Row = std::vector<std::string>;
// Columns as wide as their widest cell, the head first; nothing is cut.
std::string table(const Row& head, const std::vector<Row>& rows);

}  // namespace ringweir::app
