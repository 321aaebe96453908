// Any text is a configuration or a list of mistakes, each with a place: seeded mutations of real files.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "ringweir/base/random.h"
#include "ringweir/control/config.h"

namespace ringweir::control {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> corpus() {
  std::vector<std::string> texts;
  for (const char* folder : {"configs", "tests/vectors/config"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(RINGWEIR_SOURCE_DIR) / folder)) {
      if (entry.path().extension() != ".yaml") continue;
      std::ostringstream text;
      text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
      texts.push_back(text.str());
    }
  }
  std::ranges::sort(texts);  // whatever order the folder has, a seed is a run
  return texts;
}

void mutate(std::string& text, const std::vector<std::string>& texts, Random& random) {
  constexpr std::string_view kInk = "{}[]:,-#&*!|>'\"%@`?\n\t ${~\\09az\x80\xff";
  const auto place = [&] { return random.below(static_cast<std::uint32_t>(text.size() + 1)); };
  switch (random.below(5)) {
    case 0: text.insert(place(), 1, kInk[random.below(kInk.size())]); break;
    case 1: text.erase(place(), random.below(8)); break;
    case 2:
      if (!text.empty())
        text[random.below(static_cast<std::uint32_t>(text.size()))] = kInk[random.below(kInk.size())];
      break;
    case 3: {
      const std::string& other = texts[random.below(static_cast<std::uint32_t>(texts.size()))];
      const std::size_t from = random.below(static_cast<std::uint32_t>(other.size() + 1));
      text.insert(place(), other.substr(from, random.below(64)));
      break;
    }
    default: text.resize(place()); break;
  }
}

TEST(ConfigMutation, AnyTextIsReadOrRefusedWithAPlace) {
  const auto texts = corpus();
  ASSERT_FALSE(texts.empty());
  for (std::uint64_t seed = 0; seed < 4'000; ++seed) {
    Random random(seed);
    std::string text = texts[random.below(static_cast<std::uint32_t>(texts.size()))];
    for (std::uint32_t n = 1 + random.below(6); n > 0; --n) mutate(text, texts, random);
    const auto result = load_config_text(text, "f", "/nowhere");
    if (result) {
      ASSERT_FALSE(result->listeners.empty()) << "seed " << seed;
      ASSERT_FALSE(result->routes.empty()) << "seed " << seed;
      continue;
    }
    ASSERT_FALSE(result.error().empty()) << "seed " << seed;
    for (const Diagnostic& each : result.error()) ASSERT_FALSE(each.text.empty()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace ringweir::control
