#include "ringweir/proxy/route_set.h"

#include <algorithm>

#include "unit/proxy/forwarding_rig.h"

namespace ringweir::proxy {
namespace {

DomainSet ours() {
  const std::string names[] = {"example.com", "edge"};
  const Endpoint endpoints[] = {*parse_endpoint("192.0.2.1:5060"), *parse_endpoint("192.0.2.1:5070")};
  return {names, endpoints};
}

struct Outcome {
  RouteSet set;
  std::string token, next, request_uri, routes;  // `routes`: the Route lines of what goes on
};
Outcome process(const Parts& parts, std::uint16_t received_port = 5060, bool behind_next = false) {
  const Received in(parts.text());
  Outcome out;
  out.set = read_route_set(in.message, in.read, in.uri, ours(), received_port);
  out.token = out.set.token;
  out.next = out.set.next;
  out.request_uri = out.set.request_uri;
  sip::RequestEdits edits;
  edits.via = "SIP/2.0/UDP e;branch=z9hG4bK1";
  edits.source = *parse_endpoint("10.0.0.5:5060");
  edits.routes = behind_next ? out.set.behind_next : out.set.kept;
  std::string text(4096, '\0');
  Writer writer(text.data(), text.size());
  sip::write_request(writer, in.message, in.read, edits);
  const Received sent{std::string(writer.text())};
  for (const auto* field = sent.message.first(sip::HeaderId::route); field;
       field = sent.message.next(*field)) {
    out.routes += std::string(sent.message.value(*field)) + "|";
  }
  return out;
}

TEST(RouteSet, without_routes_nothing_is_said) {
  const Outcome out = process({});
  EXPECT_FALSE(out.set.in_dialog);
  EXPECT_EQ(out.token + out.next + out.request_uri + out.routes, "");
  EXPECT_TRUE(process({.to = "<sip:a@b>;tag=9"}).set.in_dialog);
}

TEST(RouteSet, our_route_is_taken_off) {
  for (const std::string route :
       {"<sip:edge;lr;rw=T>", "<sip:192.0.2.1:5070;rw=T;lr>", "x <sips:EXAMPLE.com;rw=T>"}) {
    const Outcome out = process({.more = "Route: " + route + "\r\n"});
    EXPECT_EQ(out.token, "T") << route;
    EXPECT_EQ(out.next + out.routes, "") << route;
  }
}

TEST(RouteSet, both_of_a_double_record_route_are_taken_off) {
  const Outcome list =
      process({.more = "Route: <sip:edge;lr;rw=T>,<sip:192.0.2.1:5070;lr;rw=T>,<sip:far;lr>\r\n"});
  EXPECT_EQ(list.token, "T");
  EXPECT_EQ(list.next, "sip:far;lr");
  EXPECT_FALSE(list.set.next_is_strict);
  EXPECT_FALSE(list.set.next_is_ours);
  EXPECT_EQ(list.routes, "<sip:far;lr>|");
  const Outcome fields = process({.more = "Route: <sip:edge;lr;rw=T>\r\nSubject: s\r\nRoute: "
                                          "<sip:edge;lr;rw=T>\r\nRoute: <sip:a;lr>,<sip:b>\r\n"});
  EXPECT_EQ(fields.routes, "<sip:a;lr>,<sip:b>|");
}

// What is known by its spelling and what takes the productions come to the same.
TEST(RouteSet, our_spelling_and_others_are_read_alike) {
  for (const std::string host :
       {"edge", "EDGE:5070", "192.0.2.1:5070", "192.0.2.1", "far", "192.0.2.1:5099"}) {
    for (const std::string behind : {"", ",<sip:x;lr>", " ,\r\n <sip:x;lr>", "\r\nRoute: <sip:x;lr>"}) {
      const Outcome ours = process({.more = "Route: <sip:" + host + ";lr;rw=T>" + behind + "\r\n"});
      const Outcome other = process({.more = "Route: <sip:" + host + ";rw=T;lr>" + behind + "\r\n"});
      EXPECT_EQ(ours.set.fault, sip::Fault::none);
      EXPECT_EQ(ours.token, other.token);
      EXPECT_EQ(ours.next.size(), other.next.size());
      EXPECT_EQ(ours.routes.size(), other.routes.size());
      EXPECT_EQ(ours.set.kept.begin, other.set.kept.begin);
      EXPECT_EQ(ours.set.behind_next.begin, other.set.behind_next.begin);
      EXPECT_EQ(ours.token, host.starts_with("far") || host.ends_with("99") ? "" : "T") << host;
    }
  }
  for (const std::string bad :
       {"<sip:-edge;lr;rw=T>", "<sip:edge:0;lr;rw=T>", "<sip:edge:70000;lr;rw=T>", "<sip:e..e;lr;rw=T>",
        "<sip:edge;lr;rw=T>x", "<sip:edge;lr;rw=T> ,", "<sip:edge;lr;rw=>"}) {
    EXPECT_EQ(process({.more = "Route: " + bad + "\r\n"}).set.fault, sip::Fault::bad_route) << bad;
  }
}

TEST(RouteSet, a_second_token_is_another_passage) {
  const Outcome out = process({.more = "Route: <sip:edge;lr;rw=T>, <sip:edge;lr;rw=U>\r\n"});
  EXPECT_EQ(out.token, "T");
  EXPECT_TRUE(out.set.next_is_ours);
  EXPECT_EQ(out.routes, "<sip:edge;lr;rw=U>|");
}

TEST(RouteSet, a_strangers_route_stays) {
  const Outcome out = process({.more = "Route: <sip:far:5060>, <sip:edge;lr;rw=T>\r\n"});
  EXPECT_EQ(out.token, "");
  EXPECT_EQ(out.next, "sip:far:5060");
  EXPECT_TRUE(out.set.next_is_strict);
  EXPECT_EQ(out.routes, "<sip:far:5060>, <sip:edge;lr;rw=T>|");
  EXPECT_EQ(process({.more = "Route: <sip:192.0.2.1:5099;lr>\r\n"}).next, "sip:192.0.2.1:5099;lr");
  EXPECT_EQ(process({.more = "Route: <tel:+1>\r\n"}).next, "tel:+1");
}

TEST(RouteSet, a_strict_next_hop_leaves_the_rest) {
  const Parts parts{.more = "Route: <sip:edge;lr;rw=T>, <sip:far>, <sip:b;lr>\r\nRoute: <sip:c;lr>\r\n"};
  EXPECT_EQ(process(parts, 5060, true).routes, "<sip:b;lr>|<sip:c;lr>|");
  EXPECT_EQ(process({.more = "Route: <sip:far>\r\n"}, 5060, true).routes, "");
}

TEST(RouteSet, a_strict_router_before_us_is_undone) {
  const std::string uri = "sip:edge;lr;rw=T";
  const Outcome one = process({.uri = uri, .more = "Route: <sip:101@10.0.0.9>\r\n"});
  EXPECT_EQ(one.token, "T");
  EXPECT_EQ(one.request_uri, "sip:101@10.0.0.9");
  EXPECT_EQ(one.routes, "");
  const Outcome list = process({.uri = uri, .more = "Route: <sip:a;lr> , <sip:101@10.0.0.9>\r\n"});
  EXPECT_EQ(list.request_uri, "sip:101@10.0.0.9");
  EXPECT_EQ(list.next, "sip:a;lr");
  EXPECT_EQ(list.routes, "<sip:a;lr>|");
  const Outcome fields =
      process({.uri = uri, .more = "Route: <sip:edge;lr;rw=T>,<sip:a;lr>\r\nRoute: <sip:101@10.0.0.9>\r\n"});
  EXPECT_EQ(fields.routes, "<sip:a;lr>|");
  EXPECT_EQ(fields.request_uri, "sip:101@10.0.0.9");
  const Outcome twice = process({.uri = uri, .more = "Route: <sip:edge;lr;rw=T>, <sip:101@10.0.0.9>\r\n"});
  EXPECT_EQ(twice.routes, "");
  EXPECT_EQ(twice.next, "");
  EXPECT_EQ(process({.uri = uri}).token, "");  // no Route: nothing to put in its place
}

TEST(RouteSet, a_request_uri_with_our_maddr_is_for_us) {
  EXPECT_TRUE(process({.uri = "sip:a@far;maddr=192.0.2.1"}).set.strip_maddr);
  EXPECT_TRUE(process({.uri = "sip:a@far:5070;transport=UDP;maddr=192.0.2.1"}, 5070).set.strip_maddr);
  EXPECT_FALSE(process({.uri = "sip:a@far:5070;maddr=192.0.2.1"}, 5060).set.strip_maddr);
  EXPECT_FALSE(process({.uri = "sip:a@far;transport=tcp;maddr=192.0.2.1"}).set.strip_maddr);
  EXPECT_FALSE(process({.uri = "sip:a@far;maddr=192.0.2.9"}).set.strip_maddr);
}

TEST(RouteSet, a_route_that_cannot_be_read_is_a_fault) {
  EXPECT_EQ(process({.more = "Route: <sip:edge;lr\r\n"}).set.fault, sip::Fault::bad_route);
  EXPECT_EQ(process({.more = "Route: <sip:ed ge>\r\n"}).set.fault, sip::Fault::bad_route);
  EXPECT_EQ(process({.more = "Route: <sip:edge;lr>,\r\n"}).set.fault, sip::Fault::bad_route);
  EXPECT_EQ(process({.more = "Route: <sip:@>\r\n"}).set.fault, sip::Fault::bad_route);
  EXPECT_EQ(process({.uri = "sip:edge;rw=T", .more = "Route: <sip:a>, <<\r\n"}).set.fault,
            sip::Fault::bad_route);
  EXPECT_EQ(process({.more = "Route: <sip:far;lr>, <<\r\n"}).set.fault,
            sip::Fault::none);  // not ours to read
}

}  // namespace
}  // namespace ringweir::proxy
