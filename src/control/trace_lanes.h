// Who stands where in a ladder: the caller, the edge, then those the edge spoke to in the order it did.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "control/trace_notes.h"
#include "ringweir/control/trace_view.h"

namespace ringweir::control {

struct Lane {
  std::string name;
  std::string address;  // empty: several peers share the lane, and each line says which
};

class Lanes {
 public:
  static constexpr std::size_t kCaller = 0, kEdge = 1;
  // Beyond them the rest share the last lane: six lanes and a CSeq fit 200 columns.
  static constexpr std::size_t kTargetsMax = 4;

  // `notes` are those of `entries`, which are not empty.
  Lanes(std::span<const shard::TraceEntry> entries, std::span<const TraceNotes> notes,
        std::span<const PeerName> names);

  const std::vector<Lane>& lanes() const noexcept { return lanes_; }
  std::size_t columns_between() const noexcept;
  std::size_t of(const Endpoint& peer) const noexcept;

 private:
  std::vector<Lane> lanes_;
  std::vector<Endpoint> targets_;
};

}  // namespace ringweir::control
