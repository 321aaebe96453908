#include "ringweir/sip/header.h"

#include <array>
#include <cstring>

namespace ringweir::sip {

namespace {
// In the order of HeaderId.
constexpr std::array<std::string_view, kHeaderIds> kNames = {"",
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
constexpr CompactForm kCompactForms[] = {{'v', HeaderId::via},          {'f', HeaderId::from},
                                         {'t', HeaderId::to},           {'i', HeaderId::call_id},
                                         {'m', HeaderId::contact},      {'l', HeaderId::content_length},
                                         {'c', HeaderId::content_type}, {'e', HeaderId::content_encoding},
                                         {'k', HeaderId::supported},    {'o', HeaderId::event},
                                         {'r', HeaderId::refer_to},     {'b', HeaderId::referred_by},
                                         {'s', HeaderId::subject},      {'x', HeaderId::session_expires},
                                         {'u', HeaderId::allow_events}, {'y', HeaderId::identity}};

constexpr std::size_t kNameMax = 24;
constexpr std::size_t kSlots = 256;

// The spelling in lower case, and 0x20 where a letter may differ by case: (octet | any_case) == lower.
struct Spelling {
  char lower[kNameMax];
  char any_case[kNameMax];
  std::uint8_t size;
};

constexpr std::size_t slot(char first, char middle, std::size_t size, std::uint32_t seed) {
  const std::uint32_t mixed =
      (static_cast<std::uint32_t>(first | 0x20) << 16 | static_cast<std::uint32_t>(middle | 0x20) << 8 |
       static_cast<std::uint32_t>(size)) *
      seed;
  return mixed >> 24;
}

struct NameTable {
  std::array<std::uint8_t, kSlots> at{};  // HeaderId, 0 where free
  std::array<HeaderId, 32> compact{};     // by the letter's low five bits
  std::array<Spelling, kHeaderIds> spellings{};
  std::uint32_t seed = 0;
};

// The letters at 0 and size/2 with the size tell all names apart; the seed that puts each in a slot of its
// own is found when this is compiled.
constexpr bool fill(NameTable& table, std::uint32_t seed) {
  table.at = {};
  table.seed = seed;
  for (std::size_t id = 1; id < kHeaderIds; ++id) {
    const std::string_view name = kNames[id];
    std::uint8_t& place = table.at[slot(name[0], name[name.size() / 2], name.size(), seed)];
    if (place != 0) return false;
    place = static_cast<std::uint8_t>(id);
  }
  return true;
}

consteval NameTable name_table() {
  NameTable table;
  std::uint32_t seed = 0x9e3779b1;
  while (!fill(table, seed)) seed = (seed * 1664525u + 1013904223u) | 1u;
  for (const CompactForm& form : kCompactForms) table.compact[form.letter & 0x1f] = form.id;
  for (std::size_t id = 1; id < kHeaderIds; ++id) {
    Spelling& s = table.spellings[id];
    s.size = static_cast<std::uint8_t>(kNames[id].size());
    for (std::size_t i = 0; i < s.size; ++i) {
      const char c = kNames[id][i];
      s.any_case[i] = c == '-' ? 0 : 0x20;
      s.lower[i] = static_cast<char>(c | s.any_case[i]);
    }
  }
  return table;
}
constexpr NameTable kTable = name_table();

template <class Word>
bool differs(const char* name, const Spelling& s, std::size_t at) noexcept {
  Word text, any_case, lower;
  std::memcpy(&text, name + at, sizeof text);
  std::memcpy(&any_case, s.any_case + at, sizeof any_case);
  std::memcpy(&lower, s.lower + at, sizeof lower);
  return (text | any_case) != lower;
}

bool spelled(std::string_view name, const Spelling& s) noexcept {
  const std::size_t size = name.size();
  if (size != s.size) return false;
  const char* text = name.data();
  if (size >= 8) {
    if (differs<std::uint64_t>(text, s, 0) || differs<std::uint64_t>(text, s, size - 8)) return false;
    return size <= 16 || !differs<std::uint64_t>(text, s, 8);
  }
  if (size >= 4) return !differs<std::uint32_t>(text, s, 0) && !differs<std::uint32_t>(text, s, size - 4);
  return !differs<std::uint16_t>(text, s, 0) && !differs<std::uint8_t>(text, s, size - 1);
}

constexpr bool is_letter(char c) noexcept {
  return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

// RFC 3261 table 2 and the RFCs of the extensions: a field that is not a comma list. Authorization and
// Proxy-Authorization are no lists either, yet may repeat, once for each realm (RFC 3261 7.3.1).
constexpr HeaderId kSingle[] = {HeaderId::from,
                                HeaderId::to,
                                HeaderId::call_id,
                                HeaderId::cseq,
                                HeaderId::max_forwards,
                                HeaderId::expires,
                                HeaderId::min_expires,
                                HeaderId::content_length,
                                HeaderId::content_type,
                                HeaderId::user_agent,
                                HeaderId::server,
                                HeaderId::event,
                                HeaderId::refer_to,
                                HeaderId::referred_by,
                                HeaderId::retry_after,
                                HeaderId::date,
                                HeaderId::subject,
                                HeaderId::timestamp,
                                HeaderId::rack,
                                HeaderId::rseq,
                                HeaderId::session_expires,
                                HeaderId::min_se,
                                HeaderId::max_breadth,
                                HeaderId::authentication_info};
static_assert(kHeaderIds <= 64);
constexpr std::uint64_t kSingleSet = [] {
  std::uint64_t set = 0;
  for (HeaderId id : kSingle) set |= 1ull << static_cast<unsigned>(id);
  return set;
}();
}  // namespace

HeaderId parse_header_name(std::string_view name) noexcept {
  if (name.empty()) return HeaderId::other;
  if (name.size() == 1) return is_letter(name[0]) ? kTable.compact[name[0] & 0x1f] : HeaderId::other;
  const std::uint8_t id = kTable.at[slot(name[0], name[name.size() / 2], name.size(), kTable.seed)];
  return spelled(name, kTable.spellings[id]) ? static_cast<HeaderId>(id) : HeaderId::other;
}

std::string_view to_string(HeaderId id) noexcept {
  return kNames[static_cast<std::size_t>(id)];
}

bool is_single_instance(HeaderId id) noexcept {
  return kSingleSet >> static_cast<unsigned>(id) & 1;
}

}  // namespace ringweir::sip
