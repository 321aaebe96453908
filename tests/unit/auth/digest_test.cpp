#include "ringweir/auth/digest.h"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "ringweir/sip/message.h"

namespace ringweir::auth {
namespace {

std::string hex(const Digest& digest) {
  char text[kDigestHexMax];
  return {text, to_hex(digest, text)};
}

std::string read_vector(const std::string& name) {
  std::ifstream file(std::string(RINGWEIR_SOURCE_DIR) + "/tests/vectors/auth/" + name, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string explained(const std::string& line, std::string_view method, std::string_view password) {
  const auto credentials = sip::parse_digest_credentials(line);
  if (!credentials) return "unreadable";
  const auto steps = explain(*credentials, method, Password{password});
  if (!steps) return "unknown algorithm";
  EXPECT_EQ(steps->matches, steps->response == credentials->response);
  return steps->response;
}

TEST(Hash, gives_the_published_values_for_abc) {
  EXPECT_EQ(hex(hash(HashKind::md5, {"abc"})), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(hex(hash(HashKind::sha256, {"a", "b", "c"})),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(hash(HashKind::sha512_256, {"abc"})),
            "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23");
}

TEST(Algorithm, names_are_read_in_any_case_and_absent_means_md5) {
  for (std::size_t i = 0; i < kAlgorithms; ++i) {
    const auto algorithm = static_cast<Algorithm>(i);
    EXPECT_EQ(parse_algorithm(to_string(algorithm)), algorithm);
  }
  EXPECT_EQ(parse_algorithm(""), Algorithm::md5);
  EXPECT_EQ(parse_algorithm("sha-256-SESS"), Algorithm::sha256_sess);
  EXPECT_EQ(parse_algorithm("SHA-1"), std::nullopt);
  EXPECT_EQ(to_string(HashKind::sha512_256), "SHA-512-256");
}

TEST(Hex, is_read_back_in_any_case_and_at_its_length_only) {
  const Digest digest = hash(HashKind::md5, {"x"});
  EXPECT_EQ(from_hex(hex(digest), HashKind::md5), digest);
  EXPECT_EQ(from_hex("9DD4E461268C8034F5C8564E155C67A6", HashKind::md5), digest);
  EXPECT_EQ(from_hex(hex(digest), HashKind::sha256), std::nullopt);
  EXPECT_EQ(from_hex("9dd4e461268c8034f5c8564e155c67ag", HashKind::md5), std::nullopt);
}

TEST(Comparison, finds_a_difference_in_every_octet) {
  const Digest digest = hash(HashKind::sha256, {"x"});
  EXPECT_TRUE(equal_in_constant_time(digest, digest));
  for (std::size_t i = 0; i < digest.size; ++i) {
    Digest other = digest;
    other.octets[i] ^= 1;
    EXPECT_FALSE(equal_in_constant_time(digest, other)) << i;
  }
}

// The registration captured from a softphone in 2011: no qop.
TEST(Response, of_the_captured_registration_is_reproduced) {
  const std::string bytes = read_vector("captured-register.sip");
  sip::Message message;
  ASSERT_EQ(sip::parse(bytes, sip::Framing::datagram, message).completeness, sip::Completeness::complete);
  const auto credentials = sip::parse_digest_credentials(message.value(sip::HeaderId::proxy_authorization));
  ASSERT_TRUE(credentials);
  const auto steps = explain(*credentials, message.method_text(), Password{"101"});
  ASSERT_TRUE(steps);
  EXPECT_EQ(steps->a1, "101:myvoipapp.com:101");
  EXPECT_EQ(steps->a2, "REGISTER:sip:192.168.1.132");
  EXPECT_EQ(steps->ha1, hex(hash(HashKind::md5, {steps->a1})));
  EXPECT_EQ(steps->response_input, steps->ha1 + ":18bf67854ae23d6d2cd772af69535f91:" + steps->ha2);
  EXPECT_EQ(steps->response, "581842f465276cd5fa908061d7bf2f69");
  EXPECT_TRUE(steps->matches);
  EXPECT_FALSE(explain(*credentials, "REGISTER", Password{"102"})->matches);
}

TEST(Response, of_rfc_2617_3_5) {
  EXPECT_EQ(
      explained(
          "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
          "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", qop=auth, nc=00000001, "
          "cnonce=\"0a4f113b\", response=\"6629fae49393a05397450978507c4ef1\"",
          "GET", "Circle Of Life"),
      "6629fae49393a05397450978507c4ef1");
}

TEST(Response, of_rfc_7616_3_9_1_in_both_algorithms) {
  const std::string common =
      "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", "
      "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, "
      "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, ";
  EXPECT_EQ(explained(common + "algorithm=MD5, response=\"8ca523f5e9506fed4657c9700eebdbec\"", "GET",
                      "Circle of Life"),
            "8ca523f5e9506fed4657c9700eebdbec");
  EXPECT_EQ(
      explained(common + "algorithm=SHA-256, "
                         "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\"",
                "GET", "Circle of Life"),
      "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

// The response printed in the RFC came from a draft of the hash: this is the one of erratum 4897, its user
// name in clear.
TEST(Response, of_rfc_7616_3_9_2_with_sha_512_256) {
  EXPECT_EQ(
      explained("Digest username=\"J\xc3\xa4s\xc3\xb8n Doe\", realm=\"api@example.org\", uri=\"/doe.json\", "
                "algorithm=SHA-512-256, nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", nc=00000001, "
                "cnonce=\"NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v\", qop=auth, response=\"00\"",
                "GET", "Secret, or not?"),
      "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5");
}

TEST(Response, of_a_session_algorithm_hashes_nonce_and_cnonce_into_ha1) {
  const Digest stored = ha1(HashKind::sha256, "u", "r", "p");
  const Digest session = hash(HashKind::sha256, {hex(stored), ":n:c"});
  const std::string expected =
      hex(hash(HashKind::sha256,
               {hex(session), ":n:00000001:c:auth:", hex(hash(HashKind::sha256, {"REGISTER:sip:r"}))}));
  EXPECT_EQ(
      hex(response(Algorithm::sha256_sess, stored, "REGISTER", "sip:r", {"n", "00000001", "c", "auth"})),
      expected);
  const std::string header =
      "Digest "
      "username=\"u\",realm=\"r\",nonce=\"n\",uri=\"sip:r\",algorithm=SHA-256-sess,qop=auth,nc=00000001,"
      "cnonce=\"c\","
      "response=\"" +
      expected + "\"";
  const auto credentials = sip::parse_digest_credentials(header);
  ASSERT_TRUE(credentials);
  const auto steps = explain(*credentials, "REGISTER", stored);
  ASSERT_TRUE(steps);
  EXPECT_TRUE(steps->matches);
  EXPECT_EQ(steps->a1, "");
  EXPECT_EQ(steps->session_a1, hex(stored) + ":n:c");
  EXPECT_EQ(steps->ha1, hex(session));
}

TEST(Explain, refuses_an_unknown_algorithm_and_an_ha1_of_another) {
  const auto sha1 = sip::parse_digest_credentials("Digest username=\"u\",realm=\"r\",algorithm=SHA");
  const auto md5 = sip::parse_digest_credentials("Digest username=\"u\",realm=\"r\"");
  ASSERT_TRUE(sha1 && md5);
  EXPECT_FALSE(explain(*sha1, "REGISTER", Password{"p"}));
  EXPECT_FALSE(explain(*md5, "REGISTER", hash(HashKind::sha256, {"x"})));
}

TEST(Escapes, are_undone_for_names_and_put_back_when_written) {
  char room[8];
  EXPECT_EQ(unescape("plain name", room, 0), "plain name");
  EXPECT_EQ(unescape("a\\\"b\\\\", room, sizeof room), "a\"b\\");
  EXPECT_EQ(unescape("a\\", room, sizeof room), std::nullopt);
  EXPECT_EQ(unescape("12345678\\9", room, sizeof room), std::nullopt);
  char text[32];
  Writer out(text, sizeof text);
  put_escaped(out, "a\"b\\");
  EXPECT_EQ(out.text(), "a\\\"b\\\\");
}

TEST(Client, writes_what_explain_confirms) {
  for (const bool qop : {true, false}) {
    for (std::size_t i = 0; i < kAlgorithms; ++i) {
      const auto algorithm = static_cast<Algorithm>(i);
      char text[1024];
      Writer out(text, sizeof text);
      const Answer answer{"a\"b",    "r\\\"x", "nonce", "",    "REGISTER", "sip:example.com",
                          algorithm, qop,      0x1f,    "cafe"};
      write_authorization(out, false, answer, ha1(kind(algorithm), "a\"b", "r\"x", "secret"));
      ASSERT_TRUE(out.ok());
      std::string_view line = out.text();
      ASSERT_TRUE(line.starts_with("Authorization: "));
      ASSERT_TRUE(line.ends_with("\r\n"));
      line.remove_suffix(2);
      const auto credentials = sip::parse_digest_credentials(line.substr(15));
      ASSERT_TRUE(credentials);
      EXPECT_EQ(credentials->nc, qop ? "0000001f" : "");
      EXPECT_TRUE(explain(*credentials, "REGISTER", Password{"secret"})->matches) << line;
    }
  }
}

}  // namespace
}  // namespace ringweir::auth
