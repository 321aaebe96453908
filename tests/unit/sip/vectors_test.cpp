// Runs every vector of tests/vectors/sip (its README says how they are written).
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ringweir/sip/essentials.h"
#include "ringweir/sip/message.h"
#include "ringweir/sip/name_addr.h"
#include "ringweir/sip/scan.h"
#include "ringweir/sip/uri.h"
#include "ringweir/sip/via.h"
#include "unit/sip/vector_file.h"

namespace ringweir::sip {
namespace {

using vectors::Case;

std::string fault_name(Fault fault) {
  static const std::vector<std::string> kNames = {"none",
                                                  "start_line",
                                                  "version",
                                                  "header_syntax",
                                                  "too_many_headers",
                                                  "header_too_long",
                                                  "message_too_long",
                                                  "content_length",
                                                  "no_content_length",
                                                  "missing_via",
                                                  "missing_from",
                                                  "missing_to",
                                                  "missing_call_id",
                                                  "missing_cseq",
                                                  "missing_max_forwards",
                                                  "bad_via",
                                                  "bad_from",
                                                  "bad_to",
                                                  "bad_call_id",
                                                  "bad_cseq",
                                                  "bad_max_forwards",
                                                  "bad_contact",
                                                  "bad_expires",
                                                  "bad_route",
                                                  "bad_uri",
                                                  "bad_authorization",
                                                  "bad_header",
                                                  "cseq_method",
                                                  "duplicate_header",
                                                  "binary",
                                                  "truncated"};
  return kNames.at(static_cast<std::size_t>(fault));
}

// "fault @ text": the fault by name, and where it points. `shift` is what the offset is relative to.
void expect_fault(const Case& c, const std::string& key, const std::string& good, Fault fault,
                  std::size_t offset) {
  const std::string& expected = c.expected.at(key);
  const std::size_t at = expected.find(" @ ");
  EXPECT_EQ(fault == Fault::none ? good : fault_name(fault), expected.substr(0, at))
      << key << " at " << offset;
  if (at != expected.npos) {
    EXPECT_EQ(offset, c.text.find(vectors::expand(expected.substr(at + 3)))) << key;
  }
}

std::string count_elements(const Message& message, HeaderId id,
                           const std::function<Fault(std::string_view&)>& take) {
  std::size_t count = 0;
  for (const HeaderField* f = message.first(id); f != nullptr; f = message.next(*f)) {
    std::string_view rest = message.value(*f);
    do {
      const Fault fault = take(rest);
      if (fault != Fault::none) return fault_name(fault);
      ++count;
    } while (!rest.empty());
  }
  return std::to_string(count);
}

std::string unfolded(const Message& message, HeaderId id, const std::string& name) {
  for (std::size_t i = 0; i < message.header_count(); ++i) {
    const HeaderField& f = message.header(i);
    if (id == HeaderId::other ? message.name(f) != name : f.id != id) continue;
    std::string buffer(message.value(f).size(), ' ');
    return std::string(unfold(message.value(f), buffer.data()));
  }
  return "(absent)";
}

std::string uri_outcome(const Message& message, HeaderId id) {
  std::string_view rest;
  const auto address = parse_name_addr(message.value(id), rest);
  return address && parse_uri(address->uri) ? "ok" : "bad_uri";
}

std::string tag_of(const Message& message, HeaderId id) {
  std::string_view rest;
  const auto address = parse_name_addr(message.value(id), rest);
  return address ? std::string(tag(*address).value_or("(none)")) : "(malformed)";
}

std::string glance_of(std::string_view text) {
  const Glimpse g = glimpse(text);
  switch (g.glance) {
    case Glance::message: return "message " + std::string(g.call_id);
    case Glance::keep_alive: return "keep_alive";
    case Glance::no_call_id: return "no_call_id";
    case Glance::garbage: break;
  }
  return "garbage";
}

// What a key says of a parsed message.
std::string observed(const Case& c, const Message& m, const std::string& key) {
  if (key == "glimpse") return glance_of(c.text);
  if (key == "method") return std::string(to_string(m.method()));
  if (key == "uri") return std::string(m.request_uri());
  if (key == "status") return std::to_string(m.status());
  if (key == "reason") return std::string(m.reason_phrase());
  if (key == "headers") return std::to_string(m.header_count());
  if (key == "body") return std::to_string(m.body().size());
  if (key == "request-uri") return parse_uri(m.request_uri()) ? "ok" : "bad_uri";
  if (key == "from-uri") return uri_outcome(m, HeaderId::from);
  if (key == "to-uri") return uri_outcome(m, HeaderId::to);
  if (key == "from-tag") return tag_of(m, HeaderId::from);
  if (key == "to-tag") return tag_of(m, HeaderId::to);
  if (key == "to-display") {
    std::string_view rest;
    return std::string(parse_name_addr(m.value(HeaderId::to), rest).value().display);
  }
  if (key == "vias") {
    return count_elements(m, HeaderId::via, [](std::string_view& rest) {
      const auto via = parse_via(rest, rest);
      return via ? Fault::none : via.error().fault;
    });
  }
  if (key == "contacts") {
    return count_elements(m, HeaderId::contact, [](std::string_view& rest) {
      const auto contact = parse_contact(rest, rest);
      return contact ? Fault::none : contact.error().fault;
    });
  }
  if (key.starts_with("value ")) {
    const std::string name = key.substr(6);
    return unfolded(m, parse_header_name(name), name);
  }
  return "(no such key)";
}

std::string outcome(const Parsed& parsed) {
  if (parsed.completeness == Completeness::error) return fault_name(parsed.error.fault);
  return parsed.completeness == Completeness::complete ? "complete" : "partial";
}

// Every prefix is partial or ends as the whole does; the octet that completes it is the last one consumed.
void expect_same_when_split(const std::string& text) {
  Message message;
  const Parsed whole = parse(text, Framing::stream, message);
  for (std::size_t size = 0; size < text.size(); ++size) {
    const std::string prefix =
        text.substr(0, size);  // a copy of its own, so that a sanitizer sees an overrun
    const Parsed part = parse(prefix, Framing::stream, message);
    if (part.completeness == Completeness::partial) continue;
    EXPECT_EQ(outcome(part), outcome(whole)) << "split at " << size;
    EXPECT_EQ(part.error.offset, whole.error.offset) << "split at " << size;
    EXPECT_EQ(part.consumed, whole.consumed) << "split at " << size;
    if (part.completeness == Completeness::complete) {
      EXPECT_EQ(part.consumed, size) << "complete, but not at once";
      return;
    }
    if (size > 4096) return;  // from here on every prefix is the same error
  }
}

void run(const Case& c) {
  SCOPED_TRACE(c.name);
  Message message;
  const Parsed parsed = parse(c.text, Framing::datagram, message);
  if (c.expected.at("parse") == "complete") {
    ASSERT_EQ(outcome(parsed), "complete") << "at " << parsed.error.offset;
  } else {
    ASSERT_EQ(parsed.completeness, Completeness::error);
    expect_fault(c, "parse", "complete", parsed.error.fault, parsed.error.offset);
  }
  const std::size_t lead = static_cast<std::size_t>(message.bytes().data() - c.text.data());
  for (const auto& [key, expected] : c.expected) {
    if (key == "parse" || key == "stream" || key == "line-ends") continue;
    if (key == "validate") {
      const Error error = message.is_request() ? validate_request(message) : validate_response(message);
      expect_fault(c, key, "ok", error.fault, lead + error.offset);
    } else {
      EXPECT_EQ(observed(c, message, key), expected) << key;
    }
  }
  const Parsed streamed = parse(c.text, Framing::stream, message);
  if (c.expected.contains("stream")) {
    const std::string& expected = c.expected.at("stream");
    EXPECT_EQ(outcome(streamed), expected.substr(0, expected.find(" @ ")));
  } else {
    EXPECT_EQ(outcome(streamed), outcome(parsed));
  }
  expect_same_when_split(c.text);
}

TEST(SipVectors, EveryMessageComesOutAsItsPageSays) {
  for (const char* file : {"messages-valid.md", "messages-invalid.md"}) {
    const std::vector<Case> cases = vectors::read_cases(file);
    EXPECT_GT(cases.size(), 10u) << file;
    for (const Case& c : cases) run(c);
  }
}

TEST(SipVectors, TheSeedMessagesAreComplete) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(vectors::folder() + "seed")) {
    const std::string text = vectors::read(entry.path().string());
    Message message;
    const Parsed parsed = parse(text, Framing::datagram, message);
    EXPECT_EQ(outcome(parsed), "complete") << entry.path();
    EXPECT_EQ(parsed.consumed, text.size());
    const Error error = message.is_request() ? validate_request(message) : validate_response(message);
    EXPECT_EQ(error.fault, Fault::none);
    EXPECT_EQ(glance_of(text), "message MDhjYTg0NzVmODk0ZGNhYzI0YTMyYjE0ZTE1ZTZkODk.");
    expect_same_when_split(text);
    ++count;
  }
  EXPECT_EQ(count, 4u);
}

std::string parts_of(const Uri& uri) {
  auto or_dash = [](std::string_view text) { return text.empty() ? std::string("-") : std::string(text); };
  return or_dash(uri.user) + " " + or_dash(uri.password) + " " + or_dash(uri.host) + " " +
         (uri.port == 0 ? "-" : std::to_string(uri.port)) + " " + or_dash(uri.parameters) + " " +
         or_dash(uri.headers);
}

void run_uri_line(const vectors::Line& line) {
  SCOPED_TRACE(line.quoted[0]);
  const auto uri = parse_uri(line.quoted[0]);
  if (line.kind == "bad") {
    ASSERT_FALSE(uri);
    EXPECT_EQ(std::to_string(uri.error().offset), line.tail);
    return;
  }
  ASSERT_TRUE(uri) << "at " << uri.error().offset;
  if (line.kind == "parts") {
    EXPECT_EQ(parts_of(*uri), line.tail);
  } else if (line.kind == "aor") {
    char buffer[limits::kAorBytesMax];
    EXPECT_EQ(canonical_aor(*uri, buffer, sizeof buffer), line.quoted[1]);
  } else {
    const auto other = parse_uri(line.quoted[1]);
    ASSERT_TRUE(other) << line.quoted[1];
    EXPECT_EQ(equal(*uri, *other), line.kind == "same") << line.quoted[1];
    EXPECT_EQ(equal(*other, *uri), line.kind == "same") << line.quoted[1];
    EXPECT_TRUE(equal(*uri, *uri));
  }
}

TEST(SipVectors, EveryUriIsReadAndComparedAsItsPageSays) {
  const std::vector<vectors::Line> lines = vectors::read_lines("uri.md");
  EXPECT_GT(lines.size(), 70u);
  for (const vectors::Line& line : lines) run_uri_line(line);
}

}  // namespace
}  // namespace ringweir::sip
