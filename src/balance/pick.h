// One picker a family of algorithms, each within one level. Those that take Candidates get at least one.
#pragma once
#include <optional>

#include "balance/candidates.h"

namespace ringweir::balance {

std::optional<Pick> pick_by_hash(const Asking& asking, const Upstream::Level& level,
                                 std::uint64_t hash) noexcept;
Pick pick_in_turn(Turns& turns, const Candidates& candidates) noexcept;
Pick pick_least_calls(const Asking& asking, const Candidates& candidates) noexcept;
Pick pick_least_outstanding(const Asking& asking, const Candidates& candidates) noexcept;
Pick pick_peak_ewma(const Asking& asking, const Candidates& candidates) noexcept;

}  // namespace ringweir::balance
