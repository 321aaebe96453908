#include "ringweir/control/admin_users.h"

#include <fmt/format.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "ringweir/auth/credentials.h"
#include "ringweir/auth/digest.h"

namespace ringweir::control {
namespace {

using Failure = Unexpected<std::string>;

// RFC 4180: quoted where a reader would otherwise take it apart or trim it.
std::string field(std::string_view text) {
  const bool plain = !text.empty() && text.find_first_of(",\" \t#") == std::string_view::npos;
  if (plain) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string why() { return std::strerror(errno); }

Result<std::string, std::string> read_file(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return std::string();
  std::ifstream in(file, std::ios::binary);
  if (!in) return Failure(fmt::format("cannot read {}: {}", file.string(), why()));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

Result<void, std::string> replace_file(const std::filesystem::path& file, std::string_view text) {
  struct stat old{};
  const bool existed = stat(file.c_str(), &old) == 0;
  const std::string next = file.string() + ".new";
  {
    const Descriptor out(open(next.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (out.get() < 0) return Failure(fmt::format("cannot write {}: {}", next, why()));
    // Owner first: a change of owner may clear bits of the mode. Not being allowed to is no reason to fail.
    if (existed && fchown(out.get(), old.st_uid, old.st_gid) != 0) errno = 0;
    const bool whole = (!existed || fchmod(out.get(), old.st_mode & 07777) == 0) && write_all(out.get(), text) &&
                       fsync(out.get()) == 0;
    if (!whole) {
      const std::string reason = why();
      unlink(next.c_str());
      return Failure(fmt::format("cannot write {}: {}", next, reason));
    }
  }
  if (rename(next.c_str(), file.c_str()) == 0) return {};
  const std::string reason = why();
  unlink(next.c_str());
  return Failure(fmt::format("cannot replace {}: {}", file.string(), reason));
}

}  // namespace

Result<std::string, std::string> user_line(const NewUser& user) {
  for (const std::string* text : {&user.name, &user.password}) {
    if (text->empty()) return Failure(text == &user.name ? "a user needs a name" : "a user needs a password");
    for (const char c : *text) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return Failure("control characters cannot be kept");
    }
  }
  if (user.name.size() > auth::kUsernameBytesMax) {
    return Failure(fmt::format("a name has at most {} octets", auth::kUsernameBytesMax));
  }
  if (user.realm.empty()) {
    if (!user.algorithm.empty()) return Failure("an HA1 needs the realm that it is made for");
    return field(user.name) + ',' + field(user.password);
  }
  const auto algorithm = auth::parse_algorithm(user.algorithm);
  if (!algorithm) return Failure("unknown algorithm " + user.algorithm + ": MD5, SHA-256 and SHA-512-256 are known");
  const auth::HashKind kind = auth::kind(*algorithm);
  std::array<char, auth::kDigestHexMax> hex;
  const std::size_t size = auth::to_hex(auth::ha1(kind, user.name, user.realm, user.password), hex.data());
  return fmt::format("{},{},{}", field(user.name), to_string(kind), std::string_view(hex.data(), size));
}

Result<void, std::string> append_user(const std::filesystem::path& file, const NewUser& user) {
  const auto line = user_line(user);
  if (!line) return Failure(line.error());
  auto text = read_file(file);
  if (!text) return Failure(text.error());
  if (!text->empty() && !text->ends_with('\n')) *text += '\n';
  *text += *line + '\n';
  // The reader of the file is the judge of it.
  const std::vector<auth::Algorithm> all{auth::Algorithm::md5, auth::Algorithm::sha256, auth::Algorithm::sha512_256};
  auth::CredentialsBuilder builder(user.realm.empty() ? "realm" : user.realm, all, {});
  if (const auto errors = builder.add_csv(*text); !errors.empty()) {
    return Failure(fmt::format("{}:{}: {}", file.string(), errors.front().line, errors.front().message));
  }
  return replace_file(file, *text);
}

}  // namespace ringweir::control
