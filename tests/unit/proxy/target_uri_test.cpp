#include "ringweir/proxy/target_uri.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace ringweir::proxy {
namespace {

template <class Write>
std::string written(std::string_view text, Write write) {
  const auto uri = sip::parse_uri(text);
  EXPECT_TRUE(uri) << text;
  std::array<char, 256> buffer;
  Writer out(buffer.data(), buffer.size());
  write(out, *uri);
  EXPECT_TRUE(out.ok());
  return std::string(out.text());
}
std::string edited(std::string_view text, std::uint8_t strip, std::string_view prefix = {}) {
  return written(text, [&](Writer& out, const sip::Uri& uri) {
    if (!write_edited_user(out, uri, strip, prefix)) out.put("refused");
  });
}

TEST(TargetUri, the_front_of_the_user_is_taken_and_put) {
  EXPECT_EQ(edited("sip:9100@example.com", 1), "sip:100@example.com");
  EXPECT_EQ(edited("sip:9100@example.com", 0, "+49"), "sip:+499100@example.com");
  EXPECT_EQ(edited("sips:9100:pw@example.com:5061;transport=udp;lr?a=b", 2, "00"),
            "sips:0000:pw@example.com:5061;transport=udp;lr?a=b");
  EXPECT_EQ(edited("sip:%39100@example.com", 1), "sip:100@example.com");
  EXPECT_EQ(edited("sip:1%3923@[2001:db8::1]", 2), "sip:23@[2001:db8::1]");
}

TEST(TargetUri, nobody_left_is_refused) {
  EXPECT_EQ(edited("sip:9@example.com", 1), "refused");
  EXPECT_EQ(edited("sip:9@example.com", 1, "0"), "sip:0@example.com");
  EXPECT_EQ(edited("sip:9@example.com", 2, "0"), "refused");
  EXPECT_EQ(edited("sip:example.com", 0, "0"), "refused");
  EXPECT_EQ(edited("tel:+123", 1), "refused");
}

TEST(TargetUri, a_request_uri_has_no_headers_and_no_method) {
  const auto as_request_uri = [](std::string_view text) {
    return written(text, [](Writer& out, const sip::Uri& uri) { write_as_request_uri(out, uri); });
  };
  EXPECT_EQ(as_request_uri("sip:a@10.0.0.5:5062;ob;Method=INVITE;x=y?Subject=s"),
            "sip:a@10.0.0.5:5062;ob;x=y");
  EXPECT_EQ(as_request_uri("sip:a@10.0.0.5"), "sip:a@10.0.0.5");
  EXPECT_EQ(as_request_uri("sip:a@10.0.0.5?Subject=s"), "sip:a@10.0.0.5");
  EXPECT_EQ(as_request_uri("tel:+123;phone-context=x"), "tel:+123;phone-context=x");
}

TEST(TargetUri, our_maddr_port_and_transport_go) {
  EXPECT_EQ(written("sip:a@far:5070;x;maddr=192.0.2.1;transport=udp;user=phone",
                    [](Writer& out, const sip::Uri& uri) { write_without_maddr(out, uri); }),
            "sip:a@far;x;user=phone");
}

TEST(TargetUri, what_does_not_fit_fails) {
  const auto uri = sip::parse_uri("sip:9100@example.com");
  std::array<char, 18> buffer;
  Writer out(buffer.data(), buffer.size());
  EXPECT_TRUE(write_edited_user(out, *uri, 1, {}));
  EXPECT_FALSE(out.ok());
}

}  // namespace
}  // namespace ringweir::proxy
