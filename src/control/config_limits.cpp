// The section `limits`: the largest message, and how much is too much.
#include "control/config_sections.h"
#include "ringweir/base/limits.h"

namespace ringweir::control {
namespace {

constexpr std::uint32_t kBurstMax = 1'000'000;
constexpr std::uint64_t kRateMax = 1'000'000;
constexpr std::size_t kTrustedMax = 256;

void read_per_source(Section& section, std::optional<SourceRate>& out) {
  const YamlEntry* found = section.entry("per_source");
  if (!found) return;
  Section shape(section.reader(), found->value, "limits.per_source");
  SourceRate read;
  const bool has_rate = shape.need("rate", "rate: 50/s") && shape.rate("rate", read.rate);
  if (has_rate && (read.rate < 1 || read.rate > kRateMax)) {
    return section.reader().report(shape.take("rate")->at,
                                   "limits.per_source.rate is from 1/s to " + std::to_string(kRateMax) + "/s");
  }
  if (!shape.number("burst", read.burst, 1, kBurstMax)) {
    read.burst = static_cast<std::uint32_t>(std::min<std::uint64_t>(4 * read.rate, kBurstMax));
  }
  if (has_rate) out = read;
}

void read_trusted(Section& section, std::vector<Network>& out) {
  section.list("trusted", [&](const YamlNode& item) {
    Reader& reader = section.reader();
    const std::string* text = reader.plain(item, "limits.trusted");
    if (!text) return;
    const auto network = parse_network(*text);
    if (!network) {
      return reader.report(item.at, "limits.trusted: " + in_quotes(*text) +
                                        " is no address and no range of them, such as 10.0.0.0/8");
    }
    if (out.size() == kTrustedMax) return reader.report(item.at, "limits.trusted has too many entries");
    out.push_back(*network);
  });
}

}  // namespace

void read_limits(Section& root, Limits& limits) {
  const YamlNode* found = root.take("limits");
  if (!found) return;
  Section section(root.reader(), *found, "limits");
  std::uint64_t octets = limits.max_message;
  // 64KiB is what people write; the largest message has one octet less, as a datagram's length has sixteen
  // bits.
  if (section.size("max_message", octets, 1'024, 65'536)) {
    limits.max_message =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(octets, limits::kMessageBytesMax));
  }
  read_per_source(section, limits.per_source);
  read_trusted(section, limits.trusted);
  section.boolean("failed_auth", limits.failed_auth);
  if (const YamlEntry* overload = section.entry("overload")) {
    Section shape(root.reader(), overload->value, "limits.overload");
    shape.boolean("enabled", limits.overload.enabled);
    shape.duration("target", limits.overload.target, 1ms, 1s);
    shape.boolean("sieve", limits.overload.sieve);
  }
}

}  // namespace ringweir::control
