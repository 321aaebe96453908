#include "ringweir/control/name_book.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "ringweir/base/limits.h"

namespace ringweir::control {
namespace {

constexpr std::uint16_t kSipPort = 5060;

bool equal_any_case(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

}  // namespace

std::vector<Resolved> places_of(const Target& target, const NameBook& book) {
  if (const auto ip = parse_ip(target.host)) {
    return {{{*ip, target.port != 0 ? target.port : kSipPort}, {}, kWholeWeight, 0}};
  }
  const auto found = book.find({target.host, target.port});
  return found == book.end() ? std::vector<Resolved>() : found->second;
}

std::vector<Name> names_in(const Config& config) {
  std::set<Name> names;
  for (const Upstream& upstream : config.upstreams) {
    for (const Target& target : upstream.targets) {
      if (!parse_ip(target.host)) names.emplace(target.host, target.port);
    }
  }
  return {names.begin(), names.end()};
}

std::string srv_domain(std::string_view name, std::span<const NaptrRecord> records) {
  const NaptrRecord* best = nullptr;
  for (const NaptrRecord& each : records) {
    const bool usable = equal_any_case(each.service, "SIP+D2U") && equal_any_case(each.flags, "s") &&
                        !each.replacement.empty();
    if (!usable) continue;
    if (!best || std::tie(each.order, each.preference) < std::tie(best->order, best->preference))
      best = &each;
  }
  return best ? best->replacement : "_sip._udp." + std::string(name);
}

bool denies_service(std::span<const SrvRecord> records) noexcept {
  return records.size() == 1 && (records[0].target.empty() || records[0].target == ".");
}

std::vector<Resolved> places_of(std::span<const SrvRecord> records,
                                const std::map<std::string, std::vector<IpAddress>>& addresses) {
  if (denies_service(records)) return {};
  struct Level {
    std::uint64_t weight = 0, records = 0;
  };
  std::map<std::uint16_t, Level> levels;
  for (const SrvRecord& each : records) {
    Level& level = levels[each.priority];
    level.weight += each.weight;
    ++level.records;
  }
  std::vector<SrvRecord> sorted(records.begin(), records.end());
  std::ranges::sort(sorted, {}, [](const SrvRecord& r) { return std::tuple(r.priority, r.target, r.port); });
  std::vector<Resolved> places;
  for (const SrvRecord& each : sorted) {
    const auto found = addresses.find(each.target);
    if (found == addresses.end()) continue;
    const Level& level = levels[each.priority];
    // RFC 2782: weight 0 has a very small chance beside others, and an equal one where all have it.
    const std::uint64_t share =
        level.weight == 0 ? kWholeWeight : each.weight * kWholeWeight * level.records / level.weight;
    for (const IpAddress& ip : found->second) {
      if (places.size() == limits::kTargetsPerUpstreamMax) return places;
      places.push_back({{ip, each.port},
                        each.target,
                        static_cast<std::uint32_t>(std::max<std::uint64_t>(share, 1)),
                        each.priority});
    }
  }
  return places;
}

std::vector<Resolved> places_of(std::string_view name, std::uint16_t port,
                                std::span<const IpAddress> addresses) {
  std::vector<IpAddress> sorted(addresses.begin(), addresses.end());
  std::ranges::sort(sorted);  // DNS turns its answers around; the order of targets must not change for it
  std::vector<Resolved> places;
  for (const IpAddress& ip : sorted) {
    if (places.size() == limits::kTargetsPerUpstreamMax) break;
    places.push_back({{ip, port != 0 ? port : kSipPort}, std::string(name), kWholeWeight, 0});
  }
  return places;
}

}  // namespace ringweir::control
