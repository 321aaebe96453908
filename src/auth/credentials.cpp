#include "ringweir/auth/credentials.h"

#include <algorithm>

#include "auth/csv.h"
#include "ringweir/auth/digest.h"

namespace ringweir::auth {
namespace {

HashKindSet kinds_of(std::span<const Algorithm> algorithms) noexcept {
  HashKindSet kinds = 0;
  for (const Algorithm algorithm : algorithms) kinds |= bit(kind(algorithm));
  return kinds;
}

bool is_header(std::span<const CsvField> fields) noexcept {
  const auto named = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::equal(fields, names, {}, &CsvField::text);
  };
  return named({"username", "password"}) || named({"username", "algorithm", "ha1"});
}

// Null when it may be a user's.
const char* wrong_with_username(std::string_view username) noexcept {
  if (username.empty()) return "the user name is empty";
  if (username.size() > kUsernameBytesMax) return "the user name is longer than 255 octets";
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(username, is_control)) return "the user name has a control character";
  return nullptr;
}

std::string already_listed(const User& before) {
  std::string message = "the user is already listed";
  if (before.line != 0) message += " in line " + std::to_string(before.line);
  return message;
}

}  // namespace

CredentialsBuilder::CredentialsBuilder(std::string realm, std::span<const Algorithm> algorithms,
                                       const Key128& key)
    : realm_(std::move(realm)), table_(kinds_of(algorithms), key) {}

std::optional<CredentialsBuilder::Refused> CredentialsBuilder::take_password(std::string_view username,
                                                                             std::string_view password,
                                                                             std::uint32_t line) {
  if (const char* wrong = wrong_with_username(username)) return Refused{0, wrong};
  if (password.empty()) return Refused{1, "the password is empty"};
  const std::size_t before = table_.size();
  const std::uint32_t record = table_.find_or_add(username, line);
  if (record == UserTable::kNone) return Refused{0, "too many users"};
  if (table_.size() == before) return Refused{0, already_listed(table_.user(record))};
  for (std::size_t i = 0; i < kHashKinds; ++i) {
    const auto kind = static_cast<HashKind>(i);
    if (table_.kinds() & bit(kind)) table_.put(record, kind, auth::ha1(kind, username, realm_, password));
  }
  return std::nullopt;
}

std::optional<CredentialsBuilder::Refused> CredentialsBuilder::take_ha1(std::string_view username,
                                                                        Algorithm algorithm,
                                                                        std::string_view hex,
                                                                        std::uint32_t line) {
  if (const char* wrong = wrong_with_username(username)) return Refused{0, wrong};
  const HashKind hash_kind = kind(algorithm);
  const auto digest = from_hex(hex, hash_kind);
  if (!digest) {
    return Refused{2, "an HA1 for " + std::string(to_string(algorithm)) + " is " +
                          std::to_string(2 * digest_size(hash_kind)) + " hex digits"};
  }
  const std::uint32_t record = table_.find_or_add(username, line);
  if (record == UserTable::kNone) return Refused{0, "too many users"};
  if (table_.knows(record, hash_kind)) {
    return Refused{0, already_listed(table_.user(record)) + " with an HA1 for this algorithm or a password"};
  }
  table_.put(record, hash_kind, *digest);
  return std::nullopt;
}

std::optional<CredentialsBuilder::Refused> CredentialsBuilder::take_record(std::span<const CsvField> fields,
                                                                           std::uint32_t line) {
  if (fields.size() == 2) return take_password(fields[0].text, fields[1].text, line);
  if (fields.size() != 3)
    return Refused{fields.size() - 1, "expected username,password or username,algorithm,ha1"};
  const auto algorithm = fields[1].text.empty() ? std::nullopt : parse_algorithm(fields[1].text);
  // The text may be half a password: it is not repeated.
  if (!algorithm) return Refused{1, "no such algorithm; a password with a comma in it goes in double quotes"};
  return take_ha1(fields[0].text, *algorithm, fields[2].text, line);
}

std::optional<std::string> CredentialsBuilder::add_password(std::string_view username,
                                                            std::string_view password, std::uint32_t line) {
  auto refused = take_password(username, password, line);
  return refused ? std::optional(std::move(refused->message)) : std::nullopt;
}

std::optional<std::string> CredentialsBuilder::add_ha1(std::string_view username, Algorithm algorithm,
                                                       std::string_view hex, std::uint32_t line) {
  auto refused = take_ha1(username, algorithm, hex, line);
  return refused ? std::optional(std::move(refused->message)) : std::nullopt;
}

std::vector<CredentialsError> CredentialsBuilder::add_csv(std::string_view text) {
  std::vector<CredentialsError> errors;
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  // Rarely more than needed: a password takes about as much room in the text as a name.
  table_.reserve(lines, text.size() / 2);
  CsvReader reader(text);
  CsvRecord record;
  for (bool first = true; reader.next(record); first = false) {
    if (record.fault) {
      errors.push_back({reader.line(), record.fault_column, record.fault});
      continue;
    }
    const auto fields = record.fields();
    if (first && is_header(fields)) continue;
    if (auto refused = take_record(fields, reader.line())) {
      errors.push_back({reader.line(), fields[refused->field].column, std::move(refused->message)});
    }
  }
  return errors;
}

std::shared_ptr<const Credentials> CredentialsBuilder::build() && {
  table_.shrink();
  return std::make_shared<const Credentials>(std::move(table_));
}

}  // namespace ringweir::auth
