#include "auth/csv.h"

namespace ringweir::auth {
namespace {

constexpr bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t';
}

std::size_t skip_blanks(std::string_view line, std::size_t at) noexcept {
  while (at < line.size() && is_blank(line[at])) ++at;
  return at;
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

struct Quoted {
  std::size_t end;       // behind the closing quote; npos: none
  bool doubled = false;  // has "" in it
};

Quoted find_closing_quote(std::string_view line, std::size_t at) noexcept {
  Quoted found{std::string_view::npos};
  while ((at = line.find('"', at)) != line.npos) {
    if (at + 1 == line.size() || line[at + 1] != '"') return {at + 1, found.doubled};
    found.doubled = true;
    at += 2;
  }
  return found;
}

void undouble(std::string_view text, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == '"') ++i;
  }
}

}  // namespace

CsvReader::CsvReader(std::string_view text) noexcept : rest_(text) {
  if (rest_.starts_with("\xef\xbb\xbf"))
    rest_.remove_prefix(3);  // a byte order mark, as spreadsheets write it
}

bool CsvReader::next(CsvRecord& record) {
  while (!rest_.empty()) {
    const std::size_t end = rest_.find('\n');
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
    ++line_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (skip_blanks(line, 0) == line.size() || line.front() == '#') continue;
    split(line, record);
    return true;
  }
  return false;
}

void CsvReader::split(std::string_view line, CsvRecord& record) {
  record.count_ = 0;
  record.fault = nullptr;
  const auto fault = [&](std::size_t at, const char* what) {
    record.fault = what;
    record.fault_column = static_cast<std::uint32_t>(at + 1);
  };
  for (std::size_t at = 0; record.count_ < CsvRecord::kFieldsMax; ++at) {  // ++: over the comma
    at = skip_blanks(line, at);
    CsvField& field = record.fields_[record.count_];
    field.column = static_cast<std::uint32_t>(at + 1);
    if (at < line.size() && line[at] == '"') {
      const Quoted quoted = find_closing_quote(line, at + 1);
      if (quoted.end == line.npos) return fault(at, "a double quote is not closed in this line");
      field.text = line.substr(at + 1, quoted.end - at - 2);
      if (quoted.doubled) {
        undouble(field.text, record.unquoted_[record.count_]);
        field.text = record.unquoted_[record.count_];
      }
      at = skip_blanks(line, quoted.end);
      if (at < line.size() && line[at] != ',') return fault(at, "text behind a closing double quote");
    } else {
      const std::size_t comma = line.find(',', at);
      field.text = trimmed(line.substr(at, comma == line.npos ? line.npos : comma - at));
      at = comma == line.npos ? line.size() : comma;
    }
    ++record.count_;
    if (at >= line.size()) return;
  }
}

}  // namespace ringweir::auth
