#include "control/config_sections.h"

namespace ringweir::control {
namespace {

constexpr std::pair<std::string_view, Challenge> kChallenges[] = {{"www", Challenge::www},
                                                                  {"proxy", Challenge::proxy}};
constexpr std::pair<std::string_view, bool> kReplays[] = {{"strict", true}, {"off", false}};

void read_algorithms(Section& section, auth::AlgorithmList& algorithms) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < auth::kAlgorithms; ++i)
    names.push_back(auth::to_string(static_cast<auth::Algorithm>(i)));
  auth::AlgorithmList read;
  const bool listed = section.list("algorithms", [&](const YamlNode& item) {
    Reader& reader = section.reader();
    const std::string* text = reader.plain(item, "auth.algorithms");
    if (!text) return;
    const auto algorithm = auth::parse_algorithm(*text);
    if (!algorithm) {
      reader.report(item.at, Reader::none_of(*text, "auth.algorithms", names));
    } else if (!read.add(*algorithm)) {
      reader.report(item.at, "the algorithm " + in_quotes(*text) + " is listed twice");
    }
  });
  if (listed) algorithms = read;
}

void read_methods(Section& section, std::vector<sip::Method>& methods) {
  std::vector<sip::Method> read;
  const bool listed = section.list("methods", [&](const YamlNode& item) {
    Reader& reader = section.reader();
    const auto text = read_method(reader, item, "auth.methods");
    if (!text) return;
    const sip::Method method = sip::parse_method(*text);
    if (method == sip::Method::unknown) {
      reader.report(item.at, "auth.methods: only methods that ringweir knows can be challenged, not " +
                                 in_quotes(*text));
    } else if (method == sip::Method::ack || method == sip::Method::cancel) {
      reader.report(item.at, *text + " cannot be challenged (RFC 3261 22.1)");
    } else if (std::ranges::find(read, method) != read.end()) {
      reader.report(item.at, "the method " + *text + " is listed twice");
    } else {
      read.push_back(method);
    }
  });
  if (listed) methods = std::move(read);
}

void read_inline_users(Section& section, Users& users) {
  std::vector<InlineUser> list;
  section.list("inline", [&](const YamlNode& item) {
    Section user(section.reader(), item, "auth.users.inline");
    InlineUser read;
    read.at = item.at;
    const bool named = user.need("name", "{ name: 100, password: \"${PASSWORD_100}\" }") &&
                       user.text("name", read.name, auth::kUsernameBytesMax);
    const bool has_password = user.need("password", "{ name: 100, password: \"${PASSWORD_100}\" }") &&
                              user.secret("password", read.password);
    if (named && has_password) list.push_back(std::move(read));
  });
  users.source = Users::Source::inline_;
  users.list = std::move(list);
}

void read_users(Section& auth, Users& users) {
  const YamlNode* found = auth.take("users");
  if (!found) return;
  Reader& reader = auth.reader();
  Section section(reader, *found, "auth.users");
  if (!section.is_map()) return;
  Users read;
  int sources = 0;
  const auto from_file = [&](std::string_view key, Users::Source source) {
    const YamlNode* node = section.take(key);
    if (!node) return;
    ++sources;
    std::string path;
    read.at = node->at;
    read.source = source;
    if (section.text(key, path, 4'096)) read.path = reader.resolve(path);
  };
  from_file("csv", Users::Source::csv);
  if (const YamlNode* node = section.take("inline")) {
    ++sources;
    read_inline_users(section, read);
    read.at = node->at;
  }
  from_file("sqlite", Users::Source::sqlite);
  if (const YamlEntry* postgres = section.entry("postgres")) {
    ++sources;
    reader.not_yet(postgres->key_at, "users in PostgreSQL (use csv, inline or sqlite)");
  }
  if (sources != 1) reader.report(section.at(), "auth.users has one source: csv, inline or sqlite");
  users = std::move(read);
}

void read_nonce(Section& auth, Auth& out) {
  const YamlNode* found = auth.take("nonce");
  if (!found) return;
  Section section(auth.reader(), *found, "auth.nonce");
  section.duration("lifetime", out.nonce_lifetime, 1s, 24h);
  section.choice<bool>("replay", out.replay_strict, kReplays);
}

}  // namespace

void read_auth(Section& root, Config& config) {
  const YamlNode* found = root.take("auth");
  if (!found) return;
  Auth& auth = config.auth;
  Section section(root.reader(), *found, "auth");
  auth.enabled = true;
  if (auth.realm.empty() && !config.domains.empty()) auth.realm = config.domains.front();
  section.text("realm", auth.realm, 255);
  if (auth.realm.empty() && !section.take("realm") && section.is_map()) {
    root.reader().report(section.at(), "auth needs 'realm', as in realm: example.com");
  }
  read_algorithms(section, auth.algorithms);
  section.choice<Challenge>("challenge", auth.challenge, kChallenges);
  section.boolean("check_uri", auth.check_uri);
  read_methods(section, auth.methods);
  read_nonce(section, auth);
  if (auth.users.source == Users::Source::none) section.need("users", "users: { csv: users.csv }");
  read_users(section, auth.users);
}

}  // namespace ringweir::control
