// A second, naive reader of SIP text for tests: lines split by CRLF, names in lower case, nothing shared with the parser
// under test.
#pragma once
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringweir::support {

struct SipText {
  std::string start_line;
  int status = 0;  // 0: a request
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  std::string_view get(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
  bool has(std::string_view name) const {
    return std::any_of(headers.begin(), headers.end(), [&](const auto& header) { return header.first == name; });
  }
  std::vector<std::string_view> all(std::string_view name) const {
    std::vector<std::string_view> values;
    for (const auto& [key, value] : headers) {
      if (key == name) values.push_back(value);
    }
    return values;
  }
};

inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

inline std::optional<SipText> read_sip(std::string_view text) {
  SipText message;
  bool first = true;
  for (;;) {
    const std::size_t end = text.find("\r\n");
    if (end == text.npos) return std::nullopt;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 2);
    if (line.empty()) break;
    if (first) {
      message.start_line = line;
      if (line.starts_with("SIP/2.0 ")) std::from_chars(line.data() + 8, line.data() + line.size(), message.status);
      first = false;
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == line.npos) return std::nullopt;
    std::string name{trimmed(line.substr(0, colon))};
    std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    message.headers.emplace_back(std::move(name), std::string{trimmed(line.substr(colon + 1))});
  }
  message.body = text;
  return first ? std::nullopt : std::optional{std::move(message)};
}

// The text after ";name=" or ",name=" or " name=", up to the next delimiter; quotes taken off.
inline std::string parameter_of(std::string_view value, std::string_view name) {
  for (std::size_t at = value.find(name); at != value.npos; at = value.find(name, at + 1)) {
    const bool begins = at > 0 && (value[at - 1] == ';' || value[at - 1] == ',' || value[at - 1] == ' ');
    if (!begins || at + name.size() >= value.size() || value[at + name.size()] != '=') continue;
    std::string_view rest = value.substr(at + name.size() + 1);
    if (rest.starts_with('"')) return std::string{rest.substr(1, rest.find('"', 1) - 1)};
    return std::string{rest.substr(0, rest.find_first_of(";, "))};
  }
  return {};
}

// What stands between the angle brackets.
inline std::string_view bracketed(std::string_view value) {
  const std::size_t open = value.find('<'), close = value.find('>', open);
  return open == value.npos || close == value.npos ? value : value.substr(open + 1, close - open - 1);
}

}  // namespace ringweir::support
