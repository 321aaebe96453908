// `users add`: lines of a users file, as auth::CredentialsBuilder::add_csv reads them.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "ringweir/base/result.h"

namespace ringweir::control {

struct NewUser {
  std::string name, password;
  std::string realm;      // empty: the password is written as it is
  std::string algorithm;  // with a realm: whose HA1; empty is MD5
};

// `name,algorithm,ha1` or `name,password`, without a line end. The error is a sentence.
Result<std::string, std::string> user_line(const NewUser& user);

// Appends a line, by a new file that takes the old one's place, so that a reload never sees half of it. A file that is not
// there is made, readable by its owner only. Refused when it already has that user (and algorithm), or is not a users file.
Result<void, std::string> append_user(const std::filesystem::path& file, const NewUser& user);

}  // namespace ringweir::control
