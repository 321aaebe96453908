// Reads tests/vectors/sip: markdown pages of messages and of URIs.
#pragma once
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace ringweir::sip::vectors {

struct Case {
  std::string name;
  std::map<std::string, std::string> expected;
  std::string text;
};
struct Line {
  std::string kind;                 // the first word
  std::vector<std::string> quoted;  // what stands between backticks
  std::string tail;                 // what follows the last of them
};

inline std::string folder() {
  return std::string(RINGWEIR_SOURCE_DIR) + "/tests/vectors/sip/";
}

inline std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline bool is_hex_list(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % 3 == 2 ? text[i] != ' ' : !std::isxdigit(static_cast<unsigned char>(text[i]))) return false;
  }
  return text.size() % 3 == 2;
}

// {{0d 0a}} and {{text*count}}, one in the other.
inline std::string expand(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text.compare(i, 2, "{{") != 0) {
      out += text[i++];
      continue;
    }
    int depth = 1;
    std::size_t end = i + 2;
    for (; depth > 0; end += 2) {
      while (text.compare(end, 2, "{{") != 0 && text.compare(end, 2, "}}") != 0) ++end;
      depth += text.compare(end, 2, "{{") == 0 ? 1 : -1;
    }
    const std::string inner = text.substr(i + 2, end - i - 4);
    i = end;
    if (is_hex_list(inner)) {
      for (std::size_t at = 0; at < inner.size(); at += 3) {
        out += static_cast<char>(std::stoi(inner.substr(at, 2), nullptr, 16));
      }
      continue;
    }
    const std::size_t star = inner.rfind('*');
    const std::string piece = expand(inner.substr(0, star));
    for (int n = std::stoi(inner.substr(star + 1)); n > 0; --n) out += piece;
  }
  return out;
}

inline std::vector<std::string> lines_of(const std::string& file) {
  std::vector<std::string> lines;
  std::istringstream text(read(folder() + file));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

inline std::vector<Case> read_cases(const std::string& file) {
  std::vector<Case> cases;
  bool inside = false;
  for (std::string line : lines_of(file)) {
    if (!inside && line.starts_with("## ")) cases.push_back({line.substr(3), {}, {}});
    if (!inside && line.starts_with("- ")) {
      const std::size_t colon = line.find(':');
      const std::string value = line.substr(colon + 1);
      cases.back().expected[line.substr(2, colon - 2)] = value.empty() ? value : value.substr(1);
    }
    if (line == "```") {
      inside = !inside;
    } else if (inside) {
      const bool joined = line.ends_with("{{-}}");
      if (joined) line.resize(line.size() - 5);
      const bool bare = cases.back().expected.contains("line-ends");
      cases.back().text += expand(line) + (joined ? "" : bare ? "\n" : "\r\n");
    }
  }
  return cases;
}

inline std::vector<Line> read_lines(const std::string& file) {
  std::vector<Line> found;
  for (const std::string& line : lines_of(file)) {
    if (!line.starts_with("- ")) continue;
    Line out;
    std::size_t at = line.find('`');
    out.kind = line.substr(2, at - 3);
    while (at != line.npos) {
      const std::size_t end = line.find('`', at + 1);
      out.quoted.push_back(line.substr(at + 1, end - at - 1));
      out.tail = end + 2 <= line.size() ? line.substr(end + 2) : "";
      at = line.find('`', end + 1);
    }
    found.push_back(out);
  }
  return found;
}

}  // namespace ringweir::sip::vectors
