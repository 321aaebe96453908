#include "control/config_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace ringweir::control {
namespace {

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) noexcept {
  return (c | 32) >= 'a' && (c | 32) <= 'z';
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr Unit kTimeUnits[] = {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr Unit kSizeUnits[] = {{"B", 1},
                               {"KB", 1'000},
                               {"MB", 1'000'000},
                               {"GB", 1'000'000'000},
                               {"KiB", 1ull << 10},
                               {"MiB", 1ull << 20},
                               {"GiB", 1ull << 30}};
constexpr std::uint64_t kMillisecondsMax = 10ull * 365 * 86'400'000;

std::string_view take_digits(std::string_view& text) noexcept {
  std::size_t n = 0;
  while (n < text.size() && is_digit(text[n])) ++n;
  const std::string_view digits = text.substr(0, n);
  text.remove_prefix(n);
  return digits;
}

std::string_view take_letters(std::string_view& text) noexcept {
  std::size_t n = 0;
  while (n < text.size() && is_letter(text[n])) ++n;
  const std::string_view letters = text.substr(0, n);
  text.remove_prefix(n);
  return letters;
}

std::optional<std::uint64_t> scaled(std::string_view digits, std::uint64_t factor) noexcept {
  std::uint64_t value = 0;
  const auto r = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (r.ec != std::errc{} || __builtin_mul_overflow(value, factor, &value)) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> factor_of(std::span<const Unit> units, std::string_view name) noexcept {
  const auto unit = std::ranges::find(units, name, &Unit::name);
  return unit == units.end() ? std::nullopt : std::optional(unit->factor);
}

// Optimal string alignment: one insertion, deletion, substitution or swap of neighbours costs one. Case costs
// nothing.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  const auto fold = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      const bool same = fold(a[i - 1]) == fold(b[j - 1]);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + !same});
      const bool swapped =
          i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]);
      if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::size_t utf8_size(std::string_view text) noexcept {
  if (text.empty()) return 0;
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = at(0);
  const std::size_t size = first < 0x80       ? 1
                           : first >> 5 == 6  ? 2
                           : first >> 4 == 14 ? 3
                           : first >> 3 == 30 ? 4
                                              : 0;
  if (size == 0 || text.size() < size) return 0;
  std::uint32_t code = size == 1 ? first : first & (0x7fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if (at(i) >> 6 != 2) return 0;
    code = code << 6 | (at(i) & 0x3f);
  }
  constexpr std::array<std::uint32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < kLeast[size] || code > 0x10ffff || surrogate ? 0 : size;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 60;
  if (text.size() <= kShown) return "'" + std::string(text) + "'";
  std::size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not inside a character
  return "'" + std::string(text.substr(0, end)) + "...'";
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.empty() || word.size() > 64) return {};
  std::string_view best;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > 64) continue;
    const std::size_t d = distance(word, candidate);
    if (d >= least) continue;
    least = d;
    best = candidate;
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  const std::string_view best = nearest(word, candidates);
  return best.empty() ? "" : ", did you mean '" + std::string(best) + "'?";
}

Parsed<std::uint64_t> parse_number(std::string_view text) {
  std::string_view rest = text;
  const std::string_view digits = take_digits(rest);
  if (digits.empty() || !rest.empty()) return std::unexpected(in_quotes(text) + " is not a whole number");
  const auto value = scaled(digits, 1);
  if (!value) return std::unexpected(in_quotes(text) + " is too large");
  return *value;
}

Parsed<Duration> parse_duration(std::string_view text) {
  const std::string wrong = in_quotes(text) + " is not a duration: write 500ms, 30s, 5m, 1h or 1d";
  std::uint64_t total = 0;
  std::string_view rest = text;
  do {
    const std::string_view digits = take_digits(rest);
    if (digits.empty()) return std::unexpected(wrong);
    if (rest.empty()) {
      return std::unexpected(in_quotes(text) + " has no unit: write " + in_quotes(std::string(text) + "s") +
                             " for seconds (ms, s, m, h, d)");
    }
    const std::string_view name = take_letters(rest);
    const auto factor = factor_of(kTimeUnits, name);
    if (!factor) return std::unexpected(wrong);
    const auto part = scaled(digits, *factor);
    if (!part || *part > kMillisecondsMax || (total += *part) > kMillisecondsMax) {
      return std::unexpected(in_quotes(text) + " is longer than ten years");
    }
  } while (!rest.empty());
  return std::chrono::milliseconds(total);
}

Parsed<std::uint64_t> parse_size(std::string_view text) {
  std::string_view rest = text;
  const std::string_view digits = take_digits(rest);
  if (!digits.empty() && rest.empty()) {
    return std::unexpected(in_quotes(text) + " has no unit: write " + in_quotes(std::string(text) + "B") +
                           " for octets (B, KiB, MiB, GiB)");
  }
  const auto factor = factor_of(kSizeUnits, rest);
  if (digits.empty() || !factor) {
    return std::unexpected(in_quotes(text) + " is not a size: write 1500B, 64KiB, 2MiB or 1GiB");
  }
  const auto value = scaled(digits, *factor);
  if (!value) return std::unexpected(in_quotes(text) + " is too large");
  return *value;
}

Parsed<std::uint64_t> parse_rate(std::string_view text) {
  std::string_view rest = text;
  const std::string_view digits = take_digits(rest);
  if (!digits.empty() && rest.empty()) {
    return std::unexpected(in_quotes(text) + " has no unit: write " + in_quotes(std::string(text) + "/s"));
  }
  if (digits.empty() || (rest != "/s" && rest != "/m")) {
    return std::unexpected(in_quotes(text) + " is not a rate: write 50/s or 600/m");
  }
  const auto value = scaled(digits, 1);
  if (!value) return std::unexpected(in_quotes(text) + " is too large");
  if (rest == "/s") return *value;
  if (*value % 60 != 0) return std::unexpected(in_quotes(text) + " is not a whole number a second");
  return *value / 60;
}

Parsed<bool> parse_bool(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::unexpected(in_quotes(text) + " is not true or false");
}

bool is_token(std::string_view text) noexcept {
  constexpr std::string_view kMarks = "-.!%*_+`'~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return is_letter(c) || is_digit(c) || kMarks.find(c) != kMarks.npos;
  });
}

bool is_host_name(std::string_view text) noexcept {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > 253) return false;
  std::size_t label = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || text[i] == '.') {
      if (label == 0 || label > 63 || text[i - 1] == '-') return false;
      label = 0;
      continue;
    }
    const bool inner =
        is_letter(text[i]) || is_digit(text[i]) || text[i] == '_' || (text[i] == '-' && label > 0);
    if (!inner) return false;
    ++label;
  }
  return true;
}

}  // namespace ringweir::control
