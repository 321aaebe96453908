// User lists written as CSV come back as the users that were written, whatever the names and passwords hold.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <string>

#include "ringweir/auth/credentials.h"
#include "ringweir/auth/digest.h"

namespace ringweir::auth {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

rc::Gen<std::string> text_of(std::string alphabet) {
  return rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::elementOf(alphabet)));
}

TEST(CsvProperty, quoted_users_are_read_back) {
  EXPECT_TRUE(rc::check([] {
    const auto users = *rc::gen::container<std::map<std::string, std::string>>(text_of("ab1 ,\"#;.\xc3\xa9"),
                                                                               text_of("xy2 ,\"\t#\\'"));
    const std::string end = *rc::gen::element<std::string>("\n", "\r\n");
    std::string csv;
    std::map<std::string, std::uint32_t> line_of;
    std::uint32_t line = 0;
    for (const auto& [name, password] : users) {
      if (*rc::gen::inRange(0, 4) == 0) {
        csv += "# comment, \"" + end;
        ++line;
      }
      csv += quoted(name) + *rc::gen::element<std::string>(",", " , ") + quoted(password) + end;
      line_of[name] = ++line;
    }
    constexpr Algorithm kConfigured[] = {Algorithm::sha256, Algorithm::md5};
    CredentialsBuilder builder("example.com", kConfigured, {1, 2});
    RC_ASSERT(builder.add_csv(csv).empty());
    const auto snapshot = std::move(builder).build();
    RC_ASSERT(snapshot->size() == users.size());
    for (const auto& [name, password] : users) {
      for (const HashKind kind : {HashKind::md5, HashKind::sha256}) {
        RC_ASSERT(snapshot->ha1(name, kind) == ha1(kind, name, "example.com", password));
      }
      RC_ASSERT(snapshot->ha1(name + "!", HashKind::md5) == std::nullopt);
    }
    std::size_t seen = 0;
    snapshot->for_each([&](const User& user) {
      RC_ASSERT(line_of.at(std::string(user.username)) == user.line);
      ++seen;
    });
    RC_ASSERT(seen == users.size());
  }));
}

}  // namespace
}  // namespace ringweir::auth
