// A registration captured in 2011 (X-Lite 4 with a small server), end to end through a shard that is configured as that
// server was: 407 for REGISTER, MD5, no qop, an hour shortened to two minutes. Only the nonce is ours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/conversation.h"

namespace ringweir::shard {
namespace {

using testing::HasSubstr;

constexpr std::string_view kFirst =
    "REGISTER sip:192.168.1.132 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.168.1.114:16938;branch=z9hG4bK-d8754z-c32c649d175a5310-1---d8754z-;rport\r\n"
    "Max-Forwards: 70\r\n"
    "Contact: <sip:101@192.168.1.114:16938;rinstance=82948d058fa12715>\r\n"
    "To: \"101\"<sip:101@192.168.1.132>\r\n"
    "From: \"101\"<sip:101@192.168.1.132>;tag=aafd535b\r\n"
    "Call-ID: MDhjYTg0NzVmODk0ZGNhYzI0YTMyYjE0ZTE1ZTZkODk.\r\n"
    "CSeq: 1 REGISTER\r\n"
    "Expires: 3600\r\n"
    "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO\r\n"
    "User-Agent: X-Lite 4 release 4.1 stamp 63214\r\n"
    "Content-Length: 0\r\n\r\n";

const Endpoint kXLite{IpAddress::v4(192, 168, 1, 114), 16938};

support::SnapshotOptions as_that_server() {
  support::SnapshotOptions options;
  options.domains = {"192.168.1.132"};
  options.realm = "myvoipapp.com";
  options.proxy = true;
  options.qop = false;
  options.registrar = {.min_expires_s = 60, .default_expires_s = 120, .max_expires_s = 120, .contacts_max = 10};
  return options;
}

TEST(CapturedRegistration, WorksEndToEnd) {
  support::Conversation c(as_that_server());
  const auto challenge = c.say(kFirst, kXLite);
  ASSERT_TRUE(challenge);
  EXPECT_EQ(challenge->status, 407);
  EXPECT_EQ(c.went_to, kXLite);
  const std::string value{challenge->get("proxy-authenticate")};
  EXPECT_THAT(value, HasSubstr("realm=\"myvoipapp.com\""));
  EXPECT_THAT(value, HasSubstr("algorithm=MD5"));
  EXPECT_THAT(value, testing::Not(HasSubstr("qop")));
  EXPECT_THAT(std::string{challenge->get("via")}, HasSubstr("rport=16938"));

  support::RequestText credentials;  // only for the digest: the request's own text stays the captured one
  credentials.uri = "sip:192.168.1.132";
  std::string second{kFirst};
  second.replace(second.find("c32c649d175a5310"), 16, "5509a16f1ceae597");
  second.replace(second.find("CSeq: 1"), 7, "CSeq: 2");
  second.insert(second.find("User-Agent:"), answer_to(*challenge, credentials, "101", "101") + "\r\n");
  const auto answer = c.say(second, kXLite);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  // Unlike that server we may not drop the phone's rinstance (RFC 3261 10.3 step 8).
  EXPECT_EQ(answer->get("contact"), "<sip:101@192.168.1.114:16938;rinstance=82948d058fa12715>;expires=120");
  EXPECT_EQ(answer->get("cseq"), "2 REGISTER");
  EXPECT_EQ(c.rig.live(), 1u);

  c.rig.clock.advance(121s);
  c.rig.turn_all();
  EXPECT_EQ(c.rig.live(), 0u);
}

TEST(CapturedRegistration, AWrongPasswordIsChallengedAgain) {
  support::Conversation c(as_that_server());
  const auto challenge = c.say(kFirst, kXLite);
  ASSERT_TRUE(challenge);
  support::RequestText credentials;
  credentials.uri = "sip:192.168.1.132";
  std::string second{kFirst};
  second.replace(second.find("c32c649d175a5310"), 16, "5509a16f1ceae597");
  second.insert(second.find("User-Agent:"), answer_to(*challenge, credentials, "101", "100") + "\r\n");
  const auto answer = c.say(second, kXLite);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 407);
  EXPECT_EQ(c.rig.live(), 0u);
}

}  // namespace
}  // namespace ringweir::shard
