// Header field names as a table that is looked up without a comparison too many. Private to src/sip.
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "ringweir/sip/header.h"

namespace ringweir::sip {

namespace detail {
static_assert(std::endian::native == std::endian::little, "the first octet is the word's lowest");

// In the order of HeaderId.
inline constexpr std::array<std::string_view, kHeaderIds> kHeaderNames = {"",
                                                                          "Via",
                                                                          "From",
                                                                          "To",
                                                                          "Call-ID",
                                                                          "CSeq",
                                                                          "Contact",
                                                                          "Max-Forwards",
                                                                          "Expires",
                                                                          "Min-Expires",
                                                                          "Authorization",
                                                                          "Proxy-Authorization",
                                                                          "WWW-Authenticate",
                                                                          "Proxy-Authenticate",
                                                                          "Authentication-Info",
                                                                          "Content-Length",
                                                                          "Content-Type",
                                                                          "Content-Encoding",
                                                                          "Route",
                                                                          "Record-Route",
                                                                          "Require",
                                                                          "Proxy-Require",
                                                                          "Supported",
                                                                          "Unsupported",
                                                                          "Allow",
                                                                          "Accept",
                                                                          "User-Agent",
                                                                          "Server",
                                                                          "Path",
                                                                          "Service-Route",
                                                                          "Event",
                                                                          "Refer-To",
                                                                          "Referred-By",
                                                                          "Retry-After",
                                                                          "Date",
                                                                          "Warning",
                                                                          "Subject",
                                                                          "Timestamp",
                                                                          "RAck",
                                                                          "RSeq",
                                                                          "Session-Expires",
                                                                          "Min-SE",
                                                                          "Allow-Events",
                                                                          "Max-Breadth",
                                                                          "Identity"};

struct CompactForm {
  char letter;
  HeaderId id;
};
// RFC 3261 7.3.3 and IANA's table
inline constexpr CompactForm kCompactForms[] = {
    {'v', HeaderId::via},          {'f', HeaderId::from},
    {'t', HeaderId::to},           {'i', HeaderId::call_id},
    {'m', HeaderId::contact},      {'l', HeaderId::content_length},
    {'c', HeaderId::content_type}, {'e', HeaderId::content_encoding},
    {'k', HeaderId::supported},    {'o', HeaderId::event},
    {'r', HeaderId::refer_to},     {'b', HeaderId::referred_by},
    {'s', HeaderId::subject},      {'x', HeaderId::session_expires},
    {'u', HeaderId::allow_events}, {'y', HeaderId::identity}};

inline constexpr std::size_t kNameMin = 2, kNameMax = 24;
inline constexpr std::size_t kSlots = 256;

// A spelling as three words that cover it (the last two overlap what is before them), in lower case, and 0x20
// where a letter may differ by case: (octets | any_case) == lower.
struct alignas(64) Spelling {
  std::uint64_t lower[3], any_case[3];
  std::uint32_t size;
  HeaderId id;
};

constexpr std::size_t slot(std::uint64_t head, std::size_t size, std::uint64_t seed) {
  return ((head | 0x2020202020202020) + size) * seed >> 56;
}

struct NameTable {
  std::array<Spelling, kSlots> at{};   // size 0 where free
  std::array<HeaderId, 32> compact{};  // by the letter's low five bits
  std::uint64_t seed = 0;
};

// `size` octets as the low ones of a word, the first lowest.
constexpr std::uint64_t word_of(std::string_view text, std::size_t at, std::size_t size) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < size; ++i) {
    word |= std::uint64_t{static_cast<unsigned char>(text[at + i])} << (8 * i);
  }
  return word;
}

// Which octets each of the three words takes, for a name of `size`.
struct Piece {
  std::size_t at, size;
};
constexpr std::array<Piece, 3> pieces(std::size_t size) {
  if (size <= 8) return {{{0, size}, {0, 0}, {0, 0}}};
  if (size <= 16) return {{{0, 8}, {size - 8, 8}, {0, 0}}};
  return {{{0, 8}, {size - 8, 8}, {8, 8}}};
}

// The first eight octets and the size tell all names apart; the seed that puts each in a slot of its own is
// found when this is compiled.
constexpr bool fill(NameTable& table, std::uint64_t seed) {
  table.seed = seed;
  std::array<bool, kSlots> taken{};
  for (std::size_t id = 1; id < kHeaderIds; ++id) {
    const std::string_view name = kHeaderNames[id];
    bool& place = taken[slot(word_of(name, 0, name.size() < 8 ? name.size() : 8), name.size(), seed)];
    if (place) return false;
    place = true;
  }
  return true;
}

consteval NameTable name_table() {
  NameTable table;
  std::uint64_t seed = 0x9e3779b97f4a7c15;
  while (!fill(table, seed)) seed = (seed * 6364136223846793005u + 1442695040888963407u) | 1u;
  for (const CompactForm& form : kCompactForms) table.compact[form.letter & 0x1f] = form.id;
  for (std::size_t id = 1; id < kHeaderIds; ++id) {
    const std::string_view name = kHeaderNames[id];
    Spelling s{};
    s.size = static_cast<std::uint32_t>(name.size());
    s.id = static_cast<HeaderId>(id);
    const auto parts = pieces(name.size());
    for (std::size_t word = 0; word < parts.size(); ++word) {
      for (std::size_t i = 0; i < parts[word].size; ++i) {
        const char c = name[parts[word].at + i];
        const std::uint64_t any_case = c == '-' ? 0 : 0x20;
        s.any_case[word] |= any_case << (8 * i);
        s.lower[word] |= (static_cast<unsigned char>(c) | any_case) << (8 * i);
      }
    }
    table.at[slot(word_of(name, 0, parts[0].size), name.size(), seed)] = s;
  }
  return table;
}
inline constexpr NameTable kNameTable = name_table();
static_assert([] {
  for (std::size_t id = 1; id < kHeaderIds; ++id) {
    if (kHeaderNames[id].size() < kNameMin || kHeaderNames[id].size() > kNameMax) return false;
  }
  return true;
}());

inline std::uint64_t word_at(const char* at) noexcept {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// The first `size` octets, at most eight, as the low ones of a word; nothing behind them is read.
inline std::uint64_t head_of(const char* at, std::size_t size) noexcept {
  if (size >= 8) return word_at(at);
  if (size >= 4) {
    std::uint32_t low, high;
    std::memcpy(&low, at, 4);
    std::memcpy(&high, at + size - 4, 4);
    return low | std::uint64_t{high} << (8 * (size - 4));
  }
  std::uint16_t low;
  std::memcpy(&low, at, 2);
  return low | std::uint64_t{static_cast<unsigned char>(at[size - 1])} << (8 * (size - 1));
}

inline bool is_spelled(std::uint64_t word, const Spelling& s, std::size_t which) noexcept {
  return (word | s.any_case[which]) == s.lower[which];
}

constexpr bool is_letter(char c) noexcept {
  return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}
}  // namespace detail

// PERF: one multiplication, one line of the table, one to three words compared: about 25 instructions a name.
[[gnu::always_inline]] inline HeaderId parse_known_name(const char* at, std::size_t size) noexcept {
  using namespace detail;
  if (size < kNameMin) return size == 1 && is_letter(*at) ? kNameTable.compact[*at & 0x1f] : HeaderId::other;
  const std::uint64_t head = head_of(at, size);
  const Spelling& s = kNameTable.at[slot(head, size, kNameTable.seed)];
  if (s.size != size || !is_spelled(head, s, 0)) return HeaderId::other;
  if (size > 8 && !is_spelled(word_at(at + size - 8), s, 1)) return HeaderId::other;
  if (size > 16 && !is_spelled(word_at(at + 8), s, 2)) return HeaderId::other;
  return s.id;
}

}  // namespace ringweir::sip
