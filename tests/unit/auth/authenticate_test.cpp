#include "ringweir/auth/authenticate.h"

#include <gmock/gmock.h>

#include "ringweir/auth/digest.h"
#include "ringweir/sip/credentials.h"

namespace ringweir::auth {
namespace {

constexpr Key128 kKey{11, 12};
constexpr WallMs kStart = 1'760'000'000'000;

class Authenticate : public testing::Test {
 protected:
  Authenticate() { rebuild(); }

  void rebuild() {
    CredentialsBuilder builder(policy.realm, policy.algorithms, kKey);
    EXPECT_EQ(builder.add_password("101", "secret"), std::nullopt);
    EXPECT_EQ(builder.add_password("a\"b", "quote"), std::nullopt);
    users = std::move(builder).build();
  }
  std::string nonce() {
    std::string text(kNonceChars, '?');
    mint.mint(now, text.data());
    return text;
  }
  std::string line(const Answer& answer, std::string_view password, bool proxy = false) const {
    char text[2048], room[256];
    Writer out(text, sizeof text);
    const std::string_view realm = *unescape(answer.realm, room, sizeof room);
    write_authorization(out, proxy, answer, ha1(kind(answer.algorithm), answer.username, realm, password));
    return std::string(out.text());
  }
  Answer answer(std::string_view to_nonce) const {
    return {"101",          policy.realm, to_nonce, "",    "REGISTER", "sip:example.com",
            Algorithm::md5, true,         1,        "cafe"};
  }
  Verdict verdict(const std::string& lines, std::string_view uri = "sip:example.com", bool proxy = false) {
    bytes = "REGISTER " + std::string(uri) +
            " SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:101@example.com>;tag=1\r\n"
            "To: <sip:101@example.com>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n" +
            lines + "Content-Length: 0\r\n\r\n";
    EXPECT_EQ(sip::parse(bytes, sip::Framing::datagram, message).completeness, sip::Completeness::complete)
        << bytes;
    return authenticate(policy, *users, mint, window, message, proxy, now, scratch);
  }
  Reason reason(const std::string& lines) { return verdict(lines).reason; }

  Policy policy{.realm = "example.com",
                .algorithms = {Algorithm::md5, Algorithm::sha256, Algorithm::md5_sess}};
  std::shared_ptr<const Credentials> users;
  NonceMint mint{kKey, 0, 1, kStart};
  NonceWindow window{1};
  Scratch scratch;
  WallMs now = kStart + 1000;
  std::string bytes;
  sip::Message message;
};

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return at == text.npos ? text : text.replace(at, from.size(), to);
}

TEST_F(Authenticate, accepts_the_right_password_and_says_who_it_is) {
  const Verdict verdict_ = verdict(line(answer(nonce()), "secret"));
  EXPECT_EQ(verdict_.decision, Decision::accepted);
  EXPECT_EQ(verdict_.reason, Reason::accepted);
  EXPECT_EQ(verdict_.username, "101");
}

TEST_F(Authenticate, accepts_every_configured_algorithm_with_and_without_qop) {
  for (const Algorithm algorithm : policy.algorithms) {
    for (const bool qop : {true, false}) {
      const std::string fresh = nonce();
      Answer a = answer(fresh);
      a.algorithm = algorithm;
      a.qop = qop;
      EXPECT_EQ(reason(line(a, "secret")), Reason::accepted) << to_string(algorithm) << qop;
      EXPECT_EQ(reason(line(a, "wrong")), Reason::wrong_password) << to_string(algorithm) << qop;
    }
  }
}

TEST_F(Authenticate, challenges_without_credentials_or_with_somebody_elses) {
  EXPECT_EQ(reason(""), Reason::no_credentials);
  EXPECT_EQ(reason("Authorization: Basic MTAxOnNlY3JldA==\r\n"), Reason::no_credentials);
  Answer other = answer("n");
  other.realm = "elsewhere.org";
  EXPECT_EQ(reason(line(other, "secret")), Reason::wrong_realm);
  EXPECT_EQ(reason(line(answer(nonce()), "secret", true)), Reason::no_credentials);  // Proxy-Authorization
  // What IMS phones send before any challenge.
  EXPECT_EQ(
      reason(
          "Authorization: Digest username=\"101\",realm=\"example.com\",nonce=\"\",uri=\"sip:example.com\","
          "response=\"\"\r\n"),
      Reason::no_credentials);
}

TEST_F(Authenticate, finds_ours_among_several_credentials) {
  const std::string fresh = nonce();
  Answer other = answer("n");
  other.realm = "elsewhere.org";
  Answer unknown = answer(fresh);
  unknown.algorithm = Algorithm::sha512_256;
  const std::string lines = "Authorization: Bearer x\r\nAuthorization: Digest garbage\r\n" +
                            line(other, "x") + line(unknown, "secret") + line(answer(fresh), "secret");
  EXPECT_EQ(reason(lines), Reason::accepted);
}

TEST_F(Authenticate, reads_the_header_it_was_asked_for) {
  EXPECT_EQ(verdict(line(answer(nonce()), "secret", true), "sip:example.com", true).reason, Reason::accepted);
}

TEST_F(Authenticate, treats_an_unknown_user_as_a_wrong_password) {
  const std::string fresh = nonce();
  Answer nobody = answer(fresh);
  nobody.username = "102";
  const Verdict unknown = verdict(line(nobody, "secret"));
  const Verdict wrong = verdict(line(answer(fresh), "wrong"));
  EXPECT_EQ(unknown.reason, Reason::unknown_user);
  EXPECT_EQ(wrong.reason, Reason::wrong_password);
  EXPECT_EQ(unknown.decision, wrong.decision);
  EXPECT_EQ(unknown.username, wrong.username);
  EXPECT_EQ(reason(line(answer(fresh), "secret")), Reason::accepted);  // neither used up the nonce count
}

TEST_F(Authenticate, is_not_fooled_by_the_hash_that_stands_for_nobody) {
  Digest standing_in;
  standing_in.size = 16;
  std::fill_n(standing_in.octets.begin(), 16, std::uint8_t{0x5a});
  const std::string fresh = nonce();
  Answer nobody = answer(fresh);
  nobody.username = "102";
  char text[1024];
  Writer out(text, sizeof text);
  write_authorization(out, false, nobody, standing_in);
  EXPECT_EQ(reason(std::string(out.text())), Reason::unknown_user);
}

TEST_F(Authenticate, refuses_a_replay_with_a_new_challenge) {
  const std::string fresh = nonce();
  const std::string first = line(answer(fresh), "secret");
  EXPECT_EQ(reason(first), Reason::accepted);
  const Verdict again = verdict(first);
  EXPECT_EQ(again.decision, Decision::challenge_stale);
  EXPECT_EQ(again.reason, Reason::replayed);
  Answer next = answer(fresh);
  next.nc = 2;
  EXPECT_EQ(reason(line(next, "secret")), Reason::accepted);
}

TEST_F(Authenticate, lets_a_nonce_without_qop_be_used_once_unless_replay_is_off) {
  const std::string fresh = nonce();
  Answer old = answer(fresh);
  old.qop = false;
  EXPECT_EQ(reason(line(old, "secret")), Reason::accepted);
  EXPECT_EQ(verdict(line(old, "secret")).decision, Decision::challenge_stale);
  policy.replay_strict = false;
  EXPECT_EQ(reason(line(old, "secret")), Reason::accepted);
  EXPECT_EQ(reason(line(old, "secret")), Reason::accepted);
}

TEST_F(Authenticate, asks_again_with_stale_for_a_nonce_too_old_or_not_ours) {
  const std::string old = nonce();
  now += policy.nonce_lifetime_ms + 1;
  EXPECT_EQ(verdict(line(answer(old), "secret")).reason, Reason::stale_nonce);
  EXPECT_EQ(verdict(line(answer(old), "secret")).decision, Decision::challenge_stale);
  EXPECT_EQ(verdict(line(answer("18bf67854ae23d6d2cd772af69535f91"), "secret")).reason, Reason::forged_nonce);
  EXPECT_EQ(verdict(line(answer("18bf67854ae23d6d2cd772af69535f91"), "secret")).decision,
            Decision::challenge_stale);
}

TEST_F(Authenticate, holds_the_digest_uri_against_the_request_uri) {
  Answer a = answer("");
  std::string fresh = nonce();
  a.nonce = fresh;
  a.uri = "sip:EXAMPLE.com";  // equal by RFC 3261 19.1.4, hashed as sent
  EXPECT_EQ(reason(line(a, "secret")), Reason::accepted);
  a.uri = "sip:other.com";
  a.nc = 2;
  EXPECT_EQ(reason(line(a, "secret")), Reason::uri_mismatch);
  policy.check_uri = false;  // for clients that write the address they were given
  EXPECT_EQ(reason(line(a, "secret")), Reason::accepted);
  EXPECT_EQ(reason(line(a, "secret")), Reason::replayed);
}

TEST_F(Authenticate, refuses_what_was_not_offered) {
  const std::string fresh = nonce();
  const std::string good = line(answer(fresh), "secret");
  EXPECT_EQ(reason(replaced(good, "qop=auth", "qop=auth-int")), Reason::unsupported_qop);
  EXPECT_EQ(reason(replaced(good, "algorithm=MD5", "algorithm=SHA-512-256")), Reason::unsupported_algorithm);
  EXPECT_EQ(reason(replaced(good, "algorithm=MD5", "algorithm=ROT13")), Reason::unsupported_algorithm);
  EXPECT_EQ(reason(replaced(good, "qop=auth", "userhash=true, qop=auth")), Reason::unknown_user);
  policy.require_qop = true;
  Answer old = answer(fresh);
  old.qop = false;
  EXPECT_EQ(reason(line(old, "secret")), Reason::unsupported_qop);
}

TEST_F(Authenticate, calls_a_missing_or_broken_parameter_malformed) {
  const std::string fresh = nonce();
  const std::string good = line(answer(fresh), "secret");
  for (const std::string_view parameter : {"nc=00000001", "nc=0000001", "nc=0000000g", "nc=00000000"}) {
    const std::string broken = parameter == "nc=00000001" ? replaced(good, ", nc=00000001", "")
                                                          : replaced(good, "nc=00000001", parameter);
    EXPECT_EQ(verdict(broken).decision, Decision::malformed) << broken;
  }
  EXPECT_EQ(reason(replaced(good, ", cnonce=\"cafe\"", "")), Reason::malformed);
  EXPECT_EQ(reason(replaced(good, ", uri=\"sip:example.com\"", "")), Reason::malformed);
  EXPECT_EQ(reason(replaced(good, "username=\"101\"", "username=\"\"")), Reason::malformed);
  EXPECT_EQ(reason(replaced(good, "realm=", "username=\"x\", realm=")), Reason::malformed);  // twice
  EXPECT_EQ(reason("Authorization: Digest \"\r\n"), Reason::malformed);
}

TEST_F(Authenticate, refuses_a_response_of_another_length) {
  const std::string fresh = nonce();
  EXPECT_EQ(reason(replaced(line(answer(fresh), "secret"), "response=\"", "response=\"0")),
            Reason::wrong_password);
  EXPECT_EQ(reason(replaced(line(answer(fresh), "secret"), "response=\"", "response=\"\", x=\"")),
            Reason::malformed);
}

TEST_F(Authenticate, undoes_escapes_in_names) {
  const std::string fresh = nonce();
  Answer quoted = answer(fresh);
  quoted.username = "a\"b";
  const Verdict accepted = verdict(line(quoted, "quote"));
  EXPECT_EQ(accepted.decision, Decision::accepted);
  EXPECT_EQ(accepted.username, "a\"b");
  policy.realm = "the \"lab\"";
  rebuild();
  Answer lab = answer(fresh);
  lab.realm = "the \\\"lab\\\"";
  lab.nc = 2;
  EXPECT_EQ(reason(line(lab, "secret")), Reason::accepted);
}

TEST_F(Authenticate, remembers_what_the_request_hashes_to_without_mixing_requests_up) {
  const std::string fresh = nonce();
  for (std::uint32_t nc = 1; nc <= 60; ++nc) {
    const std::string uri = "sip:host" + std::to_string(nc % 20) + ".example.com";
    Answer a = answer(fresh);
    a.nc = nc;
    a.uri = uri;
    ASSERT_EQ(verdict(line(a, "secret"), uri).reason, Reason::accepted) << nc;
    ASSERT_NE(verdict(line(a, "secret"), uri).reason, Reason::accepted) << nc;
  }
}

TEST_F(Authenticate, writes_one_challenge_an_algorithm_in_order) {
  char text[1024];
  Writer out(text, sizeof text);
  write_challenges(out, policy, false, "abc", false);
  EXPECT_EQ(
      out.text(),
      "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"abc\", algorithm=MD5, qop=\"auth\"\r\n"
      "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"abc\", algorithm=SHA-256, qop=\"auth\"\r\n"
      "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"abc\", algorithm=MD5-sess, qop=\"auth\"\r\n");
  Writer proxy(text, sizeof text);
  policy.realm = "a\"b";
  policy.algorithms = {Algorithm::md5};
  policy.qop = false;
  write_challenges(proxy, policy, true, "abc", true);
  EXPECT_EQ(proxy.text(),
            "Proxy-Authenticate: Digest realm=\"a\\\"b\", nonce=\"abc\", algorithm=MD5, stale=true\r\n");
}

TEST(Policy, lists_an_algorithm_once) {
  AlgorithmList list{Algorithm::md5, Algorithm::sha256, Algorithm::md5};
  EXPECT_EQ(list.size(), 2u);
  EXPECT_FALSE(list.add(Algorithm::sha256));
  EXPECT_TRUE(list.add(Algorithm::sha512_256));
  EXPECT_THAT(std::vector(list.begin(), list.end()),
              testing::ElementsAre(Algorithm::md5, Algorithm::sha256, Algorithm::sha512_256));
}

TEST(Reason, has_a_name_for_every_value) {
  EXPECT_EQ(to_string(Reason::accepted), "accepted");
  EXPECT_EQ(to_string(Reason::unsupported_qop), "unsupported_qop");
  EXPECT_EQ(to_string(Reason::uri_mismatch), "uri_mismatch");
  EXPECT_EQ(to_string(Reason::replayed), "replayed");
}

}  // namespace
}  // namespace ringweir::auth
