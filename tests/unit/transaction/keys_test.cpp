// Which messages belong to one transaction: RFC 3261 17.1.3, 17.2.3, 9.2, and RFC 2543's requests.
#include "ringweir/transaction/keys.h"

#include <gtest/gtest.h>

#include <functional>

#include "ringweir/transaction/transaction.h"
#include "support/request_text.h"

namespace ringweir::transaction {
namespace {

using sip::Method;
using support::RequestText;

const KeyedHash kHash({1, 2});

struct Named {
  std::uint64_t key;
  std::uint32_t to_tag;
};

Named named(const RequestText& request, Method as) {
  const std::string text = request.text();
  static sip::Message message;
  sip::Essentials read;
  EXPECT_EQ(sip::parse(text, sip::Framing::datagram, message).completeness, sip::Completeness::complete)
      << text;
  EXPECT_EQ(sip::validate_request(message, read).fault, sip::Fault::none) << text;
  return {server_key(message, read, as, kHash), to_tag_hash(read.to, kHash)};
}
std::uint64_t key(const RequestText& request, Method as = Method::invite) {
  return named(request, as).key;
}

RequestText invite() {
  RequestText r;
  r.method = "INVITE";
  r.uri = "sip:101@example.com";
  r.via = "SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK776asdhds";
  r.to = "<sip:101@example.com>";
  return r;
}
RequestText old_invite() {
  RequestText r = invite();
  r.via = "SIP/2.0/UDP 192.0.2.7:5062";
  return r;
}
using Change = std::function<void(RequestText&)>;
RequestText with(RequestText request, const Change& change) {
  change(request);
  return request;
}
RequestText as_method(RequestText request, const char* method) {
  request.method = method;
  return request;
}

TEST(ServerKey, IsBranchSentByAndMethodAndNothingElse) {
  const std::uint64_t first = key(invite());
  EXPECT_EQ(key(invite()), first);
  for (const Change& same : {
           Change([](RequestText& r) { r.uri = "sip:102@example.com"; }),
           Change([](RequestText& r) { r.call_id = "other"; }),
           Change([](RequestText& r) { r.cseq = 2; }),
           Change([](RequestText& r) { r.from = "<sip:100@example.com>;tag=zz"; }),
           Change([](RequestText& r) { r.to = "<sip:101@example.com>;tag=zz"; }),
           Change([](RequestText& r) { r.via += ";rport;received=198.51.100.1"; }),
           Change([](RequestText& r) { r.via += ", SIP/2.0/UDP 203.0.113.1;branch=z9hG4bKother"; }),
       }) {
    EXPECT_EQ(key(with(invite(), same)), first);
  }
  for (const Change& other : {
           Change([](RequestText& r) { r.via = "SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK776asdhdt"; }),
           Change([](RequestText& r) { r.via = "SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK776ASDHDS"; }),
           Change([](RequestText& r) { r.via = "SIP/2.0/UDP 192.0.2.7:5063;branch=z9hG4bK776asdhds"; }),
           Change([](RequestText& r) { r.via = "SIP/2.0/UDP 192.0.2.8:5062;branch=z9hG4bK776asdhds"; }),
           Change([](RequestText& r) { r.via = "SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK776asdhds"; }),
       }) {
    EXPECT_NE(key(with(invite(), other)), first);
  }
  const RequestText options = as_method(invite(), "OPTIONS");
  EXPECT_NE(key(options, Method::options), first);
}

TEST(ServerKey, AHostInAnyCaseAndThePortThatGoesWithoutSayingAreOne) {
  const auto via = [](const char* text) {
    RequestText r = invite();
    r.via = text;
    return key(r);
  };
  EXPECT_EQ(via("SIP/2.0/UDP Phone.Example.COM;branch=z9hG4bK1"),
            via("SIP/2.0/UDP phone.example.com:5060;branch=z9hG4bK1"));
  EXPECT_EQ(via("SIP/2.0/TLS phone.example.com;branch=z9hG4bK1"),
            via("SIP/2.0/TLS phone.example.com:5061;branch=z9hG4bK1"));
  EXPECT_EQ(via("SIP/2.0/UDP [2001:DB8::1];branch=z9hG4bK1"),
            via("SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bK1"));
  const std::string label(60, 'a');  // longer than a piece of the hash
  const std::string host = label + '.' + label + ".example";
  EXPECT_NE(via(("SIP/2.0/UDP " + host + ";branch=z9hG4bK1").c_str()),
            via(("SIP/2.0/UDP " + host + "s;branch=z9hG4bK1").c_str()));
}

TEST(ServerKey, AnAckAndACancelFindTheirInviteAndACancelIsATransactionOfItsOwn) {
  const std::uint64_t first = key(invite());
  EXPECT_EQ(key(as_method(invite(), "ACK"), Method::invite), first);
  EXPECT_EQ(key(as_method(invite(), "CANCEL"), Method::invite), first);
  EXPECT_NE(key(as_method(invite(), "CANCEL"), Method::cancel), first);
}

TEST(ServerKey, MethodsWithoutAnEntryAreToldApartByTheirText) {
  EXPECT_NE(key(as_method(invite(), "FOO"), Method::unknown),
            key(as_method(invite(), "BAR"), Method::unknown));
  EXPECT_EQ(key(as_method(invite(), "FOO"), Method::unknown),
            key(as_method(invite(), "FOO"), Method::unknown));
}

TEST(ServerKey, DependsOnTheSecret) {
  const std::string text = invite().text();
  static sip::Message message;
  sip::Essentials read;
  sip::parse(text, sip::Framing::datagram, message);
  ASSERT_EQ(sip::validate_request(message, read).fault, sip::Fault::none);
  EXPECT_NE(server_key(message, read, Method::invite, KeyedHash({1, 2})),
            server_key(message, read, Method::invite, KeyedHash({1, 3})));
}

TEST(OldStyleKey, IsWhatRfc2543Compares) {
  const std::uint64_t first = key(old_invite());
  for (const Change& other : {
           Change([](RequestText& r) { r.uri = "sip:102@example.com"; }),
           Change([](RequestText& r) { r.call_id = "other"; }),
           Change([](RequestText& r) { r.cseq = 2; }),
           Change([](RequestText& r) { r.from = "<sip:100@example.com>;tag=zz"; }),
           Change([](RequestText& r) { r.from = "<sip:100@example.com>"; }),
           Change([](RequestText& r) { r.via = "SIP/2.0/UDP 192.0.2.7:5063"; }),
           Change([](RequestText& r) { r.via += ";branch=7"; }),
       }) {
    EXPECT_NE(key(with(old_invite(), other)), first);
  }
  EXPECT_EQ(key(with(old_invite(), [](RequestText& r) { r.via += ", SIP/2.0/UDP 203.0.113.1"; })), first);
  EXPECT_NE(key(old_invite()), key(invite()));
}

TEST(OldStyleKey, AnotherBranchWithoutTheCookieOrTheCookieAloneIsOldToo) {
  const auto via = [](const char* text, const char* call_id) {
    RequestText r = invite();
    r.via = text;
    r.call_id = call_id;
    return key(r);
  };
  EXPECT_NE(via("SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK", "a"),
            via("SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK", "b"));
  EXPECT_NE(via("SIP/2.0/UDP 192.0.2.7;branch=1", "a"), via("SIP/2.0/UDP 192.0.2.7;branch=1", "b"));
  EXPECT_EQ(via("SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1", "a"),
            via("SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1", "b"));
}

TEST(OldStyleKey, TheToTagIsInItUnlessAnInviteIsLookedFor) {
  const auto tagged = [](RequestText& r) { r.to += ";tag=b2"; };
  EXPECT_EQ(key(with(old_invite(), tagged)), key(old_invite()));
  const RequestText bye = as_method(old_invite(), "BYE");
  EXPECT_NE(key(with(bye, tagged), Method::bye), key(bye, Method::bye));
}

// As the proxy keeps it: the INVITE's To tag until a response with one is sent.
TEST(OldStyleMatch, TheAckHasTheResponsesToTagTheCancelAndTheInviteAgainTheInvites) {
  const Named request = named(old_invite(), Method::invite);
  ServerTransaction t(Machine::invite_server);
  t.old_style = true;
  t.key = request.key;
  t.to_tag = request.to_tag;
  EXPECT_TRUE(t.matches_request(request.to_tag));
  RequestText answered = old_invite();
  answered.to += ";tag=b2";
  t.to_tag = named(answered, Method::invite).to_tag;  // of the 486 that is sent
  const Named ack = named(as_method(answered, "ACK"), Method::invite);
  EXPECT_EQ(ack.key, t.key);
  EXPECT_TRUE(t.matches_ack(ack.to_tag));
  EXPECT_FALSE(t.matches_request(ack.to_tag));  // an INVITE with this To tag is another
  answered.to = "<sip:101@example.com>;tag=b3";
  EXPECT_FALSE(t.matches_ack(named(as_method(answered, "ACK"), Method::invite).to_tag));
  EXPECT_TRUE(t.matches_request(named(as_method(old_invite(), "CANCEL"), Method::invite).to_tag));
}

TEST(OldStyleMatch, WithABranchTheToTagIsNotAsked) {
  ServerTransaction t(Machine::invite_server);
  EXPECT_TRUE(t.matches_ack(5));
  EXPECT_TRUE(t.matches_request(6));
}

TEST(ToTagHash, TellsATagFromNone) {
  EXPECT_EQ(named(invite(), Method::invite).to_tag, 0u);
  EXPECT_NE(named(with(invite(), [](RequestText& r) { r.to += ";tag=x"; }), Method::invite).to_tag, 0u);
}

TEST(ClientKey, IsBranchAndCSeqMethod) {
  const auto response = [](const char* via, const char* cseq) {
    const std::string text =
        std::string("SIP/2.0 200 OK\r\nVia: ") + via +
        "\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: " + cseq +
        "\r\nContent-Length: 0\r\n\r\n";
    static sip::Message message;
    sip::Essentials read;
    EXPECT_EQ(sip::parse(text, sip::Framing::datagram, message).completeness, sip::Completeness::complete);
    EXPECT_EQ(sip::validate_response(message, read).fault, sip::Fault::none);
    return client_key(read, kHash);
  };
  const std::uint64_t sent = client_key("z9hG4bKf00", Method::invite, "INVITE", kHash);
  EXPECT_EQ(response("SIP/2.0/UDP edge:5060;branch=z9hG4bKf00", "1 INVITE"), sent);
  EXPECT_EQ(response("SIP/2.0/UDP elsewhere;received=192.0.2.1;branch=z9hG4bKf00", "7 INVITE"), sent);
  EXPECT_NE(response("SIP/2.0/UDP edge:5060;branch=z9hG4bKf00", "1 CANCEL"), sent);
  EXPECT_NE(response("SIP/2.0/UDP edge:5060;branch=z9hG4bKf01", "1 INVITE"), sent);
  EXPECT_EQ(response("SIP/2.0/UDP edge:5060;branch=z9hG4bKf00", "1 FOO"),
            client_key("z9hG4bKf00", Method::unknown, "FOO", kHash));
  EXPECT_NE(client_key("z9hG4bKf00", Method::unknown, "BAR", kHash),
            client_key("z9hG4bKf00", Method::unknown, "FOO", kHash));
}

}  // namespace
}  // namespace ringweir::transaction
