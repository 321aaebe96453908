#include "control/trace_lanes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace ringweir::control {
namespace {

std::string name_among(std::span<const PeerName> names, const Endpoint& peer, std::string otherwise) {
  const auto named = std::ranges::find(names, peer, &PeerName::peer);
  return named == names.end() ? std::move(otherwise) : printable(named->name);
}

// A target that the edge rewrote the request URI for is a phone that was looked up: RFC 3261 16.6 step 2.
std::string target_name(const TraceNotes& sent, const TraceNotes& first) {
  return sent.request && !sent.uri_user.empty() && sent.uri_host != first.uri_host ? sent.uri_user : "target";
}

}  // namespace

Lanes::Lanes(std::span<const shard::TraceEntry> entries, std::span<const TraceNotes> notes,
             std::span<const PeerName> names) {
  const Endpoint& caller = entries[0].peer;
  std::vector<std::string> target_names;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    // Whom we asked, or who answered: a phone whose port changed does neither, and stays the caller.
    const bool asked =
        (entries[i].direction == shard::Direction::out) == notes[i].request && !notes[i].cseq.empty();
    if (!asked || entries[i].peer == caller || std::ranges::find(targets_, entries[i].peer) != targets_.end())
      continue;
    targets_.push_back(entries[i].peer);
    target_names.push_back(name_among(names, entries[i].peer, target_name(notes[i], notes[0])));
  }
  const std::string user = notes[0].from_user.substr(0, notes[0].from_user.find('@'));
  lanes_.push_back({name_among(names, caller,
                               targets_.empty() ? "phone"
                               : user.empty()   ? "caller"
                                                : user),
                    to_string(caller)});
  lanes_.push_back({"edge", to_string(entries[0].local)});
  const bool shared = targets_.size() > kTargetsMax;
  const std::size_t alone = shared ? kTargetsMax - 1 : targets_.size();
  for (std::size_t i = 0; i < alone; ++i) lanes_.push_back({target_names[i], to_string(targets_[i])});
  if (shared) lanes_.push_back({fmt::format("{} others", targets_.size() - alone), {}});
}

std::size_t Lanes::columns_between() const noexcept {
  constexpr std::array<std::size_t, 2 + kTargetsMax + 1> kBetween{50, 50, 50, 34, 34, 30, 26};
  return kBetween[lanes_.size()];
}

std::size_t Lanes::of(const Endpoint& peer) const noexcept {
  const auto target = std::ranges::find(targets_, peer);
  if (target == targets_.end()) return kCaller;
  return std::min(kEdge + 1 + static_cast<std::size_t>(target - targets_.begin()), lanes_.size() - 1);
}

}  // namespace ringweir::control
