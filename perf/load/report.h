// Prints what a run found: a table for people, one JSON object for programs.
#pragma once
#include <optional>

#include "options.h"
#include "outcome.h"
#include "peers.h"

namespace ringweir::load {

struct Result {
  Outcome outcome;
  std::optional<Outcome> registered_first;
  TrafficCount traffic;
};

void print(const Options& options, const Result& result);

}  // namespace ringweir::load
