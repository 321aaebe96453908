// The part of the admin interface that reads the AOR directory: as any shard would, in short slices.
#include <algorithm>
#include <array>
#include <charconv>

#include "control/admin_json.h"
#include "ringweir/control/admin_api.h"
#include "ringweir/sip/uri.h"

namespace ringweir::control {
namespace {

constexpr std::size_t kPageMax = 1'000, kPageDefault = 100;
constexpr std::uint32_t kBucketsPerSlice = 4'096;
constexpr std::uint32_t kBucketsPerRequest = 1u << 20;  // then a page is short, and says where to go on

// '*' stands for any text.
bool like(std::string_view text, std::string_view pattern) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return text == pattern;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  text.remove_prefix(star);
  pattern.remove_prefix(star + 1);
  while (true) {
    const std::size_t next = pattern.find('*');
    const std::string_view piece = pattern.substr(0, next);
    if (next == std::string_view::npos) return text.ends_with(piece);
    const std::size_t at = text.find(piece);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + piece.size());
    pattern.remove_prefix(next + 1);
  }
}

// As the directory spells it (RFC 3261 10.3 step 5), from what a person wrote, with or without a scheme.
std::string canonical(std::string_view aor) {
  std::string text(aor);
  if (!text.starts_with("sip:") && !text.starts_with("sips:")) text.insert(0, "sip:");
  std::array<char, limits::kAorBytesMax> room;
  const auto uri = sip::parse_uri(text);
  const auto spelt = uri ? sip::canonical_aor(*uri, room.data(), room.size()) : std::nullopt;
  return spelt ? std::string(*spelt) : std::string(aor);
}

// Online for as long as a request is answered.
class Reading {
 public:
  explicit Reading(location::Participant& reader) : reader_(reader) { reader_.online(); }
  ~Reading() { reader_.offline(); }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

 private:
  location::Participant& reader_;
};

template <class N>
bool parse_number(std::string_view text, N& n) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

AdminResponse AdminApi::registration(std::string_view aor) {
  const Reading reading(reader_);
  const std::string key = canonical(aor);
  const location::BindingSet* set = process_.directory.find(key, process_.directory.hash(key));
  const Instant now = process_.now();
  if (!set || set->alive(now) == 0) return refusal(404, "nothing is registered for " + key);
  return ok(to_json(*set, process_, now, process_.wall_ms()));
}

AdminResponse AdminApi::registrations(const AdminRequest& request) {
  std::size_t limit = kPageDefault;
  std::uint32_t cursor = 0;
  if (const auto text = request.parameter("limit"); !text.empty() && (!parse_number(text, limit) || limit == 0)) {
    return refusal(400, "bad value of parameter limit");
  }
  if (const auto text = request.parameter("cursor"); !text.empty() && !parse_number(text, cursor)) {
    return refusal(400, "bad value of parameter cursor");
  }
  limit = std::min(limit, kPageMax);
  Json json;
  json["total"] = process_.directory.aors();
  json["registrations"] = Json::array();

  std::string pattern = request.parameter("aor");
  if (!pattern.empty() && pattern.find('*') == std::string::npos) {
    AdminResponse one = registration(pattern);
    if (one.status == 200) json["registrations"].push_back(Json::parse(one.body));
    return ok(json);
  }
  if (pattern.empty()) pattern = "*";

  const Instant now = process_.now();
  const WallMs wall_ms = process_.wall_ms();
  const auto visit = [&](const location::BindingSet& set) {
    if (like(set.aor(), pattern) && set.alive(now) > 0) {
      json["registrations"].push_back(to_json(set, process_, now, wall_ms));
    }
  };
  const Reading reading(reader_);
  bool more = true;
  for (std::uint32_t looked = 0; more && looked < kBucketsPerRequest && json["registrations"].size() < limit;) {
    // A slice is never split inside a bucket, so that a cursor is a bucket's number: a page may pass its limit by a few.
    const auto wanted = static_cast<std::uint32_t>(limit - json["registrations"].size());
    const std::uint32_t slice = std::min(pattern == "*" ? wanted : kBucketsPerSlice, kBucketsPerSlice);
    more = process_.directory.for_each(reader_, cursor, visit, slice);
    looked += slice;
  }
  if (more) json["next"] = std::to_string(cursor);
  return ok(json);
}

}  // namespace ringweir::control
