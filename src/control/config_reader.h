// Reading a configuration's tree: every key is asked for by name, what nobody asked for is unknown, and every
// mistake is reported where it stands while the reading goes on.
#pragma once
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/config_text.h"
#include "ringweir/base/address.h"
#include "ringweir/control/config.h"
#include "ringweir/control/yaml_document.h"

namespace ringweir::control {

template <class E>
using Choices = std::span<const std::pair<std::string_view, E>>;

// What all sections of one file share.
class Reader {
 public:
  Reader(std::string_view file, std::filesystem::path base_dir)
      : file_(file), base_dir_(std::move(base_dir)) {}

  void report(Place at, std::string text) { found_.push_back({file_, at.line, at.column, std::move(text)}); }
  // `what` completes "this version does not have ... yet".
  void not_yet(Place at, std::string_view what);
  std::filesystem::path resolve(std::string_view path) const {
    return base_dir_ / std::filesystem::path(path);
  }
  // In the order of the file.
  Diagnostics take_found();

  // A plain value's text; null, and a report, when the node is something else or empty. `what` names it:
  // "auth.realm".
  const std::string* scalar(const YamlNode& node, std::string_view what);
  // The same, but not one that was meant to be replaced: only secrets read ${NAME}.
  const std::string* plain(const YamlNode& node, std::string_view what);
  std::optional<std::uint64_t> number(const YamlNode& node, std::string_view what, std::uint64_t min,
                                      std::uint64_t max);
  std::optional<Secret> secret(const YamlNode& node, std::string_view what);
  std::optional<Endpoint> endpoint(const YamlNode& node, std::string_view what, std::uint16_t default_port);

  template <class E>
  std::optional<E> choice(const YamlNode& node, std::string_view what, Choices<E> choices) {
    const std::string* text = plain(node, what);
    if (!text) return std::nullopt;
    for (const auto& [name, value] : choices) {
      if (name == *text) return value;
    }
    std::vector<std::string_view> names;
    for (const auto& each : choices) names.push_back(each.first);
    report(node.at, none_of(*text, what, names));
    return std::nullopt;
  }
  static std::string none_of(std::string_view text, std::string_view what,
                             std::span<const std::string_view> names);

 private:
  std::optional<Secret> secret_from_environment(const YamlNode& node, std::string_view what);
  std::optional<Secret> secret_from_file(const YamlNode& node, std::string_view what);

  std::string file_;
  std::filesystem::path base_dir_;
  Diagnostics found_;
};

// One map. When it goes out of scope it reports the keys that nobody asked for.
class Section {
 public:
  Section(Reader& reader, const YamlNode& node, std::string_view name);
  ~Section();
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

  bool is_map() const noexcept { return map_ != nullptr; }
  Place at() const noexcept { return at_; }
  Reader& reader() noexcept { return reader_; }
  std::string path(std::string_view key) const {
    return name_.empty() ? std::string(key) : name_ + '.' + std::string(key);
  }

  // The value of `key`, null when it is not there.
  const YamlNode* take(std::string_view key);
  const YamlEntry* entry(std::string_view key);
  // As take(), and its absence is reported.
  const YamlNode* need(std::string_view key, std::string_view example);

  // Each leaves `out` as it is when the key is absent or its value wrong, and says whether it wrote.
  bool text(std::string_view key, std::string& out, std::size_t bytes_max);
  bool boolean(std::string_view key, bool& out);
  bool number(std::string_view key, std::uint32_t& out, std::uint32_t min, std::uint32_t max);
  bool duration(std::string_view key, Duration& out, Duration min, Duration max);
  bool size(std::string_view key, std::uint64_t& out, std::uint64_t min, std::uint64_t max);
  bool rate(std::string_view key, std::uint64_t& out);
  bool endpoint(std::string_view key, Endpoint& out, std::uint16_t default_port);
  bool secret(std::string_view key, Secret& out);
  template <class E>
  bool choice(std::string_view key, E& out, Choices<E> choices) {
    const YamlNode* node = take(key);
    if (!node) return false;
    const auto chosen = reader_.choice<E>(*node, path(key), choices);
    if (chosen) out = *chosen;
    return chosen.has_value();
  }
  // Each item of a list that is not empty; false when the key is absent or no such list.
  template <class Visit>
  bool list(std::string_view key, Visit&& visit) {
    const YamlNode* node = take(key);
    if (!node || !check_list(*node, key)) return false;
    for (const YamlNode& item : node->items) visit(item);
    return true;
  }

 private:
  bool check_list(const YamlNode& node, std::string_view key);

  Reader& reader_;
  std::string name_;
  Place at_;
  const YamlNode* map_ = nullptr;
  std::vector<std::string_view> known_;  // asked for so far: literals
};

}  // namespace ringweir::control
