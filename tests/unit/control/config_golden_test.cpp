// tests/vectors/config: each NAME.yaml with what is said about it in NAME.expected, one diagnostic a line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "ringweir/control/config.h"

namespace ringweir::control {
namespace {

namespace fs = std::filesystem;
const fs::path kVectors = fs::path(RINGWEIR_SOURCE_DIR) / "tests/vectors/config";

std::string read(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::vector<fs::path> vectors() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(kVectors)) {
    if (entry.path().extension() == ".yaml") found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

std::string said_about(const fs::path& path) {
  const auto result = load_config_text(read(path), path.filename().string(), "");
  if (result) return "fine\n";
  std::string text;
  for (const Diagnostic& each : result.error()) text += to_string(each) + '\n';
  return text;
}

TEST(ConfigGolden, EveryMistakeIsToldWithItsPlace) {
  const auto files = vectors();
  ASSERT_GE(files.size(), 25u);
  for (const fs::path& path : files) {
    const fs::path expected = fs::path(path).replace_extension(".expected");
    ASSERT_TRUE(fs::exists(expected)) << expected;
    EXPECT_EQ(said_about(path), read(expected)) << path;
  }
}

TEST(ConfigGolden, PlacesAreInsideTheFile) {
  for (const fs::path& path : vectors()) {
    const std::string text = read(path);
    const auto result = load_config_text(text, "f", "");
    if (result || text.empty()) continue;
    const auto lines = std::ranges::count(text, '\n') + 1;
    for (const Diagnostic& each : result.error()) {
      EXPECT_THAT(each.line, testing::AllOf(testing::Ge(1), testing::Le(lines))) << to_string(each);
      EXPECT_GE(each.column, 1) << to_string(each);
    }
  }
}

TEST(ConfigGolden, WhatTheRepositoryShipsIsFine) {
  for (const char* name :
       {"lab.yaml", "registrar.yaml", "edge.yaml", "balancer-stateful.yaml", "balancer-stateless.yaml"}) {
    const auto result = load_config(fs::path(RINGWEIR_SOURCE_DIR) / "configs" / name);
    EXPECT_TRUE(result) << (result ? "" : to_string(result.error().front()));
  }
  EXPECT_EQ(read(fs::path(RINGWEIR_SOURCE_DIR) / "configs/lab.yaml"), lab_config_text());
}

}  // namespace
}  // namespace ringweir::control
