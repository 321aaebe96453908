#include "ringweir/control/config_users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <fstream>

namespace ringweir::control {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
constexpr Key128 kKey{1, 2};
constexpr const char* kMd5OfBob = "0123456789abcdef0123456789abcdef";

class ConfigUsers : public testing::Test {
 protected:
  ConfigUsers() {
    std::string name = testing::TempDir() + "ringweir-users-XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~ConfigUsers() override { fs::remove_all(folder_); }

  void write(const char* name, std::string_view text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  void execute(const char* sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((folder_ / "users.db").c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
    sqlite3_close(database);
  }
  auto load(const std::string& users) {
    const auto config = load_config_text(
        "version: 1\nlisteners: [ { bind: \"127.0.0.1:5060\" } ]\n"
        "auth: { realm: a, algorithms: [MD5], users: { " +
            users + " } }\n",
        "test.yaml", folder_);
    EXPECT_TRUE(config) << (config ? "" : to_string(config.error().front()));
    return load_users(*config, kKey);
  }
  std::string wrong(const std::string& users) {
    const auto loaded = load(users);
    if (loaded) return "fine";
    std::string text;
    for (const Diagnostic& each : loaded.error()) text += to_string(each) + '\n';
    return text;
  }

  fs::path folder_;
};

TEST_F(ConfigUsers, WithoutAuthenticationThereAreNone) {
  const auto config =
      load_config_text("version: 1\nlisteners: [ { bind: \"127.0.0.1:5060\" } ]\n", "test.yaml", "");
  const auto users = load_users(*config, kKey);
  ASSERT_TRUE(users);
  EXPECT_EQ(*users, nullptr);
}

TEST_F(ConfigUsers, TheLabHasThree) {
  const auto config = load_config_text(lab_config_text(), "lab.yaml", "");
  const auto users = load_users(*config, kKey);
  ASSERT_TRUE(users);
  EXPECT_EQ((*users)->size(), 3u);
  EXPECT_TRUE((*users)->ha1("101", auth::HashKind::md5));
  EXPECT_FALSE((*users)->ha1("102", auth::HashKind::sha256));  // the lab challenges by MD5 alone
}

TEST_F(ConfigUsers, ComeFromCsvBesideTheFile) {
  write("users.csv", "username,password\n100,secret\n101,\"a,b\"\n");
  const auto users = load("csv: users.csv");
  ASSERT_TRUE(users);
  EXPECT_EQ((*users)->size(), 2u);
}

TEST_F(ConfigUsers, EveryWrongLineIsToldInItsOwnFile) {
  write("users.csv", "100,secret\n100,again\n,nobody\n101,MD5,xyz\n");
  const std::string text = wrong("csv: users.csv");
  const std::string file = (folder_ / "users.csv").string();
  EXPECT_THAT(text, HasSubstr(file + ":2:"));
  EXPECT_THAT(text, HasSubstr(file + ":3:"));
  EXPECT_THAT(text, HasSubstr(file + ":4:"));
  EXPECT_EQ(text.find("again"), std::string::npos);
}

TEST_F(ConfigUsers, AMissingFileIsToldWhereItIsNamed) {
  EXPECT_THAT(wrong("csv: none.csv"), HasSubstr("test.yaml:3:52: cannot read the users in"));
  EXPECT_THAT(wrong("csv: ."), HasSubstr("it is a directory"));
  EXPECT_THAT(wrong("sqlite: none.db"), HasSubstr("cannot open the database"));
}

TEST_F(ConfigUsers, AnInlineUserListedTwiceIsTold) {
  EXPECT_THAT(wrong("inline: [ { name: bob, password: x }, { name: bob, password: y } ]"),
              HasSubstr("test.yaml:3:"));
  EXPECT_THAT(wrong("inline: [ { name: bob, password: x } ]"), "fine");
}

TEST_F(ConfigUsers, ComeFromSqliteByPassword) {
  execute(
      "CREATE TABLE users (id INTEGER, username TEXT, password TEXT);"
      "INSERT INTO users VALUES (1, '100', 'secret'), (2, '101', '101')");
  const auto users = load("sqlite: users.db");
  ASSERT_TRUE(users);
  EXPECT_EQ((*users)->size(), 2u);
  write("users.csv", "100,secret\n101,101\n");
  const auto same = load("csv: users.csv");
  EXPECT_EQ((*users)->ha1("100", auth::HashKind::md5), (*same)->ha1("100", auth::HashKind::md5));
}

TEST_F(ConfigUsers, ComeFromSqliteByHash) {
  execute((std::string("CREATE TABLE users (username TEXT, algorithm TEXT, ha1 TEXT); INSERT INTO users "
                       "VALUES ('bob', 'MD5', '") +
           kMd5OfBob + "')")
              .c_str());
  const auto users = load("sqlite: users.db");
  ASSERT_TRUE(users);
  EXPECT_EQ(*(*users)->ha1("bob", auth::HashKind::md5), *auth::from_hex(kMd5OfBob, auth::HashKind::md5));
}

TEST_F(ConfigUsers, EveryWrongRowIsTold) {
  execute(
      "CREATE TABLE users (username TEXT, algorithm TEXT, ha1 TEXT);"
      "INSERT INTO users VALUES ('bob', 'MD5', 'short'), ('eve', 'SHA', 'x'), (NULL, 'MD5', NULL)");
  const std::string text = wrong("sqlite: users.db");
  EXPECT_THAT(text, HasSubstr("user 'bob': an HA1 for MD5 is 32 hex digits"));
  EXPECT_THAT(text, HasSubstr("user 'eve': there is no algorithm 'SHA'"));
  EXPECT_THAT(text, HasSubstr("user '': "));
}

TEST_F(ConfigUsers, ADatabaseWithoutTheTableIsTold) {
  execute("CREATE TABLE subscribers (username TEXT)");
  EXPECT_THAT(wrong("sqlite: users.db"), HasSubstr("it needs a table users"));
  write("not.db", std::string(4'096, 'x'));
  EXPECT_THAT(wrong("sqlite: not.db"), HasSubstr("not a database"));
}

}  // namespace
}  // namespace ringweir::control
