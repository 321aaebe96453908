#include <cerrno>
#include <cstring>
#include <fstream>

#include "control/config_sections.h"

namespace ringweir::control {
namespace {

constexpr std::string_view kLabText =
    "# What `ringweir serve --lab` runs: users 100, 101, 102, password = user name, loopback only.\n"
    "version: 1\n"
    "listeners:\n"
    "  - { name: sip, bind: \"127.0.0.1:5060\", transport: [udp] }\n"
    "lab: { enabled: true }\n";

void apply_lab_defaults(Config& config) {
  config.limits.failed_auth = false;
  Listener listener;
  listener.name = "sip";
  listener.bind = {IpAddress::v4(127, 0, 0, 1), 5060};
  config.listeners = {listener};
  config.trace.recording = true;  // who learns wants to see what has already happened
  Auth& auth = config.auth;
  auth.enabled = true;
  auth.realm = "ringweir.lab";
  // libre, so baresip, gives up at a challenge that it does not know, though it knows the one before.
  auth.algorithms = {auth::Algorithm::md5};
  auth.methods = {sip::Method::register_};  // a first call should not fail for want of a password
  auth.users.source = Users::Source::inline_;
  for (const char* name : {"100", "101", "102"}) auth.users.list.push_back({name, Secret(name), {}});
}

void read_version(Section& root) {
  const YamlNode* version = root.need("version", "version: 1");
  if (version && !(version->kind == YamlNode::Kind::scalar && version->text == "1")) {
    root.reader().report(version->at, "version is 1, the only one there is");
  }
}

void read_lab(Section& root, Lab& lab) {
  const YamlNode* found = root.take("lab");
  if (!found) return;
  Section section(root.reader(), *found, "lab");
  section.boolean("enabled", lab.enabled);
}

Config read_config(Reader& reader, const YamlNode& document) {
  Config config;
  Section root(reader, document, "");
  read_version(root);
  read_lab(root, config.lab);
  if (config.lab.enabled) apply_lab_defaults(config);
  read_node(root, config.node);
  read_listeners(root, config.listeners, config.lab.enabled);
  read_domains(root, config.domains);
  read_auth(root, config);
  read_registrar(root, config.registrar);
  read_upstreams(root, config);
  read_routes(root, config);
  read_proxy(root, config.proxy);
  read_dns(root, config.dns);
  read_limits(root, config.limits);
  read_trace(root, config.trace);
  read_admin(root, config.admin, config.lab.enabled);
  read_keys(root, config.keys);
  return config;
}

std::unexpected<Diagnostics> cannot_read(const std::filesystem::path& path, std::string why) {
  return std::unexpected(Diagnostics{{path.string(), 0, 0, "cannot read it: " + std::move(why)}});
}

}  // namespace

std::string_view lab_config_text() noexcept {
  return kLabText;
}

ConfigResult load_config_text(std::string_view text, std::string_view name,
                              const std::filesystem::path& base_dir) {
  const auto document = parse_yaml(text, name);
  if (!document) return std::unexpected(document.error());
  Reader reader(name, base_dir);
  Config config = read_config(reader, *document);
  config.file = name;
  Diagnostics found = reader.take_found();
  if (!found.empty()) return std::unexpected(std::move(found));
  return config;
}

ConfigResult load_config(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return cannot_read(path, "it is a directory");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return cannot_read(path, std::strerror(errno));
  std::string text(kYamlBytesMax + 1, '\0');  // one more than parse_yaml takes
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return load_config_text(text, path.string(), path.parent_path());
}

}  // namespace ringweir::control
