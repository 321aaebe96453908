#include "control/config_sqlite.h"

#include <sqlite3.h>

#include <memory>
#include <set>

#include "control/config_text.h"

namespace ringweir::control {
namespace {

constexpr std::size_t kWrongRowsMax = 100;  // more say nothing new

using Database = std::unique_ptr<sqlite3, decltype(&sqlite3_close)>;
using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

Statement prepare(sqlite3* database, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(database, sql, -1, &statement, nullptr);  // null when it fails; the database says why
  return {statement, &sqlite3_finalize};
}

std::string_view text(sqlite3_stmt* row, int column) {
  const auto* octets = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
  return octets ? std::string_view(octets, static_cast<std::size_t>(sqlite3_column_bytes(row, column)))
                : std::string_view();
}

std::set<std::string, std::less<>> columns_of_users(sqlite3* database) {
  std::set<std::string, std::less<>> names;
  const Statement columns = prepare(database, "SELECT name FROM pragma_table_info('users')");
  while (columns && sqlite3_step(columns.get()) == SQLITE_ROW) names.emplace(text(columns.get(), 0));
  return names;
}

std::optional<std::string> add_row(sqlite3_stmt* row, bool hashed, auth::CredentialsBuilder& builder) {
  if (!hashed) return builder.add_password(text(row, 0), text(row, 1));
  const auto algorithm = auth::parse_algorithm(text(row, 1));
  if (!algorithm) return "there is no algorithm " + in_quotes(text(row, 1));
  return builder.add_ha1(text(row, 0), *algorithm, text(row, 2));
}

std::vector<std::string> add_rows(sqlite3* database, bool hashed, auth::CredentialsBuilder& builder) {
  const Statement rows = prepare(database, hashed ? "SELECT username, algorithm, ha1 FROM users"
                                                  : "SELECT username, password FROM users");
  if (!rows) return {sqlite3_errmsg(database)};
  std::vector<std::string> wrong;
  int step = SQLITE_ROW;
  while (wrong.size() < kWrongRowsMax && (step = sqlite3_step(rows.get())) == SQLITE_ROW) {
    if (const auto why = add_row(rows.get(), hashed, builder))
      wrong.push_back("user " + in_quotes(text(rows.get(), 0)) + ": " + *why);
  }
  if (step != SQLITE_ROW && step != SQLITE_DONE) wrong.emplace_back(sqlite3_errmsg(database));
  return wrong;
}

}  // namespace

std::vector<std::string> add_users_from_sqlite(const std::filesystem::path& path,
                                               auth::CredentialsBuilder& builder) {
  sqlite3* opened = nullptr;
  const int status =
      sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  const Database database(opened, &sqlite3_close);
  if (status != SQLITE_OK) return {std::string("cannot open the database: ") + sqlite3_errstr(status)};
  sqlite3_busy_timeout(opened, 2'000);
  const auto columns = columns_of_users(opened);
  if (sqlite3_errcode(opened) != SQLITE_OK && sqlite3_errcode(opened) != SQLITE_DONE)
    return {sqlite3_errmsg(opened)};
  const bool hashed =
      columns.contains("username") && columns.contains("algorithm") && columns.contains("ha1");
  const bool plain = columns.contains("username") && columns.contains("password");
  if (!hashed && !plain)
    return {"it needs a table users (username, password) or users (username, algorithm, ha1)"};
  if (hashed && plain) return {"its table users has both password and ha1: it cannot be known which counts"};
  return add_rows(opened, hashed, builder);
}

}  // namespace ringweir::control
