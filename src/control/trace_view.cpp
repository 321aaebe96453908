#include "ringweir/control/trace_view.h"

#include <fmt/format.h>

#include "control/trace_ink.h"
#include "control/trace_notes.h"

namespace ringweir::control {
namespace {

// Length of the UTF-8 sequence at the front of `text`; 0 when it is not one, or is a C1 control.
std::size_t utf8_length(std::string_view text) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = octet(0);
  const std::size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (octet(i) >> 6 != 2) return 0;
  }
  if (length == 2 && (lead < 0xc2 || (lead == 0xc2 && octet(1) < 0xa0))) return 0;  // overlong, C1
  if (length == 3 && lead == 0xe0 && octet(1) < 0xa0) return 0;
  // Marks that turn the direction of writing could make a line say what it does not.
  if (length == 3 && lead == 0xe2 && ((octet(1) == 0x80 && octet(2) >= 0xa8 && octet(2) <= 0xae) ||
                                      (octet(1) == 0x81 && octet(2) >= 0xa6 && octet(2) <= 0xa9))) {
    return 0;
  }
  return length;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text[0]);
    const std::size_t length = c < 0x20 || c == 0x7f ? 0 : utf8_length(text);
    if (length != 0) {
      out += text.substr(0, length);
      text.remove_prefix(length);
      continue;
    }
    out += c == '\t' ? std::string(" ") : fmt::format("\\x{:02x}", c);
    text.remove_prefix(1);
  }
  return out;
}

std::string format_time_of_day(std::int64_t wall_us, const TraceStyle& style) {
  constexpr std::int64_t kDayUs = 86'400'000'000;
  std::int64_t us = (wall_us + std::int64_t{style.utc_offset_s} * 1'000'000) % kDayUs;
  if (us < 0) us += kDayUs;
  const std::int64_t s = us / 1'000'000;
  return fmt::format("{:02}:{:02}:{:02}.{:06}", s / 3600, s / 60 % 60, s % 60, us % 1'000'000);
}

std::string render_message(const shard::TraceEntry& entry, const TraceStyle& style) {
  const TraceNotes notes = read_notes(entry.text);
  const Ink ink{style.colour};
  std::string line = fmt::format("{} s{} {} {:<21}  {}", ink.dim(format_time_of_day(entry.wall_us, style)), entry.shard,
                                 entry.direction == shard::Direction::in ? "<-" : "->", to_string(entry.peer),
                                 ink.start_line(notes, notes.start));
  if (!notes.cseq.empty()) line += fmt::format("  ({})", notes.cseq);
  if (!notes.remarks.empty()) line += "  " + ink.dim(notes.remarks);
  return line + '\n';
}

std::string render_message_full(const shard::TraceEntry& entry, const TraceStyle& style) {
  std::string out = render_message(entry, style);
  std::string_view rest = entry.text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    out += line.empty() ? "" : "    " + printable(line);
    out += '\n';
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (!out.ends_with("\n\n")) out += '\n';
  return out;
}

}  // namespace ringweir::control
