// The users that a configuration names, read from where they are.
#pragma once
#include <expected>
#include <memory>

#include "ringweir/auth/credentials.h"
#include "ringweir/control/config.h"

namespace ringweir::control {

// Null when the configuration authenticates nobody. Every wrong line of a CSV file or row of a database is
// reported, and then nothing is loaded: a reload keeps the users it had. `key` only places users in the
// table.
//   csv:    username,password or username,algorithm,ha1, see auth::CredentialsBuilder::add_csv
//   sqlite: a table `users` with the columns username and password, or username, algorithm and ha1; opened
//   read-only
std::expected<std::shared_ptr<const auth::Credentials>, Diagnostics> load_users(const Config& config,
                                                                                const Key128& key);

}  // namespace ringweir::control
