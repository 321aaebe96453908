// Maglev, and what happens to the keys of a target that may not be used.
#include <cmath>

#include "balance/pick.h"

namespace ringweir::balance {
namespace {

// Looks into the table before the scan. With half of the targets gone, one key in 65,536 comes to the scan.
constexpr std::uint32_t kLooksMax = 16;

// A target in its slow start takes the part of its keys whose draw lies under its share: a key that has come
// back stays.
bool takes(const Asking& asking, std::uint8_t index, std::uint64_t hash) noexcept {
  const std::uint32_t share = asking.share(index);
  if (share == TargetState::kShareFull) return true;
  const std::uint64_t draw = rehash(hash ^ identity_of(asking.target(index).endpoint), 0x51);
  return reduce(draw, TargetState::kShareFull) < share;
}

// Weighted rendezvous (Thaler and Ravishankar 1998): of the usable ones the greatest draw, so that here too a
// target that comes or goes moves its own keys only.
std::optional<Pick> greatest_draw(const Asking& asking, const Upstream::Level& level,
                                  std::uint64_t hash) noexcept {
  std::optional<Pick> best;
  double greatest = 0;
  for (const std::uint8_t index : level.members) {
    if (!asking.usable(index)) continue;
    const std::uint64_t draw = rehash(hash ^ identity_of(asking.target(index).endpoint), 0x52);
    const double unit = (static_cast<double>(draw >> 11) + 0.5) * 0x1p-53;  // inside (0, 1)
    const double score = asking.target(index).weight / -std::log(unit);
    if (!best || score > greatest) {
      greatest = score;
      best = Pick{.index = index, .looks = 255, .displaced = true, .figure = Maglev::slot(hash)};
    }
  }
  return best;
}

}  // namespace

std::optional<Pick> pick_by_hash(const Asking& asking, const Upstream::Level& level,
                                 std::uint64_t hash) noexcept {
  std::uint64_t look = hash;
  for (std::uint32_t n = 0; n < kLooksMax; look = rehash(hash, ++n)) {
    const std::uint8_t index = level.members[level.maglev.at(look)];
    if (asking.usable(index) && takes(asking, index, hash)) {
      return Pick{.index = index,
                  .looks = static_cast<std::uint8_t>(n + 1),
                  .displaced = n != 0,
                  .figure = Maglev::slot(look)};
    }
  }
  return greatest_draw(asking, level, hash);
}

}  // namespace ringweir::balance
