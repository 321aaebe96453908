// Requests and responses as they are passed on: tests/vectors/sip/forward.md, and what no vector can say.
#include "ringweir/sip/forward.h"

#include <gtest/gtest.h>

#include <string>

#include "unit/sip/vector_file.h"

namespace ringweir::sip {
namespace {

using vectors::Case;

std::string key(const Case& c, const std::string& name) {
  const auto found = c.expected.find(name);
  return found == c.expected.end() ? std::string{} : found->second;
}

struct Received {
  explicit Received(std::string bytes) : text(std::move(bytes)) {
    parsed = parse(text, Framing::datagram, message).completeness == Completeness::complete;
    const Error error =
        message.is_request() ? validate_request(message, read) : validate_response(message, read);
    valid = parsed && error.fault == Fault::none;
  }
  std::string text;
  Message message;
  Essentials read;
  bool parsed = false, valid = false;
};

std::string sent_request(const Case& c, const Received& in) {
  const std::string uri = key(c, "request-uri"), via = key(c, "via"), first = key(c, "record-route"),
                    second = key(c, "record-route-2"), route = key(c, "route"), last = key(c, "last-route"),
                    remove = key(c, "remove"), breadth = key(c, "max-breadth"), count = key(c, "route-count");
  RequestEdits edits;
  edits.request_uri = uri;
  edits.via = via;
  edits.source = *parse_endpoint(key(c, "source"));
  edits.record_routes = {first, second};
  edits.route = route;
  edits.last_route = last;
  if (!breadth.empty()) edits.max_breadth = static_cast<std::uint32_t>(std::stoul(breadth));
  if (!count.empty()) edits.routes = routes_behind(in.message, std::stoul(count));
  for (std::size_t i = 0; i < in.message.header_count() && !remove.empty(); ++i) {
    const HeaderField& field = in.message.header(i);
    if (in.message.value(field).find(remove) != std::string_view::npos) edits.removed.add(in.message, field);
  }
  std::string buffer(4096, '\0');
  Writer out(buffer.data(), buffer.size());
  write_request(out, in.message, in.read, edits);
  return std::string(out.text());
}

std::string sent(const Case& c, const Received& in) {
  const std::string as = key(c, "as");
  if (as.empty()) return sent_request(c, in);
  std::string buffer(4096, '\0');
  Writer out(buffer.data(), buffer.size());
  if (as == "response") {
    const std::string more = key(c, "more");
    const std::string_view lines[] = {more};
    write_response(out, in.message, in.read, std::span(lines, more.empty() ? 0 : 1));
  } else if (as == "ack") {
    write_ack(out, in.message, key(c, "response-to"));
  } else {
    write_cancel(out, in.message);
  }
  return std::string(out.text());
}

TEST(Forward, vectors_come_out_as_written) {
  const std::vector<Case> cases = vectors::read_cases("forward.md");
  ASSERT_GE(cases.size(), 20u);
  for (std::size_t i = 0; i + 1 < cases.size(); i += 2) {
    SCOPED_TRACE(cases[i].name);
    ASSERT_EQ(cases[i + 1].name, cases[i].name + ": sent");
    const Received in(cases[i].text);
    ASSERT_TRUE(in.valid);
    const std::string out = sent(cases[i], in);
    EXPECT_EQ(out, cases[i + 1].text);
    EXPECT_TRUE(Received(out).valid);
  }
}

const char* const kInvite =
    "INVITE sip:101@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.5;rport;branch=z9hG4bKabc\r\n"
    "From: <sip:100@example.com>;tag=1\r\nTo: <sip:101@example.com>\r\nCall-ID: a@b\r\nCSeq: 2 "
    "INVITE\r\n\r\nbody";

TEST(Forward, a_message_that_does_not_fit_fails_at_every_size) {
  const Received in(kInvite);
  RequestEdits edits;
  edits.via = "SIP/2.0/UDP e;branch=z9hG4bKf1";
  edits.source = *parse_endpoint("192.0.2.1:5060");
  std::string whole(1024, '\0');
  Writer all(whole.data(), whole.size());
  write_request(all, in.message, in.read, edits);
  ASSERT_TRUE(all.ok());
  for (std::size_t size = 0; size <= all.size() + 300; ++size) {
    std::string buffer(size + 1, '#');
    Writer out(buffer.data(), size);
    write_request(out, in.message, in.read, edits);
    EXPECT_FALSE(out.ok() && size < all.size());
    EXPECT_TRUE(out.ok() || size < all.size() + 300);
    EXPECT_EQ(out.text(), out.ok() ? all.text() : std::string_view{});
    EXPECT_EQ(buffer[size], '#');
  }
}

TEST(Forward, more_routes_than_there_are_leave_none) {
  const Received in(std::string(kInvite).insert(36, "Route: <sip:a;lr>, <sip:b;lr>\r\n"));
  ASSERT_TRUE(in.valid);
  RequestEdits edits;
  edits.routes = routes_behind(in.message, 5);
  std::string buffer(1024, '\0');
  Writer out(buffer.data(), buffer.size());
  write_request(out, in.message, in.read, edits);
  EXPECT_EQ(out.text().find("Route"), std::string_view::npos);
}

TEST(Forward, the_via_below_ours_tells_where_a_response_goes) {
  const auto destination = [](const std::string& vias) -> std::optional<std::string> {
    const Received in("SIP/2.0 200 OK\r\n" + vias +
                      "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n");
    EXPECT_TRUE(in.valid);
    const auto below = via_below(in.message, in.read);
    if (!below) return std::nullopt;
    const auto endpoint = response_destination(*below);
    return endpoint ? to_string(*endpoint) : "a name";
  };
  const std::string ours = "Via: SIP/2.0/UDP e;branch=z9hG4bKf1";
  EXPECT_EQ(destination(ours + "\r\n"), std::nullopt);
  EXPECT_EQ(destination(ours + "\r\nv: SIP/2.0/UDP 10.0.0.1\r\n"), "10.0.0.1:5060");
  EXPECT_EQ(destination(ours + ", SIP/2.0/UDP h:5070;received=192.0.2.9\r\n"), "192.0.2.9:5070");
  EXPECT_EQ(destination(ours + "\r\nVia: SIP/2.0/UDP h:5070;rport=99;received=2001:db8::1\r\n"),
            "[2001:db8::1]:99");
  EXPECT_EQ(destination(ours + "\r\nVia: SIP/2.0/UDP 10.0.0.1;maddr=203.0.113.1\r\n"), "10.0.0.1:5060");
  EXPECT_EQ(destination(ours + "\r\nVia: SIP/2.0/UDP h\r\n"), "a name");
}

}  // namespace
}  // namespace ringweir::sip
