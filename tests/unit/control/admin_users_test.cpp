#include "ringweir/control/admin_users.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include "ringweir/auth/credentials.h"
#include "ringweir/auth/digest.h"

namespace ringweir::control {
namespace {

struct Folder {
  Folder() {
    char name[] = "/tmp/ringweir-users-XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(UserLine, IsReadBackByTheReaderOfUsersFiles) {
  const std::vector<auth::Algorithm> all{auth::Algorithm::md5, auth::Algorithm::sha256, auth::Algorithm::sha512_256};
  for (const char* name : {"100", "a,b", "say \"hi\"", " blank ", "#7", "\u00fc"}) {
    for (const char* algorithm : {"none", "", "md5", "SHA-256", "SHA-512-256"}) {
      const bool plain = std::string(algorithm) == "none";
      const auto line = user_line({name, "p,w\"d #1", plain ? "" : "r", plain ? "" : algorithm});
      ASSERT_TRUE(line) << line.error();
      auth::CredentialsBuilder builder("r", all, {});
      EXPECT_TRUE(builder.add_csv(*line).empty()) << *line;
      const auto users = std::move(builder).build();
      const auto kind = auth::kind(plain ? auth::Algorithm::md5 : *auth::parse_algorithm(algorithm));
      EXPECT_EQ(users->ha1(name, kind), auth::ha1(kind, name, "r", "p,w\"d #1")) << *line;
    }
  }
}

TEST(UserLine, RefusesWhatCannotBeKept) {
  EXPECT_FALSE(user_line({"", "x", "", ""}));
  EXPECT_FALSE(user_line({"a", "", "", ""}));
  EXPECT_FALSE(user_line({"a\nb", "x", "", ""}));
  EXPECT_FALSE(user_line({std::string(256, 'a'), "x", "", ""}));
  EXPECT_FALSE(user_line({"a", "x", "r", "SHA-3"}));
  EXPECT_FALSE(user_line({"a", "x", "", "MD5"}));
}

TEST(AppendUser, MakesTheFileForItsOwnerOnlyAndAddsToIt) {
  const Folder folder;
  const auto file = folder.path / "users.csv";
  ASSERT_TRUE(append_user(file, {"100", "x", "", ""}));
  struct stat info{};
  ASSERT_EQ(stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_TRUE(append_user(file, {"101", "y", "", ""}));
  EXPECT_EQ(contents(file), "100,x\n101,y\n");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path), {}), 1);
}

TEST(AppendUser, KeepsTheFilesModeAndEndsItsLastLine) {
  const Folder folder;
  const auto file = folder.path / "users.csv";
  std::ofstream(file) << "# ours\n100,x";
  chmod(file.c_str(), 0640);
  ASSERT_TRUE(append_user(file, {"101", "y", "", ""}));
  EXPECT_EQ(contents(file), "# ours\n100,x\n101,y\n");
  struct stat info{};
  ASSERT_EQ(stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

TEST(AppendUser, RefusesASecondOfTheNameAndAFileThatIsNoUsersFile) {
  const Folder folder;
  const auto file = folder.path / "users.csv";
  ASSERT_TRUE(append_user(file, {"100", "x", "", ""}));
  EXPECT_FALSE(append_user(file, {"100", "z", "", ""}));
  EXPECT_EQ(contents(file), "100,x\n");
  std::ofstream(folder.path / "other") << "this is not\na users file, at, all, really\n";
  EXPECT_FALSE(append_user(folder.path / "other", {"100", "x", "", ""}));
  EXPECT_FALSE(append_user(folder.path / "no" / "such" / "folder", {"100", "x", "", ""}));
}

}  // namespace
}  // namespace ringweir::control
