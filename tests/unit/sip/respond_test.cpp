#include "ringweir/sip/essentials.h"
#include "ringweir/sip/respond.h"

#include <gtest/gtest.h>

#include <string>

namespace ringweir::sip {
namespace {

const Endpoint kSource{IpAddress::v4(192, 0, 2, 9), 7777};

std::string respond(const std::string& request, std::uint16_t status, const Endpoint& source = kSource) {
  Message message;
  parse(request, Framing::datagram, message);
  char buffer[4096];
  Writer out(buffer, sizeof buffer);
  begin_response(out, message, status, reason_phrase(status), "mine", source);
  end_message(out);
  EXPECT_TRUE(out.ok());
  return std::string(out.text());
}

std::string request(const std::string& vias, const std::string& to = "<sip:b@x>") {
  return "OPTIONS sip:b@x SIP/2.0\r\n" + vias + "t: " + to +
         "\r\nf: <sip:a@x>;tag=1\r\ni: c1\r\nCSeq: 1 OPTIONS\r\nTimestamp: 54\r\n\r\n";
}

std::string top_via(const std::string& via, const Endpoint& source = kSource) {
  const std::string response = respond(request("v: " + via + "\r\n"), 200, source);
  const std::size_t begin = response.find("Via: ") + 5;
  return response.substr(begin, response.find("\r\n", begin) - begin);
}

TEST(Respond, CopiesWhatBelongsTogetherInOrder) {
  EXPECT_EQ(respond(request("Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nVia: SIP/2.0/TCP b, SIP/2.0/TLS "
                            "c\r\nv: SIP/2.0/UDP\r\n d\r\n"),
                    404),
            "SIP/2.0 404 Not Found\r\n"
            "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n"
            "Via: SIP/2.0/TCP b, SIP/2.0/TLS c\r\n"
            "Via: SIP/2.0/UDP d\r\n"
            "From: <sip:a@x>;tag=1\r\n"
            "To: <sip:b@x>;tag=mine\r\n"
            "Call-ID: c1\r\n"
            "CSeq: 1 OPTIONS\r\n"
            "Content-Length: 0\r\n\r\n");
}

TEST(Respond, ReceivedWhenSentByIsNotTheSource) {
  EXPECT_EQ(top_via("SIP/2.0/UDP 192.0.2.9"), "SIP/2.0/UDP 192.0.2.9");
  EXPECT_EQ(top_via("SIP/2.0/UDP 192.0.2.8;branch=z"), "SIP/2.0/UDP 192.0.2.8;branch=z;received=192.0.2.9");
  EXPECT_EQ(top_via("SIP/2.0/UDP host.example"), "SIP/2.0/UDP host.example;received=192.0.2.9");
}

TEST(Respond, RportIsFilledAndBringsReceived) {
  EXPECT_EQ(top_via("SIP/2.0/UDP 192.0.2.9;rport;branch=z"),
            "SIP/2.0/UDP 192.0.2.9;rport=7777;branch=z;received=192.0.2.9");
  EXPECT_EQ(top_via("SIP/2.0/UDP 192.0.2.9;branch=z;rport"),
            "SIP/2.0/UDP 192.0.2.9;branch=z;rport=7777;received=192.0.2.9");
}

TEST(Respond, LiesAboutTheSourceAreReplaced) {
  EXPECT_EQ(top_via("SIP/2.0/UDP 192.0.2.9;received=6.6.6.6;branch=z"),
            "SIP/2.0/UDP 192.0.2.9;branch=z;received=192.0.2.9");
  EXPECT_EQ(top_via("SIP/2.0/UDP h;rport=1;x;received=6.6.6.6;y"),
            "SIP/2.0/UDP h;rport=7777;x;y;received=192.0.2.9");
  EXPECT_EQ(top_via("SIP/2.0/UDP h ; received = 6.6.6.6 ; rport = 1"),
            "SIP/2.0/UDP h  ; rport=7777;received=192.0.2.9");
  EXPECT_EQ(top_via("SIP/2.0/UDP h;received;rport"), "SIP/2.0/UDP h;rport=7777;received=192.0.2.9");
}

TEST(Respond, OnlyTheFirstElementOfTheTopFieldIsTouched) {
  EXPECT_EQ(top_via("SIP/2.0/UDP h;rport , SIP/2.0/TCP i;rport"),
            "SIP/2.0/UDP h;rport=7777;received=192.0.2.9, SIP/2.0/TCP i;rport");
}

TEST(Respond, IPv6SourcesAreWrittenWithoutBrackets) {
  const Endpoint source{*parse_ip("2001:db8::9"), 5060};
  EXPECT_EQ(top_via("SIP/2.0/UDP [2001:db8:0::9]", source), "SIP/2.0/UDP [2001:db8:0::9]");
  EXPECT_EQ(top_via("SIP/2.0/UDP [2001:db8::8];rport", source),
            "SIP/2.0/UDP [2001:db8::8];rport=5060;received=2001:db8::9");
}

TEST(Respond, ATagIsAddedOnceAndNotTo100) {
  EXPECT_NE(
      respond(request("v: SIP/2.0/UDP h\r\n", "<sip:b@x>;tag=old"), 200).find("To: <sip:b@x>;tag=old\r\n"),
      std::string::npos);
  const std::string trying = respond(request("v: SIP/2.0/UDP h\r\n"), 100);
  EXPECT_NE(trying.find("To: <sip:b@x>\r\n"), std::string::npos);
  EXPECT_NE(trying.find("Timestamp: 54\r\n"), std::string::npos);  // RFC 3261 8.2.6.1
  EXPECT_NE(respond(request("v: SIP/2.0/UDP h\r\n", "sip:b@x"), 200).find("To: sip:b@x;tag=mine\r\n"),
            std::string::npos);
}

TEST(Respond, AnswersWhatItCanOfABrokenRequest) {
  EXPECT_EQ(
      respond(
          "OPTIONS sip:b@x SIP/2.0\r\nVia: garbage\r\nv: SIP/2.0/UDP two\r\nTo: \"open\r\nCSeq: x\r\n\r\n",
          400),
      "SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP two\r\nTo: \"open\r\nCSeq: x\r\nContent-Length: "
      "0\r\n\r\n");
}

TEST(Respond, ABufferTooSmallFailsTheWriterAndWritesNothingPastIt) {
  Message message;
  const std::string text = request("v: SIP/2.0/UDP h\r\n");
  parse(text, Framing::datagram, message);
  for (std::size_t size = 0; size < 600; ++size) {
    std::string buffer(size, '#');
    Writer out(buffer.data(), size);
    begin_response(out, message, 200, "OK", "mine", kSource);
    if (out.ok()) {
      EXPECT_LE(out.size(), size);
    }
    EXPECT_EQ(out.ok(), out.size() != 0);
  }
}

TEST(Respond, AResponseParsesToWhatItAnswers) {
  Message message;
  const std::string text = respond(request("v: SIP/2.0/UDP h;rport\r\n"), 200);
  ASSERT_EQ(parse(text, Framing::stream, message).completeness, Completeness::complete);
  EXPECT_EQ(validate_response(message).fault, Fault::none);
  EXPECT_EQ(message.status(), 200);
}

TEST(Respond, BodyAndItsType) {
  char buffer[200];
  Writer out(buffer, sizeof buffer);
  end_message(out, "text/plain", "hi");
  EXPECT_EQ(out.text(), "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi");
}

TEST(ResponseTarget, FollowsRportElseSentByPort) {
  auto target = [](std::string_view text) {
    std::string_view rest;
    return response_target(*parse_via(text, rest), kSource);
  };
  EXPECT_EQ(target("SIP/2.0/UDP h:5080;rport"), kSource);
  EXPECT_EQ(target("SIP/2.0/UDP h:5080"), (Endpoint{kSource.ip, 5080}));
  EXPECT_EQ(target("SIP/2.0/UDP h"), (Endpoint{kSource.ip, 5060}));
  EXPECT_EQ(target("SIP/2.0/UDP h;maddr=6.6.6.6;received=6.6.6.6"), (Endpoint{kSource.ip, 5060}));
}

TEST(ReasonPhrase, KnownAndUnknown) {
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(513), "Message Too Large");
  EXPECT_EQ(reason_phrase(299), "Unknown");
}

}  // namespace
}  // namespace ringweir::sip
