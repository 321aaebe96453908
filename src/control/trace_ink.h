// Colours of traces; plain text when there is no terminal.
#pragma once
#include <string>
#include <string_view>

#include "control/trace_notes.h"

namespace ringweir::control {

struct Ink {
  bool colour;

  std::string painted(std::string_view code, std::string_view text) const {
    if (!colour) return std::string(text);
    return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
  }
  std::string dim(std::string_view text) const { return painted("2", text); }
  std::string bold(std::string_view text) const { return painted("1", text); }
  // Requests cyan; responses by class: 1xx and 2xx green, 3xx and 4xx yellow, the rest red.
  std::string start_line(const TraceNotes& notes, std::string_view text) const {
    if (notes.request) return painted("36", text);
    if (notes.status == 0) return painted("31", text);
    return painted(notes.status < 300 ? "32" : notes.status < 500 ? "33" : "31", text);
  }
};

}  // namespace ringweir::control
