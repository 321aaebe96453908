#include <fmt/format.h>

#include <map>
#include <vector>

#include "control/trace_ink.h"
#include "control/trace_lanes.h"
#include "control/trace_notes.h"
#include "ringweir/control/trace_view.h"

namespace ringweir::control {
namespace {

struct Arrow {
  std::size_t from, to;  // lanes
  const shard::TraceEntry* entry;
  const TraceNotes* notes;
  std::uint32_t repeat;  // 0 for the first of its kind, then 1, 2, ...
};

struct Strokes {
  std::string_view lifeline, line, head_right, head_left;
};
constexpr Strokes kPlain{"|", "-", ">", "<"};
constexpr Strokes kBoxes{"\u2502", "\u2500", "\u25b6", "\u25c0"};

constexpr std::size_t kMargin = 31;  // columns before the first lifeline: time, delta

std::string spaces(std::size_t n) { return std::string(n, ' '); }

std::string repeated(std::string_view stroke, std::size_t n) {
  std::string text;
  while (n-- > 0) text += stroke;
  return text;
}

// Columns a UTF-8 text takes, near enough: one a code point.
std::size_t columns(std::string_view text) {
  std::size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return n;
}

std::string cut(std::string_view text, std::size_t most) {
  if (columns(text) <= most) return std::string(text);
  std::size_t at = 0, n = 0;
  while (n < most - 2) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) ++at;
    ++n;
  }
  return std::string(text.substr(0, at)) + "..";
}

std::string centred(std::string_view text, std::size_t width) {
  const std::size_t n = columns(text);
  const std::size_t left = n < width ? (width - n) / 2 : 0;
  return spaces(left) + std::string(text) + spaces(n + left < width ? width - n - left : 0);
}

// Names of lanes stand centred over their lifelines.
std::string heading(const Lanes& lanes, std::string Lane::* part) {
  const std::size_t between = lanes.columns_between();
  std::string line = spaces(kMargin - between / 2);
  for (const Lane& lane : lanes.lanes()) line += centred(cut(lane.*part, between - 2), between);
  while (line.ends_with(' ')) line.pop_back();
  return line + '\n';
}

std::string delta(std::int64_t us) {
  if (us < 0) return fmt::format("-{:.3f} ms", static_cast<double>(-us) / 1000);
  if (us >= 10'000'000) return fmt::format("+{:.3f} s", static_cast<double>(us) / 1e6);
  return fmt::format("+{:.3f} ms", static_cast<double>(us) / 1000);
}

// The columns from the arrow's left lane to its right one, those between crossed. The start line stands where it comes from.
std::string shaft(const Arrow& arrow, std::size_t between, const Ink& ink, const Strokes& strokes) {
  const bool right = arrow.to > arrow.from;
  const std::size_t hops = right ? arrow.to - arrow.from : arrow.from - arrow.to;
  const std::size_t width = hops * between - 1;
  const std::string label = cut(arrow.notes->start, between - 8);
  const std::string painted = ink.start_line(*arrow.notes, label);
  const std::size_t rest = width - 2 - 2 - columns(label) - 1;  // two strokes, blanks round the label, the head
  if (right) {
    return fmt::format("{} {} {}{}", repeated(strokes.line, 2), painted, repeated(strokes.line, rest), strokes.head_right);
  }
  return fmt::format("{}{} {} {}", strokes.head_left, repeated(strokes.line, rest), painted, repeated(strokes.line, 2));
}

std::string row(const Arrow& arrow, const Lanes& lanes, const Ink& ink, const Strokes& strokes) {
  const std::size_t left = std::min(arrow.from, arrow.to), right = std::max(arrow.from, arrow.to);
  const std::size_t count = lanes.lanes().size(), between = lanes.columns_between();
  std::string text;
  for (std::size_t lane = 0; lane < count; ++lane) {
    text += strokes.lifeline;
    if (lane == left) {
      text += shaft(arrow, between, ink, strokes);
      lane = right - 1;  // the shaft passed over what is between
    } else if (lane + 1 < count) {
      text += spaces(between - 1);
    }
  }
  return text;
}

std::string remarks(const Arrow& arrow, const Lanes& lanes, std::uint32_t shard) {
  std::string text = arrow.notes->cseq;
  const auto add = [&](std::string_view more) {
    if (!more.empty()) text += (text.empty() ? "" : "  ") + std::string(more);
  };
  add(arrow.notes->remarks);
  if (arrow.repeat > 0) add(fmt::format("[retransmission {}]", arrow.repeat));
  const bool in = arrow.entry->direction == shard::Direction::in;
  if (const std::string peer = to_string(arrow.entry->peer); peer != lanes.lanes()[in ? arrow.from : arrow.to].address) {
    add(fmt::format("[{} {}]", in ? "from" : "to", peer));
  }
  if (arrow.entry->shard != shard) add(fmt::format("[shard {}]", arrow.entry->shard));
  return text;
}

std::vector<Arrow> arrows_of(std::span<const shard::TraceEntry> entries, std::span<const TraceNotes> notes, const Lanes& lanes) {
  std::vector<Arrow> arrows;
  std::map<std::pair<shard::Direction, std::string_view>, std::uint32_t> seen;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const bool in = entries[i].direction == shard::Direction::in;
    const std::size_t peer = lanes.of(entries[i].peer);
    const std::uint32_t repeat = seen[{entries[i].direction, notes[i].identity}]++;
    arrows.push_back({in ? peer : Lanes::kEdge, in ? Lanes::kEdge : peer, &entries[i], &notes[i], repeat});
  }
  return arrows;
}

}  // namespace

std::string render_ladder(std::string_view call_id, std::span<const shard::TraceEntry> entries, const TraceStyle& style,
                          std::span<const PeerName> names) {
  const Ink ink{style.colour};
  const Strokes& strokes = style.colour ? kBoxes : kPlain;
  std::string out = "Call-ID " + ink.bold(printable(call_id)) + '\n';
  if (entries.empty()) return out + "no messages\n";

  std::vector<TraceNotes> notes;
  for (const shard::TraceEntry& entry : entries) notes.push_back(read_notes(entry.text));
  const Lanes lanes(entries, notes, names);
  const std::vector<Arrow> arrows = arrows_of(entries, notes, lanes);
  const std::uint32_t shard = entries[0].shard;
  if (!notes[0].from_user.empty()) out += fmt::format("from {}, ", notes[0].from_user);
  out += fmt::format("shard {}, {} message{}\n\n", shard, entries.size(), entries.size() == 1 ? "" : "s");
  out += heading(lanes, &Lane::name) + heading(lanes, &Lane::address);

  std::int64_t before_us = entries[0].wall_us;
  for (const Arrow& arrow : arrows) {
    const std::string passed = &arrow == &arrows[0] ? "" : delta(arrow.entry->wall_us - before_us);
    before_us = arrow.entry->wall_us;
    std::string line = fmt::format("{} {} {}", ink.dim(format_time_of_day(arrow.entry->wall_us, style)),
                                   ink.dim(fmt::format("{:>13}", passed)), row(arrow, lanes, ink, strokes));
    if (const std::string said = remarks(arrow, lanes, shard); !said.empty()) line += "  " + said;
    out += line + '\n';
  }
  return out;
}

}  // namespace ringweir::control
