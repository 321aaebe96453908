// A configuration as a list of settings, and what a reload would change.
#pragma once
#include <string>
#include <vector>

#include "ringweir/control/config.h"

namespace ringweir::control {

struct Setting {
  std::string path;  // "registrar.max_expires", "listeners.sip.bind"
  std::string text;  // "2h"; "(secret)" for one
  bool restart_only = false;
  Secret identity;  // what tells two secrets apart; never printed
};
// "method REGISTER: register local": the route at `index`, from 0.
std::string describe_route(const Config& config, std::size_t index);
// Every setting with its value, defaults too, in the order of the file format.
std::vector<Setting> settings(const Config& config);

struct Changes {
  std::vector<std::string> applied;        // "registrar.max_expires: 2h -> 1h"
  std::vector<std::string> needs_restart;  // the same, each with the sentence that says so
  bool empty() const noexcept { return applied.empty() && needs_restart.empty(); }
};
// The contents of user files are not part of it: who reloads compares what load_users gave.
Changes describe_changes(const Config& before, const Config& after);

std::string format_duration(Duration d);        // "90s", "2h", "1500ms": the largest unit that divides it
std::string format_size(std::uint64_t octets);  // "64KiB", "1500B"

}  // namespace ringweir::control
