#include "ringweir/proxy/request_validation.h"

#include <array>

#include "ringweir/proxy/via_branch.h"
#include "unit/proxy/forwarding_rig.h"

namespace ringweir::proxy {
namespace {

const KeyedHash kHash({1, 2});

DomainSet ours() {
  const std::string names[] = {"example.com"};
  const Endpoint endpoints[] = {*parse_endpoint("192.0.2.1:5060")};
  return {names, endpoints};
}
RequestCheck check(const Parts& parts) {
  const Received in(parts.text());
  return check_request(in.message, in.read, in.uri, ours(), kHash);
}

// `parts` as it comes back after we sent it on by a branch of either kind.
Parts sent_on(const Parts& parts, std::string_view sent_by, bool stateful) {
  const std::uint32_t loop = check(parts).loop;
  std::array<char, kBranchCharsMax> text;
  const std::string_view branch = stateful ? write_branch(StatefulBranch{7, 8, 9, loop, 10}, text.data())
                                           : write_branch(StatelessBranch{loop, 11}, text.data());
  Parts out = parts;
  out.vias = "Via: SIP/2.0/UDP other;branch=z9hG4bKq\r\nVia: SIP/2.0/UDP more;branch=z9hG4bKr, SIP/2.0/UDP " +
             std::string(sent_by) + ";branch=" + std::string(branch) + "\r\n" + parts.vias;
  return out;
}

TEST(RequestValidation, a_plain_request_passes_with_the_defaults) {
  const RequestCheck good = check({});
  EXPECT_EQ(good.status, 0);
  EXPECT_EQ(good.max_forwards, 70);
  EXPECT_EQ(good.max_breadth, kMaxBreadthDefault);
}

TEST(RequestValidation, a_scheme_that_is_not_sip_is_416) {
  EXPECT_EQ(check({.uri = "tel:+1234"}).status, 416);
  EXPECT_EQ(check({.uri = "http://example.com/"}).status, 416);
  EXPECT_EQ(check({.uri = "sips:a@b"}).status, 0);
}

TEST(RequestValidation, no_hop_left_is_483) {
  EXPECT_EQ(check({.more = "Max-Forwards: 0\r\n"}).status, 483);
  const RequestCheck one = check({.more = "Max-Forwards: 1\r\n"});
  EXPECT_EQ(one.status, 0);
  EXPECT_EQ(one.max_forwards, 1);
}

TEST(RequestValidation, what_comes_back_unchanged_is_a_loop) {
  for (const bool stateful : {true, false}) {
    EXPECT_EQ(check(sent_on({}, "example.com", stateful)).status, 482);
    EXPECT_EQ(check(sent_on({}, "192.0.2.1:5060", stateful)).status, 482);
    EXPECT_EQ(check(sent_on({}, "192.0.2.1", stateful)).status, 482);
  }
  Parts twice = sent_on({}, "example.com", true);
  twice.vias = "Via: SIP/2.0/UDP top;branch=z9hG4bKt\r\n" + twice.vias;
  EXPECT_EQ(check(twice).status, 482);
}

TEST(RequestValidation, what_comes_back_changed_is_a_spiral) {
  Parts spiral = sent_on({}, "example.com", true);
  spiral.uri = "sip:102@example.com";
  EXPECT_EQ(check(spiral).status, 0);
  spiral = sent_on({}, "example.com", true);
  spiral.more = "Route: <sip:192.0.2.1;lr>\r\n";
  EXPECT_EQ(check(spiral).status, 0);
  spiral = sent_on({}, "example.com", true);
  spiral.cseq = "3";
  EXPECT_EQ(check(spiral).status, 0);
  EXPECT_EQ(check(sent_on({}, "stranger.example.net", true)).status,
            0);  // a branch like ours, in another's Via
  EXPECT_EQ(check(sent_on({}, "192.0.2.1:5062", true)).status, 0);
}

TEST(RequestValidation, an_extension_for_proxies_is_420_and_named) {
  const Parts parts{.more = "Proxy-Require: foo ,bar\r\nProxy-Require: baz\r\n"};
  EXPECT_EQ(check(parts).status, 420);
  EXPECT_EQ(check({.more = "Proxy-Require: \r\n"}).status, 0);
  const Received in(parts.text());
  std::array<char, 64> buffer;
  Writer out(buffer.data(), buffer.size());
  write_unsupported(out, in.message);
  EXPECT_EQ(out.text(), "foo, bar, baz");
}

TEST(RequestValidation, breadth_is_bounded_by_request_and_policy) {
  EXPECT_EQ(check({.more = "Max-Breadth: 5\r\n"}).max_breadth, 5u);
  EXPECT_EQ(check({.more = "Max-Breadth: 4000000\r\n"}).max_breadth, kMaxBreadthDefault);
  EXPECT_EQ(check({.more = "Max-Breadth: 0\r\n"}).status, 440);
  EXPECT_EQ(check({.more = "Max-Breadth: many\r\n"}).status, 400);
  EXPECT_EQ(breadth_of_each(60, 3), 20u);
  EXPECT_EQ(breadth_of_each(2, 3), 0u);
}

TEST(RequestValidation, the_first_fault_in_the_order_of_16_3_wins) {
  EXPECT_EQ(check({.uri = "tel:+1", .more = "Max-Forwards: 0\r\nProxy-Require: x\r\n"}).status, 416);
  EXPECT_EQ(check({.more = "Proxy-Require: x\r\nMax-Forwards: 0\r\n"}).status, 483);
}

}  // namespace
}  // namespace ringweir::proxy
