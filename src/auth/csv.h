// CSV as user lists come: RFC 4180, but a record is one line. Allocates only for fields with doubled quotes.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ringweir::auth {

struct CsvField {
  std::string_view text;  // into the CSV text, or into the record where doubled quotes had to be undone
  std::uint32_t column;   // from 1
};

class CsvRecord {
 public:
  static constexpr std::size_t kFieldsMax =
      4;  // one more than any record may have; what follows is not looked at
  std::span<const CsvField> fields() const noexcept { return {fields_.data(), count_}; }
  const char* fault = nullptr;  // what is wrong with the line, static text
  std::uint32_t fault_column = 0;

 private:
  friend class CsvReader;
  std::array<CsvField, kFieldsMax> fields_;
  std::array<std::string, kFieldsMax> unquoted_;
  std::size_t count_ = 0;
};

class CsvReader {
 public:
  explicit CsvReader(std::string_view text) noexcept;
  // The next line that is neither empty nor a comment; false at the end.
  bool next(CsvRecord& record);
  std::uint32_t line() const noexcept { return line_; }  // of the record read last, from 1

 private:
  void split(std::string_view line, CsvRecord& record);

  std::string_view rest_;
  std::uint32_t line_ = 0;
};

}  // namespace ringweir::auth
