#include "heard.h"

#include <array>

#include "reply.h"

namespace ringweir::load {
namespace {

// Applies each(value) to the values of a comma-separated line; commas inside <> separate nothing.
template <class Each>
void each_value(std::string_view list, Each&& each) {
  std::size_t from = 0;
  int depth = 0;
  for (std::size_t at = 0; at <= list.size(); ++at) {
    if (at < list.size() && list[at] == '<') ++depth;
    if (at < list.size() && list[at] == '>') --depth;
    if (at < list.size() && (list[at] != ',' || depth > 0)) continue;
    std::string_view value = list.substr(from, at - from);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    if (!value.empty()) each(value);
    from = at + 1;
  }
}

constexpr std::size_t kRoutesMax = 8;

// RFC 3261 12.1.2: the route set is the Record-Route values in reverse order.
class RouteSet {
 public:
  void add(std::string_view line) {
    each_value(value_of(line), [&](std::string_view value) {
      if (count_ < kRoutesMax) {
        values_[count_++] = value;
      } else {
        whole_ = false;
      }
    });
  }
  bool write(Kept<760>& to) const noexcept {
    to.used = 0;
    bool whole = whole_;
    for (std::size_t i = count_; i-- > 0;)
      whole = whole && to.append("Route: ") && to.append(values_[i]) && to.append("\r\n");
    return whole;
  }

 private:
  std::array<std::string_view, kRoutesMax> values_;
  std::size_t count_ = 0;
  bool whole_ = true;
};

std::string_view between_angles(std::string_view text) noexcept {
  const std::size_t from = text.find('<');
  const std::size_t to = text.find('>', from + 1);
  if (from == std::string_view::npos || to == std::string_view::npos) return {};
  return text.substr(from + 1, to - from - 1);
}

}  // namespace

std::optional<std::uint64_t> call_token_of(std::string_view call_id) noexcept {
  constexpr std::size_t kSeedDigits = 9;  // and the hyphen
  if (call_id.size() < kSeedDigits + kTokenDigits || call_id[kSeedDigits - 1] != '-') return std::nullopt;
  return hex_of(call_id.substr(kSeedDigits, kTokenDigits));
}

std::optional<std::uint64_t> token_after_tag(std::string_view from) noexcept {
  constexpr std::string_view kTag = ";tag=";
  const std::size_t at = from.find(kTag);
  if (at == std::string_view::npos || from.size() < at + kTag.size() + kTokenDigits) return std::nullopt;
  return hex_of(from.substr(at + kTag.size(), kTokenDigits));
}

HeardRequest hear_request(std::string_view message, std::string_view to_tag, Repeated& repeated) noexcept {
  HeardRequest heard;
  heard.method = message.substr(0, message.find(' '));
  heard.uri = message.substr(heard.method.size() + 1);
  heard.uri = heard.uri.substr(0, heard.uri.find(' '));
  repeated.used = 0;
  int wanted = 5;  // Via, From, To, Call-ID, CSeq
  bool whole = true, via = false;
  each_header(message, [&](std::string_view name, std::string_view line) {
    switch (name.size()) {
      case 2:  // To
        if (name[0] != 'T') return;
        heard.in_dialog = line.find(";tag=") != std::string_view::npos;
        whole = whole && repeated.append(line);
        if (!heard.in_dialog) whole = whole && repeated.append(";tag=") && repeated.append(to_tag);
        whole = whole && repeated.append("\r\n");
        --wanted;
        return;
      case 3:
        if (name != "Via") return;
        wanted -= via ? 0 : 1;
        via = true;
        break;
      case 4:
        if (name != "From" && name != "CSeq") return;
        --wanted;
        break;
      case 7:
        if (name != "Call-ID") return;
        heard.call_id = value_of(line);
        --wanted;
        break;
      case 12:
        if (name != "Record-Route") return;
        break;
      default: return;
    }
    whole = whole && repeated.append(line) && repeated.append("\r\n");
  });
  heard.complete = whole && wanted == 0;
  return heard;
}

bool hear_answer(std::string_view message, Dialog& dialog) noexcept {
  RouteSet routes;
  dialog.target.used = dialog.to.used = 0;
  bool whole = true;
  each_header(message, [&](std::string_view name, std::string_view line) {
    if (name.size() == 12 && name == "Record-Route") routes.add(line);
    if (name.size() == 7 && name == "Contact" && dialog.target.used == 0)
      whole = whole && dialog.target.append(between_angles(line));
    if (name.size() == 2 && name[0] == 'T') whole = whole && dialog.to.append(value_of(line));
  });
  return routes.write(dialog.routes) && whole && dialog.target.used != 0 && dialog.to.used != 0;
}

std::string_view heard_to(std::string_view message) noexcept {
  std::string_view to;
  each_header(message, [&](std::string_view name, std::string_view line) {
    if (name.size() == 2 && name[0] == 'T') to = value_of(line);
  });
  return to;
}

}  // namespace ringweir::load
