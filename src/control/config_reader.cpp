#include "control/config_reader.h"

#include <cstdlib>
#include <fstream>
#include <tuple>

#include "ringweir/control/config_changes.h"

namespace ringweir::control {
namespace {

constexpr std::size_t kSecretBytesMax = 4'096;

std::string joined(std::span<const std::string_view> names) {
  std::string text;
  for (const std::string_view name : names) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

bool is_environment_name(std::string_view name) noexcept {
  const auto inner = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && std::ranges::all_of(name, inner) && !(name[0] >= '0' && name[0] <= '9');
}

}  // namespace

void Reader::not_yet(Place at, std::string_view what) {
  report(at, "this version does not have " + std::string(what) + " yet");
}

Diagnostics Reader::take_found() {
  std::ranges::stable_sort(found_, {}, [](const Diagnostic& d) { return std::tuple(d.line, d.column); });
  return std::move(found_);
}

const std::string* Reader::scalar(const YamlNode& node, std::string_view what) {
  if (node.kind == YamlNode::Kind::scalar && !node.text.empty()) return &node.text;
  const std::string_view got = node.kind == YamlNode::Kind::scalar ? "an empty one" : to_string(node.kind);
  report(node.at, std::string(what) + " takes a value, this is " + std::string(got));
  return nullptr;
}

const std::string* Reader::plain(const YamlNode& node, std::string_view what) {
  const std::string* text = scalar(node, what);
  if (!text || text->find("${") == text->npos) return text;
  report(node.at, std::string(what) + " is no secret: only secrets and passwords are read from ${...}");
  return nullptr;
}

std::optional<std::uint64_t> Reader::number(const YamlNode& node, std::string_view what, std::uint64_t min,
                                            std::uint64_t max) {
  const std::string* text = plain(node, what);
  if (!text) return std::nullopt;
  const auto value = parse_number(*text);
  if (!value) {
    report(node.at, std::string(what) + ": " + value.error());
  } else if (*value < min || *value > max) {
    report(node.at, std::string(what) + " is from " + std::to_string(min) + " to " + std::to_string(max) +
                        ", not " + *text);
  } else {
    return *value;
  }
  return std::nullopt;
}

std::optional<Secret> Reader::secret(const YamlNode& node, std::string_view what) {
  const std::string* text = scalar(node, what);
  if (!text) return std::nullopt;
  if (text->starts_with("${")) return secret_from_environment(node, what);
  if (text->starts_with("file:")) return secret_from_file(node, what);
  return Secret(*text);
}

std::optional<Secret> Reader::secret_from_environment(const YamlNode& node, std::string_view what) {
  const std::string_view text = node.text;
  const std::string_view name = text.ends_with('}') ? text.substr(2, text.size() - 3) : std::string_view();
  if (!is_environment_name(name)) {
    report(node.at,
           std::string(what) + ": a secret from the environment is written ${NAME}, and nothing beside it");
    return std::nullopt;
  }
  const char* value = std::getenv(std::string(name).c_str());
  if (value && *value) return Secret(value);
  report(node.at, std::string(what) + ": the environment variable " + std::string(name) +
                      (value ? " is empty" : " is not set"));
  return std::nullopt;
}

std::optional<Secret> Reader::secret_from_file(const YamlNode& node, std::string_view what) {
  const std::filesystem::path path = resolve(std::string_view(node.text).substr(5));
  std::ifstream stream(path, std::ios::binary);
  std::string text(kSecretBytesMax + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  std::error_code ignored;
  if (!stream.is_open() || std::filesystem::is_directory(path, ignored)) {
    report(node.at, std::string(what) + ": cannot read the file " + in_quotes(path.string()));
    return std::nullopt;
  }
  if (text.size() > kSecretBytesMax) {
    report(node.at,
           std::string(what) + ": the file is longer than " + std::to_string(kSecretBytesMax) + " octets");
    return std::nullopt;
  }
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  if (!text.empty()) return Secret(std::move(text));
  report(node.at, std::string(what) + ": the file " + in_quotes(path.string()) + " is empty");
  return std::nullopt;
}

std::optional<Endpoint> Reader::endpoint(const YamlNode& node, std::string_view what,
                                         std::uint16_t default_port) {
  const std::string* text = plain(node, what);
  if (!text) return std::nullopt;
  const bool bare_ipv6 = std::ranges::count(*text, ':') > 1 && !text->starts_with('[');
  if (bare_ipv6) {
    report(node.at, std::string(what) + ": " + in_quotes(*text) +
                        ": an IPv6 address stands in brackets, as in [::1]:" + std::to_string(default_port));
    return std::nullopt;
  }
  const auto endpoint = parse_endpoint(*text, default_port);
  if (!endpoint) {
    report(node.at, std::string(what) + ": " + in_quotes(*text) +
                        " is not an address: write 192.0.2.1:" + std::to_string(default_port) +
                        ", [2001:db8::1]:" + std::to_string(default_port) + ", or 0.0.0.0 for every address");
  }
  return endpoint;
}

std::string Reader::none_of(std::string_view text, std::string_view what,
                            std::span<const std::string_view> names) {
  const std::string hint = did_you_mean(text, names);
  return std::string(what) + " cannot be " + in_quotes(text) +
         (hint.empty() ? ": it is one of " + joined(names) : hint);
}

Section::Section(Reader& reader, const YamlNode& node, std::string_view name)
    : reader_(reader), name_(name), at_(node.at) {
  if (node.kind == YamlNode::Kind::map) {
    map_ = &node;
  } else {
    const std::string what = name_.empty() ? "a configuration" : name_;
    reader_.report(node.at,
                   what + " is a map of keys and values, this is " + std::string(to_string(node.kind)));
  }
}

Section::~Section() {
  if (!map_) return;
  for (const YamlEntry& entry : map_->entries) {
    if (std::ranges::find(known_, entry.key) != known_.end()) continue;
    const std::string hint = did_you_mean(entry.key, known_);
    const std::string where = name_.empty() ? "" : " in " + name_;
    reader_.report(entry.key_at, "unknown key " + in_quotes(entry.key) + where +
                                     (hint.empty() ? ": there are " + joined(known_) : hint));
  }
}

const YamlEntry* Section::entry(std::string_view key) {
  if (std::ranges::find(known_, key) == known_.end()) known_.push_back(key);
  if (!map_) return nullptr;
  const auto found = std::ranges::find(map_->entries, key, &YamlEntry::key);
  return found == map_->entries.end() ? nullptr : &*found;
}

const YamlNode* Section::take(std::string_view key) {
  const YamlEntry* found = entry(key);
  return found ? &found->value : nullptr;
}

const YamlNode* Section::need(std::string_view key, std::string_view example) {
  const YamlNode* node = take(key);
  if (!node && map_) {
    const std::string what = name_.empty() ? "the file" : name_;
    reader_.report(at_, what + " needs " + in_quotes(key) + ", as in " + std::string(example));
  }
  return node;
}

bool Section::text(std::string_view key, std::string& out, std::size_t bytes_max) {
  const YamlNode* node = take(key);
  const std::string* text = node ? reader_.plain(*node, path(key)) : nullptr;
  if (!text) return false;
  if (text->size() > bytes_max) {
    reader_.report(node->at, path(key) + " is longer than " + std::to_string(bytes_max) + " octets");
    return false;
  }
  if (std::ranges::any_of(*text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
    reader_.report(node->at, path(key) + " has a control character");
    return false;
  }
  out = *text;
  return true;
}

bool Section::boolean(std::string_view key, bool& out) {
  const YamlNode* node = take(key);
  const std::string* text = node ? reader_.plain(*node, path(key)) : nullptr;
  if (!text) return false;
  const auto value = parse_bool(*text);
  if (value) out = *value;
  if (!value) reader_.report(node->at, path(key) + ": " + value.error());
  return value.has_value();
}

bool Section::number(std::string_view key, std::uint32_t& out, std::uint32_t min, std::uint32_t max) {
  const YamlNode* node = take(key);
  const auto value = node ? reader_.number(*node, path(key), min, max) : std::nullopt;
  if (value) out = static_cast<std::uint32_t>(*value);
  return value.has_value();
}

bool Section::duration(std::string_view key, Duration& out, Duration min, Duration max) {
  const YamlNode* node = take(key);
  const std::string* text = node ? reader_.plain(*node, path(key)) : nullptr;
  if (!text) return false;
  const auto value = parse_duration(*text);
  if (!value) {
    reader_.report(node->at, path(key) + ": " + value.error());
  } else if (*value < min || *value > max) {
    reader_.report(node->at, path(key) + " is from " + format_duration(min) + " to " + format_duration(max) +
                                 ", not " + *text);
  } else {
    out = *value;
    return true;
  }
  return false;
}

bool Section::size(std::string_view key, std::uint64_t& out, std::uint64_t min, std::uint64_t max) {
  const YamlNode* node = take(key);
  const std::string* text = node ? reader_.plain(*node, path(key)) : nullptr;
  if (!text) return false;
  const auto value = parse_size(*text);
  if (!value) {
    reader_.report(node->at, path(key) + ": " + value.error());
  } else if (*value < min || *value > max) {
    reader_.report(node->at,
                   path(key) + " is from " + format_size(min) + " to " + format_size(max) + ", not " + *text);
  } else {
    out = *value;
    return true;
  }
  return false;
}

bool Section::rate(std::string_view key, std::uint64_t& out) {
  const YamlNode* node = take(key);
  const std::string* text = node ? reader_.plain(*node, path(key)) : nullptr;
  if (!text) return false;
  const auto value = parse_rate(*text);
  if (value) out = *value;
  if (!value) reader_.report(node->at, path(key) + ": " + value.error());
  return value.has_value();
}

bool Section::endpoint(std::string_view key, Endpoint& out, std::uint16_t default_port) {
  const YamlNode* node = take(key);
  const auto value = node ? reader_.endpoint(*node, path(key), default_port) : std::nullopt;
  if (value) out = *value;
  return value.has_value();
}

bool Section::secret(std::string_view key, Secret& out) {
  const YamlNode* node = take(key);
  auto value = node ? reader_.secret(*node, path(key)) : std::nullopt;
  if (value) out = std::move(*value);
  return value.has_value();
}

bool Section::check_list(const YamlNode& node, std::string_view key) {
  if (node.kind != YamlNode::Kind::sequence) {
    reader_.report(node.at,
                   path(key) + " takes a list, as in [a, b]; this is " + std::string(to_string(node.kind)));
    return false;
  }
  if (node.items.empty()) reader_.report(node.at, path(key) + " is empty");
  return !node.items.empty();
}

}  // namespace ringweir::control
