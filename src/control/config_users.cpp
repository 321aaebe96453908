#include "ringweir/control/config_users.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "control/config_sqlite.h"

namespace ringweir::control {
namespace {

// A mistaken path, say of a log, should not fill the memory; ten million users have room.
constexpr std::streamoff kCsvBytesMax = std::streamoff{2} << 30;

Diagnostic at_source(const Config& config, std::string text) {
  return {config.file, config.auth.users.at.line, config.auth.users.at.column, std::move(text)};
}

std::expected<std::string, std::string> read_whole(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return std::unexpected("it is a directory");
  std::ifstream stream(path, std::ios::binary | std::ios::ate);
  if (!stream) return std::unexpected(std::strerror(errno));
  const std::streamoff size = stream.tellg();
  if (size > kCsvBytesMax) return std::unexpected("it is larger than 2 GiB");
  std::string text(size > 0 ? static_cast<std::size_t>(size) : 0, '\0');
  stream.seekg(0);
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

void add_csv(const Config& config, auth::CredentialsBuilder& builder, Diagnostics& found) {
  const std::filesystem::path& path = config.auth.users.path;
  const auto text = read_whole(path);
  if (!text)
    return found.push_back(
        at_source(config, "cannot read the users in " + path.string() + ": " + text.error()));
  for (auth::CredentialsError& error : builder.add_csv(*text)) {
    found.push_back({path.string(), static_cast<int>(error.line), static_cast<int>(error.column),
                     std::move(error.message)});
  }
}

void add_inline(const Config& config, auth::CredentialsBuilder& builder, Diagnostics& found) {
  for (const InlineUser& user : config.auth.users.list) {
    auto wrong = builder.add_password(user.name, user.password.reveal());
    if (wrong)
      found.push_back({config.file, user.at.line, user.at.column, user.name + ": " + std::move(*wrong)});
  }
}

void add_sqlite(const Config& config, auth::CredentialsBuilder& builder, Diagnostics& found) {
  const std::filesystem::path& path = config.auth.users.path;
  for (std::string& wrong : add_users_from_sqlite(path, builder)) {
    found.push_back(at_source(config, path.string() + ": " + std::move(wrong)));
  }
}

}  // namespace

std::expected<std::shared_ptr<const auth::Credentials>, Diagnostics> load_users(const Config& config,
                                                                                const Key128& key) {
  if (!config.auth.enabled) return nullptr;
  const auth::AlgorithmList& algorithms = config.auth.algorithms;
  auth::CredentialsBuilder builder(config.auth.realm, {algorithms.data(), algorithms.size()}, key);
  Diagnostics found;
  switch (config.auth.users.source) {
    case Users::Source::none: break;
    case Users::Source::csv: add_csv(config, builder, found); break;
    case Users::Source::sqlite: add_sqlite(config, builder, found); break;
    case Users::Source::inline_: add_inline(config, builder, found); break;
  }
  if (!found.empty()) return std::unexpected(std::move(found));
  return std::move(builder).build();
}

}  // namespace ringweir::control
