#include <gtest/gtest.h>

#include <string>

#include "ringweir/sip/credentials.h"
#include "ringweir/sip/cseq.h"
#include "ringweir/sip/header.h"
#include "ringweir/sip/message.h"
#include "ringweir/sip/method.h"
#include "ringweir/sip/name_addr.h"
#include "ringweir/sip/token_list.h"
#include "ringweir/sip/via.h"
#include "sip/characters.h"

namespace ringweir::sip {
namespace {

TEST(HeaderName, EveryKnownNameIsFoundInAnyCase) {
  for (std::size_t i = 1; i < kHeaderIds; ++i) {
    const HeaderId id = static_cast<HeaderId>(i);
    std::string name(to_string(id));
    ASSERT_FALSE(name.empty());
    EXPECT_EQ(parse_header_name(name), id) << name;
    for (char& c : name) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(parse_header_name(name), id) << name;
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(parse_header_name(name), id) << name;
  }
}

TEST(HeaderName, OneOctetChangedIsAnotherName) {
  for (std::size_t i = 1; i < kHeaderIds; ++i) {
    const std::string name(to_string(static_cast<HeaderId>(i)));
    for (std::size_t at = 0; at < name.size(); ++at) {
      for (int octet = 0; octet < 256; ++octet) {
        std::string changed = name;
        changed[at] = static_cast<char>(octet);
        const bool same = std::tolower(static_cast<unsigned char>(changed[at])) == std::tolower(name[at]);
        EXPECT_EQ(parse_header_name(changed) == static_cast<HeaderId>(i), same) << changed;
      }
    }
  }
}

TEST(HeaderName, CompactForms) {
  EXPECT_EQ(parse_header_name("i"), HeaderId::call_id);
  EXPECT_EQ(parse_header_name("V"), HeaderId::via);
  EXPECT_EQ(parse_header_name("m"), HeaderId::contact);
  EXPECT_EQ(parse_header_name("l"), HeaderId::content_length);
  EXPECT_EQ(parse_header_name("x"), HeaderId::session_expires);
  for (char c : std::string("adghjnpqwz@[`{1 ")) EXPECT_EQ(parse_header_name({&c, 1}), HeaderId::other) << c;
  EXPECT_EQ(parse_header_name(""), HeaderId::other);
}

TEST(MethodName, IsCaseSensitiveAndComesBack) {
  for (std::size_t i = 1; i < kMethods; ++i) {
    const Method method = static_cast<Method>(i);
    EXPECT_EQ(parse_method(to_string(method)), method);
    EXPECT_EQ(parse_method(std::string(to_string(method)) + "X"), Method::unknown);
    EXPECT_EQ(parse_method(to_string(method).substr(1)), Method::unknown);
  }
  EXPECT_EQ(parse_method("register"), Method::unknown);
  EXPECT_EQ(parse_method("unknown"), Method::unknown);
}

TEST(ViaValue, KnowsWhereItsParametersStand) {
  std::string_view rest;
  const auto via = parse_via(
      "SIP/2.0/UDP 192.0.2.1:5062 ;rport = 7;received=10.0.0.1;branch=z9hG4bKx, SIP/2.0/TCP b", rest);
  ASSERT_TRUE(via);
  EXPECT_EQ(via->transport, "UDP");
  EXPECT_EQ(via->host, "192.0.2.1");
  EXPECT_EQ(via->port, 5062);
  EXPECT_TRUE(via->has_rport);
  EXPECT_EQ(via->rport, 7);
  EXPECT_EQ(via->text.substr(via->rport_offset, via->rport_end - via->rport_offset), " = 7");
  EXPECT_EQ(via->text.substr(via->received_offset, via->received_end - via->received_offset),
            ";received=10.0.0.1");
  EXPECT_EQ(via->received, "10.0.0.1");
  EXPECT_TRUE(via->has_magic_cookie());
  EXPECT_EQ(rest, "SIP/2.0/TCP b");
  const auto next = parse_via(rest, rest);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->host, "b");
  EXPECT_EQ(next->port, 0);
  EXPECT_TRUE(rest.empty());
}

TEST(ViaValue, RefusesWhatTheGrammarDoes) {
  for (const char* text :
       {"", "SIP/2.0/UDP", "SIP/2.0/UDP ", "SIP/2.0/ h", "HTTP/1.1/UDP h",
        "SIP/2.0/UDP h:", "SIP/2.0/UDP h:99999", "SIP/2.0/UDP h;", "SIP/2.0/UDP h;;branch=x",
        "SIP/2.0/UDP h;branch", "SIP/2.0/UDP h;rport=x", "SIP/2.0/UDP h;rport;rport",
        "SIP/2.0/UDP h;branch=a;branch=b", "SIP/2.0/UDP h,",
        "SIP/2.0/UDP h;received=1.1.1.1;received=2.2.2.2", "SIP/2.0/UDP h x", "SIP/3.0/UDP h"}) {
    std::string_view rest;
    const auto via = parse_via(text, rest);
    EXPECT_FALSE(via) << text;
    if (!via) {
      EXPECT_EQ(via.error().fault, Fault::bad_via);
    }
  }
}

TEST(NameAddrValue, QuotesBracketsAndCommas) {
  std::string_view rest;
  auto a = parse_name_addr("\"Watson, \\\"T\\\"\" <sip:t,w@x.org;lr?a=b> ;tag=1;x , <sip:b@y>", rest);
  ASSERT_TRUE(a);
  EXPECT_EQ(a->display, "\"Watson, \\\"T\\\"\"");
  EXPECT_EQ(a->uri, "sip:t,w@x.org;lr?a=b");
  EXPECT_EQ(a->parameters, "tag=1;x");
  EXPECT_EQ(tag(*a), "1");
  EXPECT_EQ(rest, "<sip:b@y>");
  a = parse_name_addr("sip:c@z;tag=2",
                      rest);  // without brackets the parameters are the header's, RFC 3261 20
  ASSERT_TRUE(a);
  EXPECT_EQ(a->uri, "sip:c@z");
  EXPECT_EQ(tag(*a), "2");
  EXPECT_TRUE(rest.empty());
}

TEST(NameAddrValue, RefusesWhatTheGrammarDoes) {
  for (const char* text :
       {"", "<>", "<sip:a@b", "\"x <sip:a@b>", "\"x\" sip:a@b", "a b", "<sip:a@b>x", "<sip:a@b>;",
        "<sip:a@b>;=1", "<sip:a@b>;x=", "<sip:a@b>,", "<sip:a@b>;x=\"y", ",", ";tag=1"}) {
    std::string_view rest;
    EXPECT_FALSE(parse_name_addr(text, rest)) << text;
  }
}

TEST(ContactValue, StarStandsAlone) {
  std::string_view rest;
  EXPECT_TRUE(parse_contact("*", rest)->star);
  EXPECT_TRUE(parse_contact(" * ", rest)->star);
  EXPECT_FALSE(parse_contact("*, <sip:a@b>", rest).has_value());
  EXPECT_FALSE(parse_contact("*;expires=0", rest).has_value());
  const auto named = parse_contact("* <sip:a@b>", rest);  // "*" is a token, so also a display name
  ASSERT_TRUE(named);
  EXPECT_FALSE(named->star);
}

TEST(ContactValue, ExpiresAndQ) {
  std::string text;  // outlives the views into it
  auto read = [&](std::string given) {
    text = std::move(given);
    std::string_view rest;
    return parse_contact(text, rest);
  };
  EXPECT_EQ(read("<sip:a@b>")->expires_s, std::nullopt);
  EXPECT_EQ(read("<sip:a@b>;expires=60")->expires_s, 60u);
  EXPECT_EQ(read("<sip:a@b>;EXPIRES = 0")->expires_s, 0u);
  EXPECT_EQ(read("<sip:a@b>;expires=280297596632815")->expires_s, 0xffffffffu);
  for (const char* malformed : {"x", "-1", "1s", "\"60\"", "0x1"}) {
    const auto contact = read(std::string("<sip:a@b>;expires=") + malformed);
    ASSERT_TRUE(contact) << malformed;
    EXPECT_EQ(contact->expires_s, 3600u) << malformed;  // RFC 3261 10.3 step 7
  }
  EXPECT_EQ(read("<sip:a@b>;expires")->expires_s, 3600u);
  const auto middle = read(" <sip:a@b>;q=1 ; expires = 60 ;x");
  EXPECT_EQ(middle->address.text.substr(middle->expires_begin, middle->expires_end - middle->expires_begin),
            "; expires = 60");
  EXPECT_EQ(read("<sip:a@b>;x")->expires_end, 0u);
  EXPECT_EQ(read("<sip:a@b>")->q_thousandths, 1000);
  EXPECT_EQ(read("<sip:a@b>;q=0.33")->q_thousandths, 330);
  EXPECT_EQ(read("<sip:a@b>;q=1.000")->q_thousandths, 1000);
  EXPECT_EQ(read("<sip:a@b>;q=0")->q_thousandths, 0);
  EXPECT_EQ(read("<sip:a@b>;q=0.")->q_thousandths, 0);
  for (const char* malformed : {"2", "1.001", "0.1234", "x", ".5"}) {
    EXPECT_FALSE(read(std::string("<sip:a@b>;q=") + malformed).has_value()) << malformed;
  }
}

TEST(CSeqValue, NumberAndMethod) {
  EXPECT_EQ(parse_cseq("0009\r\n INVITE")->number, 9u);
  EXPECT_EQ(parse_cseq("2147483647 REGISTER")->method, Method::register_);
  EXPECT_EQ(parse_cseq("1 FOO")->method_text, "FOO");
  for (const char* text : {"", "1", "INVITE", "1INVITE", "-1 INVITE", "2147483648 INVITE", "1 INVITE x",
                           "99999999999999999999 ACK"}) {
    EXPECT_FALSE(parse_cseq(text)) << text;
  }
}

TEST(NumberValue, SaturatesAndRefusesGarbage) {
  EXPECT_EQ(parse_number(" 3600 ").value(), 3600u);
  EXPECT_EQ(parse_number("4294967296").value(), 0xffffffffu);
  EXPECT_EQ(parse_number(std::string(500, '9')).value(), 0xffffffffu);
  for (const char* text : {"", "x", "1 2", "-1", "1.5"}) EXPECT_FALSE(parse_number(text)) << text;
}

TEST(DigestCredentialsValue, EveryMember) {
  const auto d = parse_digest_credentials(
      "Digest username=\"a\\\"b\", realm=\"r, s\",nonce=\"n\" , "
      "uri=\"sip:x\",response=\"0f\",algorithm=MD5,\r\n cnonce=\"c\",opaque=\"\","
      "qop=auth,nc=00000001,auth-param=1,userhash=TRUE");
  ASSERT_TRUE(d) << d.error().offset;
  EXPECT_EQ(d->username, "a\\\"b");
  EXPECT_EQ(d->realm, "r, s");
  EXPECT_EQ(d->nonce, "n");
  EXPECT_EQ(d->uri, "sip:x");
  EXPECT_EQ(d->response, "0f");
  EXPECT_EQ(d->algorithm, "MD5");
  EXPECT_EQ(d->cnonce, "c");
  EXPECT_EQ(d->opaque, "");
  EXPECT_EQ(d->qop, "auth");
  EXPECT_EQ(d->nc, "00000001");
  EXPECT_TRUE(d->userhash);
}

TEST(DigestCredentialsValue, RefusesTwiceAndNested) {
  EXPECT_EQ(parse_digest_credentials("Basic abc").error().offset, 0u);
  for (const char* text : {"", "Digest", "Digest ", "Digest a", "Digest a=", "Digest a=1,", "Digest a=1,,b=2",
                           "Digest nonce=\"a\"b\"", "Digest nonce=\"a", "Digest nonce=1,nonce=2",
                           "Digest opaque=\"\",opaque=\"\"", "Digest a=1 b=2"}) {
    const auto d = parse_digest_credentials(text);
    EXPECT_FALSE(d) << text;
    if (!d) {
      EXPECT_EQ(d.error().fault, Fault::bad_authorization);
    }
  }
}

TEST(DigestChallengeValue, OfTheSeed) {
  const auto c = parse_digest_challenge(
      "Digest realm=\"myvoipapp.com\",algorithm=MD5,nonce=\"18bf67854ae23d6d2cd772af69535f91\",stale=FALSE");
  ASSERT_TRUE(c);
  EXPECT_EQ(c->realm, "myvoipapp.com");
  EXPECT_EQ(c->nonce, "18bf67854ae23d6d2cd772af69535f91");
  EXPECT_FALSE(c->stale);
  EXPECT_TRUE(parse_digest_challenge("digest nonce=\"x\", stale=true")->stale);
}

TEST(TokenList, TakesOneAfterTheOther) {
  std::string_view list = " path ,,\r\n 100rel,gruu ";
  EXPECT_EQ(next_token(list), "path");
  EXPECT_EQ(next_token(list), "100rel");
  EXPECT_EQ(next_token(list), "gruu");
  EXPECT_EQ(next_token(list), "");
  EXPECT_TRUE(contains_token("a, Path", "path"));
  EXPECT_FALSE(contains_token("a, pathx", "path"));
}

TEST(ParameterValue, AnyCaseQuotedAndAbsent) {
  EXPECT_EQ(parameter("transport=udp;lr", "LR"), "");
  EXPECT_EQ(parameter("transport=udp;lr", "transport"), "udp");
  EXPECT_EQ(parameter("a=\";b=1;\" ; b = 2", "b"), "2");
  EXPECT_EQ(parameter("+sip.instance=\"<urn:x>\"", "+sip.instance"), "\"<urn:x>\"");
  EXPECT_EQ(parameter("ab=1", "a"), std::nullopt);
  EXPECT_EQ(parameter("", "a"), std::nullopt);
}

TEST(Message, FieldsOfOneNameFollowEachOther) {
  Message m;
  ASSERT_EQ(parse("OPTIONS sip:a SIP/2.0\r\nRoute: <sip:1>\r\nX-A: 1\r\nRoute: <sip:2>\r\n\r\n",
                  Framing::datagram, m)
                .completeness,
            Completeness::complete);
  const HeaderField* route = m.first(HeaderId::route);
  ASSERT_NE(route, nullptr);
  EXPECT_EQ(m.value(*route), "<sip:1>");
  route = m.next(*route);
  ASSERT_NE(route, nullptr);
  EXPECT_EQ(m.value(*route), "<sip:2>");
  EXPECT_EQ(m.next(*route), nullptr);
  EXPECT_FALSE(m.has(HeaderId::path));
  EXPECT_EQ(m.value(HeaderId::path), "");
}

TEST(Message, AnEmptyOneHasNoFields) {
  const Message m{};
  EXPECT_EQ(m.header_count(), 0u);
  EXPECT_FALSE(m.has(HeaderId::via));
}

TEST(Message, AReusedOneForgetsWhatItHeld) {
  Message m;
  parse("OPTIONS sip:a SIP/2.0\r\nRoute: <sip:1>\r\n\r\nbody", Framing::datagram, m);
  parse("SIP/2.0 200 OK\r\nVia: x\r\n\r\n", Framing::datagram, m);
  EXPECT_FALSE(m.is_request());
  EXPECT_EQ(m.method_text(), "");
  EXPECT_FALSE(m.has(HeaderId::route));
  EXPECT_EQ(m.body(), "");
  EXPECT_EQ(m.header_count(), 1u);
}

TEST(Message, PipelinedMessagesAreTakenOneByOne) {
  const std::string one = "OPTIONS sip:a SIP/2.0\r\nl: 3\r\n\r\nabc";
  const std::string two = "\r\n\r\nBYE sip:a SIP/2.0\r\nl: 0\r\n\r\n";
  Message m;
  std::string_view stream = one;
  const std::string both = one + two;
  stream = both;
  Parsed parsed = parse(stream, Framing::stream, m);
  ASSERT_EQ(parsed.completeness, Completeness::complete);
  EXPECT_EQ(parsed.consumed, one.size());
  EXPECT_EQ(m.body(), "abc");
  stream.remove_prefix(parsed.consumed);
  parsed = parse(stream, Framing::stream, m);
  ASSERT_EQ(parsed.completeness, Completeness::complete);
  EXPECT_EQ(parsed.consumed, two.size());
  EXPECT_EQ(m.method(), Method::bye);
}

// The runs that are taken sixteen octets at a time end where the table of characters says, at any size.
template <unsigned sets>
void expect_runs_end_as_the_table_says() {
  for (int code = 0; code < 256; ++code) {
    const char c = static_cast<char>(code);
    for (const std::size_t before : {0u, 1u, 3u, 7u, 8u, 15u, 16u, 17u, 33u}) {
      const std::string text = std::string(before, 'a') + c + "aa";
      Cursor cursor(text);
      EXPECT_EQ(cursor.take<sets>().size(), is(c, sets) ? text.size() : before)
          << code << " behind " << before;
    }
  }
}
TEST(SipCharacters, LongRunsEndAsTheTableSays) {
  expect_runs_end_as_the_table_says<kUriText>();
  expect_runs_end_as_the_table_says<kValue>();
  expect_runs_end_as_the_table_says<kWord>();
  expect_runs_end_as_the_table_says<kHost>();
  expect_runs_end_as_the_table_says<kToken>();
}

}  // namespace
}  // namespace ringweir::sip
