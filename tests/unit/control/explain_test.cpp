#include "ringweir/control/explain.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace ringweir::control {
namespace {

// The REGISTER that a softphone of 2011 sent: no qop, credentials for a proxy.
const std::string kCaptured =
    "REGISTER sip:192.168.1.132 SIP/2.0\n"
    "Via: SIP/2.0/UDP 192.168.1.114:16938;branch=z9hG4bK-d8754z-5509a16f1ceae597-1---d8754z-;rport\n"
    "To: \"101\"<sip:101@192.168.1.132>\nFrom: \"101\"<sip:101@192.168.1.132>;tag=aafd535b\nCall-ID: MDhj\nCSeq: 2 REGISTER\n"
    "Proxy-Authorization: Digest username=\"101\",realm=\"myvoipapp.com\",nonce=\"18bf67854ae23d6d2cd772af69535f91\","
    "uri=\"sip:192.168.1.132\",response=\"581842f465276cd5fa908061d7bf2f69\",algorithm=MD5\nContent-Length: 0\n";

ExplainInput with_password(const std::string& message, const std::string& password) { return {message, password, {}, {}}; }

TEST(Explain, ACapturedRegisterMatchesStepByStep) {
  const auto explanation = explain_digest(with_password(kCaptured, "101"));
  ASSERT_TRUE(explanation) << explanation.error();
  EXPECT_EQ(explanation_text(*explanation),
            R"(header                                            Proxy-Authorization
algorithm                                         MD5
A1        username:realm:password                 101:myvoipapp.com:101
HA1       MD5(A1)                                 706111fa522f4751cf668abdf3beeae2
A2        method:digest-uri                       REGISTER:sip:192.168.1.132
HA2       MD5(A2)                                 3fb694270d43d524ca7625ccfbd57cfd
input     HA1:nonce:HA2                           706111fa522f4751cf668abdf3beeae2:18bf67854ae23d6d2cd772af69535f91:3fb694270d43d524ca7625ccfbd57cfd
response  MD5(input)                              581842f465276cd5fa908061d7bf2f69
sent                                              581842f465276cd5fa908061d7bf2f69
MATCH
)");
  const auto json = nlohmann::json::parse(explanation_json(*explanation));
  EXPECT_EQ(json["matches"], true);
  EXPECT_EQ(json["ha1"], "706111fa522f4751cf668abdf3beeae2");
}

TEST(Explain, AWrongPasswordDiffersAndTheLikelyReasonIsSaid) {
  const auto explanation = explain_digest(with_password(kCaptured, "secret"));
  ASSERT_TRUE(explanation);
  EXPECT_FALSE(explanation->steps.matches);
  EXPECT_EQ(explanation->hint, "the phone used its user name as the password");
  EXPECT_NE(explanation_text(*explanation).find("DIFFERS\n"), std::string::npos);
}

TEST(Explain, AStoredHa1AndAnotherUserNameMayBeGiven) {
  EXPECT_TRUE(explain_digest({kCaptured, {}, "706111fa522f4751cf668abdf3beeae2", {}})->steps.matches);
  EXPECT_FALSE(explain_digest({kCaptured, "101", {}, "102"})->steps.matches);
  EXPECT_FALSE(explain_digest({kCaptured, {}, "7061", {}}));
  EXPECT_FALSE(explain_digest({kCaptured, {}, {}, {}}));
}

TEST(Explain, QopAndSessionFormsNameTheirSteps) {
  const std::string message =
      "REGISTER sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nAuthorization: Digest username=\"u\",realm=\"r\",nonce=\"n\","
      "uri=\"sip:a\",response=\"00\",algorithm=SHA-256-sess,qop=auth,nc=00000001,cnonce=\"c\"\r\n\r\n";
  const auto explanation = explain_digest(with_password(message, "p"));
  ASSERT_TRUE(explanation) << explanation.error();
  const std::string text = explanation_text(*explanation);
  for (const char* part : {"HA1:nonce:nc:cnonce:qop:HA2", "A1-sess   HA1:nonce:cnonce", "SHA-256(A1-sess)", "u:r:p"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
}

TEST(Explain, SaysWhatIsMissing) {
  const auto error = [](const std::string& message) {
    const auto explanation = explain_digest(with_password(message, "p"));
    return explanation ? std::string("none") : explanation.error();
  };
  EXPECT_TRUE(error("hello").starts_with("not a SIP message"));
  const std::string head = "REGISTER sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n";
  EXPECT_TRUE(error(head + "\r\n").starts_with("the message has neither"));
  EXPECT_TRUE(error("SIP/2.0 401 No\r\nWWW-Authenticate: Digest realm=\"r\",nonce=\"n\"\r\n\r\n").starts_with("this is the challenge"));
  EXPECT_TRUE(error(head + "Authorization: Basic abc\r\n\r\n").starts_with("the credentials cannot be read"));
  EXPECT_TRUE(error(head + "Authorization: Digest username=\"u\",realm=\"r\",nonce=\"n\",uri=\"sip:a\",response=\"0\",algorithm=X\r\n\r\n")
                  .starts_with("unknown algorithm"));
}

}  // namespace
}  // namespace ringweir::control
