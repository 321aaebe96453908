// A YAML text as a tree that remembers where everything stands. Built from yaml-cpp's events, because its own
// tree swallows duplicate keys and loses the places of keys.
#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "ringweir/control/config_diagnostic.h"

namespace ringweir::control {

inline constexpr std::size_t kYamlBytesMax = 1u << 20;
inline constexpr std::size_t kYamlDepthMax = 16;  // maps and sequences inside each other
inline constexpr std::size_t kYamlNodesMax = 65'536;

struct YamlEntry;

struct YamlNode {
  enum class Kind { null, scalar, sequence, map };
  Kind kind = Kind::null;
  Place at;                        // of its first character; for an empty value, of its key
  std::string text;                // scalar
  std::vector<YamlNode> items;     // sequence
  std::vector<YamlEntry> entries;  // map, in the order of the text, each key once
};

struct YamlEntry {
  std::string key;
  Place key_at;
  YamlNode value;
};

std::string_view to_string(YamlNode::Kind kind) noexcept;  // "nothing", "a value", "a list", "a map"

// One document of maps, lists and plain values. Duplicate keys, keys that are not plain, anchors, aliases,
// tags and second documents are refused: each makes a file that reads otherwise than it looks. All such
// errors are returned, a syntax error ends the list. An empty text is a null node.
std::expected<YamlNode, Diagnostics> parse_yaml(std::string_view text, std::string_view file);

}  // namespace ringweir::control
