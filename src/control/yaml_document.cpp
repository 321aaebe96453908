#include "ringweir/control/yaml_document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <utility>

#include "control/config_text.h"

namespace ringweir::control {
namespace {

Place place(const YAML::Mark& mark) noexcept {
  if (mark.is_null()) return {1, 1};
  return {mark.line + 1, mark.column + 1};
}

struct Stop {};  // enough was read to know that no more should be

class Builder : public YAML::EventHandler {
 public:
  explicit Builder(std::string_view file) : file_(file) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ == 0) return;
    report(place(mark), "a second document: one file holds one configuration");
    throw Stop{};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    // A value that is not there has no mark: its key's place is the next best.
    Place at = place(mark);
    if (!open_.empty() && open_.back().has_key) at = open_.back().key_at;
    add(node(YamlNode::Kind::null, at));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    report(place(mark), "aliases (*name) are not read here: write the value again");
    add(node(YamlNode::Kind::null, place(mark)));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& text) override {
    refuse_tag(mark, tag);
    YamlNode scalar = node(YamlNode::Kind::scalar, place(mark));
    scalar.text = text;
    add(std::move(scalar));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(YamlNode::Kind::sequence, place(mark));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(YamlNode::Kind::map, place(mark));
  }
  void OnMapEnd() override { close(); }
  void OnAnchor(const YAML::Mark& mark, const std::string&) override {
    report(place(mark), "anchors (&name) are not read here");
  }

  void report(Place at, std::string text) { found_.push_back({file_, at.line, at.column, std::move(text)}); }
  bool more() const noexcept { return documents_ < 2; }
  Diagnostics& found() noexcept { return found_; }
  YamlNode& root() noexcept { return root_; }

 private:
  struct Open {
    YamlNode node;
    bool has_key = false;
    bool keep = true;  // false: a duplicate, read only to find the errors in it
    std::string key;
    Place key_at;
  };

  YamlNode node(YamlNode::Kind kind, Place at) {
    if (++nodes_ > kYamlNodesMax) {
      report(at, "too much: a configuration has at most " + std::to_string(kYamlNodesMax) + " values");
      throw Stop{};
    }
    YamlNode made;
    made.kind = kind;
    made.at = at;
    return made;
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;  // none, plain or quoted
    report(place(mark), "tags (!name) are not read here");
  }

  void open(YamlNode::Kind kind, Place at) {
    if (open_.size() == kYamlDepthMax) {
      report(at, "too deep: at most " + std::to_string(kYamlDepthMax) + " levels");
      throw Stop{};
    }
    Open opened;
    opened.node = node(kind, at);
    open_.push_back(std::move(opened));
  }

  void close() {
    YamlNode done = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(done));
  }

  void add(YamlNode&& value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::sequence) {
      parent.node.items.push_back(std::move(value));
    } else if (!parent.has_key) {
      take_key(parent, std::move(value));
    } else {
      if (parent.keep) {
        parent.node.entries.push_back({std::move(parent.key), parent.key_at, std::move(value)});
      }
      parent.has_key = false;
    }
  }

  void take_key(Open& parent, YamlNode&& key) {
    parent.has_key = true;
    parent.keep = key.kind == YamlNode::Kind::scalar;
    parent.key_at = key.at;
    parent.key = std::move(key.text);
    if (!parent.keep) return report(parent.key_at, "a key is one word");
    for (const YamlEntry& before : parent.node.entries) {
      if (before.key != parent.key) continue;
      parent.keep = false;
      return report(parent.key_at, "duplicate key " + in_quotes(parent.key) + ": it stands in line " +
                                       std::to_string(before.key_at.line) + " already");
    }
  }

  std::string file_;
  Diagnostics found_;
  YamlNode root_;
  std::vector<Open> open_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

// What would make columns meaningless, or hide text from a reader's eye.
void check_characters(std::string_view text, Builder& builder) {
  int line = 1;
  std::size_t line_at = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\n') {
      ++line;
      line_at = i + 1;
    }
    const Place at{line, static_cast<int>(i - line_at) + 1};
    if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f) {
      builder.report(at, "a control character");
      throw Stop{};
    }
    if (c < 0x80) continue;
    const std::size_t size = utf8_size(text.substr(i));
    if (size == 0) {
      builder.report(at, "not UTF-8");
      throw Stop{};
    }
    i += size - 1;
  }
}

void read(std::string_view text, Builder& builder) {
  if (text.size() > kYamlBytesMax) {
    builder.report({1, 1},
                   "too large: a configuration has at most " + std::to_string(kYamlBytesMax) + " octets");
    return;
  }
  // Our exceptions unwind through the parser: it holds nothing that this loses.
  try {
    check_characters(text, builder);
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (builder.more() && parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop&) {
  } catch (const YAML::Exception& e) {
    builder.report(place(e.mark), "not YAML: " + e.msg);
  }
}

}  // namespace

std::string_view to_string(YamlNode::Kind kind) noexcept {
  switch (kind) {
    case YamlNode::Kind::null: return "nothing";
    case YamlNode::Kind::scalar: return "a value";
    case YamlNode::Kind::sequence: return "a list";
    case YamlNode::Kind::map: return "a map";
  }
  return "";
}

std::string to_string(const Diagnostic& d) {
  if (d.line == 0) return d.file + ": " + d.text;
  return d.file + ':' + std::to_string(d.line) + ':' + std::to_string(d.column) + ": " + d.text;
}

std::expected<YamlNode, Diagnostics> parse_yaml(std::string_view text, std::string_view file) {
  Builder builder(file);
  read(text, builder);
  if (!builder.found().empty()) return std::unexpected(std::move(builder.found()));
  return std::move(builder.root());
}

}  // namespace ringweir::control
