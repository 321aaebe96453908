// Users from an SQLite database, opened read-only.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "ringweir/auth/credentials.h"

namespace ringweir::control {

// Reads the table `users`: username and password, or username, algorithm and ha1. Returns what is wrong, a
// sentence a row.
std::vector<std::string> add_users_from_sqlite(const std::filesystem::path& path,
                                               auth::CredentialsBuilder& builder);

}  // namespace ringweir::control
