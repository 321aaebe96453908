// The exposition, read back by the rules of the text format 0.0.4, strictly.
#include <gtest/gtest.h>

#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "admin_world.h"
#include "ringweir/control/metrics.h"

namespace ringweir::control {
namespace {

using testing::AdminWorld;

bool is_name(std::string_view text, bool label) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  return std::ranges::all_of(text, [label](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c == ':' && !label);
  });
}

// name="value",...  with escapes. False on anything else.
bool read_labels(std::string_view text, std::map<std::string, std::string>& labels) {
  while (!text.empty()) {
    const std::size_t equals = text.find("=\"");
    if (equals == text.npos || !is_name(text.substr(0, equals), true)) return false;
    const std::string name(text.substr(0, equals));
    text.remove_prefix(equals + 2);
    std::string value;
    for (; !text.empty() && text[0] != '"'; text.remove_prefix(1)) {
      if (text[0] == '\\') {
        text.remove_prefix(1);
        if (text.empty() || std::string_view("\\\"n").find(text[0]) == std::string_view::npos) return false;
      }
      value += text[0];
    }
    if (text.empty() || !labels.emplace(name, value).second) return false;
    text.remove_prefix(1);
    if (text.starts_with(",")) text.remove_prefix(1);
  }
  return true;
}

struct Exposition {
  std::map<std::string, std::string> types;
  std::map<std::string, double> samples;  // name{sorted labels}
  std::string fault;

  double of(const std::string& key) const {
    const auto found = samples.find(key);
    return found == samples.end() ? -1 : found->second;
  }
};

void read_sample(const std::string& line, Exposition& out, const std::string& family) {
  const std::size_t blank = line.rfind(' ');
  std::string_view head = std::string_view(line).substr(0, blank);
  double value = 0;
  const char* const end = line.data() + line.size();
  if (blank == std::string::npos || std::from_chars(line.data() + blank + 1, end, value).ptr != end) {
    out.fault = "value: " + line;
    return;
  }
  std::map<std::string, std::string> labels;
  std::string name(head.substr(0, head.find('{')));
  if (head.size() != name.size()) {
    if (!head.ends_with('}') || !read_labels(head.substr(name.size() + 1, head.size() - name.size() - 2), labels)) {
      out.fault = "labels: " + line;
    }
  }
  const bool is_histogram = out.types[family] == "histogram";
  const bool belongs = is_histogram ? name == family + "_bucket" || name == family + "_sum" || name == family + "_count" : name == family;
  if (!is_name(name, false) || !belongs) out.fault = "outside its family: " + line;
  if (out.types[name] == "counter" && (value < 0 || !name.ends_with("_total"))) out.fault = "counter: " + line;
  std::string key = name;
  for (const auto& [label, text] : labels) key += (key == name ? "{" : ",") + label + "=" + text;
  if (!labels.empty()) key += '}';
  if (!out.samples.emplace(key, value).second) out.fault = "twice: " + key;
}

Exposition read(const std::string& text) {
  Exposition out;
  std::istringstream lines(text);
  std::set<std::string> helped;
  std::string family, line;
  if (!text.ends_with('\n')) out.fault = "the last line has no end";
  while (std::getline(lines, line) && out.fault.empty()) {
    std::istringstream words(line);
    std::string hash, kind, name, rest;
    words >> hash >> kind >> name;
    std::getline(words, rest);
    if (hash != "#") {
      read_sample(line, out, family);
    } else if (kind == "HELP") {
      if (!helped.insert(name).second || rest.size() < 5) out.fault = "HELP: " + line;
    } else if (kind == "TYPE") {
      family = name;
      if (!helped.contains(name) || !out.types.emplace(name, rest.substr(1)).second) out.fault = "TYPE: " + line;
      if (rest != " counter" && rest != " gauge" && rest != " histogram") out.fault = "TYPE: " + line;
    } else {
      out.fault = "comment: " + line;
    }
  }
  return out;
}

TEST(Metrics, AreWellFormedEachFamilyWithHelpAndType) {
  AdminWorld world(2);
  world.registers("100");
  const Exposition read_back = read(metrics_text(world.view));
  EXPECT_EQ(read_back.fault, "");
  for (const char* name :
       {"ringweir_sip_requests_total", "ringweir_sip_responses_total", "ringweir_sip_dropped_total", "ringweir_sip_malformed_total",
        "ringweir_sip_retransmissions_total", "ringweir_auth_total", "ringweir_registrations_total", "ringweir_bindings",
        "ringweir_aors", "ringweir_datagrams_total", "ringweir_bytes_total", "ringweir_io_errors_total", "ringweir_io_backend_info",
        "ringweir_mailbox_handed_over_total", "ringweir_mailbox_full_total", "ringweir_shards", "ringweir_build_info",
        "process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds", "process_start_time_seconds"}) {
    EXPECT_TRUE(read_back.types.contains(name)) << name;
  }
}

TEST(Metrics, SumTheShardsOfOneRegistration) {
  AdminWorld world(2);
  for (const char* user : {"100", "101", "102"}) world.registers(user);
  world.phone.say("garbage\xff\xff");
  const Exposition metrics = read(metrics_text(world.view));
  EXPECT_EQ(metrics.of("ringweir_sip_requests_total{method=REGISTER,transport=udp}"), 6);
  EXPECT_EQ(metrics.of("ringweir_sip_responses_total{code=401,direction=out}"), 3);
  EXPECT_EQ(metrics.of("ringweir_sip_responses_total{code=200,direction=out}"), 3);
  EXPECT_EQ(metrics.of("ringweir_auth_total{result=accepted}"), 3);
  EXPECT_EQ(metrics.of("ringweir_auth_total{result=no_credentials}"), 3);
  EXPECT_EQ(metrics.of("ringweir_registrations_total{result=updated}"), 3);
  EXPECT_EQ(metrics.of("ringweir_bindings"), 3);
  EXPECT_EQ(metrics.of("ringweir_aors"), 3);
  EXPECT_EQ(metrics.of("ringweir_datagrams_total{direction=in}"), 7);
  EXPECT_EQ(metrics.of("ringweir_queue_delay_seconds_bucket{le=+Inf}"), metrics.of("ringweir_queue_delay_seconds_count"));
  EXPECT_GT(metrics.of("ringweir_queue_delay_seconds_count"), 0);
  EXPECT_EQ(metrics.of("ringweir_shed_total{answer=503,begins=dialog,reason=overload}"), 0);
  EXPECT_EQ(metrics.of("ringweir_shards"), 2);
  EXPECT_EQ(metrics.of("ringweir_users"), 3);
  EXPECT_EQ(metrics.of("ringweir_build_info{version=1.2.3}"), 1);
  EXPECT_EQ(metrics.of("ringweir_io_backend_info{backend=sim,reason=a \"test\"}"), 1);
  EXPECT_GT(metrics.of("process_resident_memory_bytes"), 1e6);
  EXPECT_GT(metrics.of("process_open_fds"), 2);
}

TEST(Metrics, TheReaderOfThisTestIsStrict) {
  EXPECT_EQ(read("# HELP a_total x y.\n# TYPE a_total counter\na_total{b=\"c\"} 1\n").fault, "");
  for (const char* bad : {"a 1\n", "# HELP a x y\n# TYPE a gauge\nb 1\n", "# HELP a x y\n# TYPE a gauge\na{b=\"\\q\"} 1\n",
                          "# HELP a x y\n# TYPE a gauge\na 1\na 2\n", "# HELP a x y\n# TYPE a counter\na 1\n",
                          "# HELP a x y\n# TYPE a gauge\na one\n", "# HELP a x y\n# TYPE a gauge\na 1"}) {
    EXPECT_NE(read(bad).fault, "") << bad;
  }
}

}  // namespace
}  // namespace ringweir::control
