// authenticate() over any Authorization value, with a real nonce and a right response put where the input
// says so. Nothing but a right response to a live nonce may be accepted, and each only once.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "ringweir/auth/authenticate.h"
#include "ringweir/auth/digest.h"

namespace {

using namespace ringweir;
using namespace ringweir::auth;

constexpr WallMs kNow = 1'760'000'000'000;

struct World {
  Policy policy{.realm = "example.com",
                .algorithms = {Algorithm::md5, Algorithm::sha256_sess, Algorithm::sha512_256}};
  std::shared_ptr<const Credentials> users;
  NonceMint mint{{1, 2}, 0, 1, kNow};
  NonceWindow window{1, 4096};
  Scratch scratch;
  sip::Message message;
  World() {
    CredentialsBuilder builder(policy.realm, policy.algorithms, {3, 4});
    if (builder.add_password("101", "secret")) std::abort();
    users = std::move(builder).build();
  }
};

// '@' stands for a fresh right answer's parameters, '!' for a fresh nonce.
std::string expand(std::string_view input, World& world) {
  std::string text;
  for (const char c : input.substr(0, 2000)) {
    if (c != '@' && c != '!') {
      text += c;
      continue;
    }
    char nonce[kNonceChars];
    world.mint.mint(kNow, nonce);
    const std::string_view nonce_text{nonce, sizeof nonce};
    if (c == '!') {
      text += nonce_text;
      continue;
    }
    char line[512];
    Writer out(line, sizeof line);
    const Answer answer{"101",          "example.com", nonce_text, "", "REGISTER", "sip:example.com",
                        Algorithm::md5, true,          1,          "c"};
    write_authorization(out, false, answer, ha1(HashKind::md5, "101", "example.com", "secret"));
    text += out.text().substr(22, out.size() - 24);  // behind "Authorization: Digest ", before the CRLF
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string bytes =
      "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: "
      "<sip:101@example.com>;tag=1\r\n"
      "To: <sip:101@example.com>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\nAuthorization: Digest " +
      expand(input, world) + "\r\nContent-Length: 0\r\n\r\n";
  if (sip::parse(bytes, sip::Framing::datagram, world.message).completeness != sip::Completeness::complete)
    return 0;
  const auto verdict = [&] {
    return authenticate(world.policy, *world.users, world.mint, world.window, world.message, false, kNow,
                        world.scratch);
  };
  const Verdict first = verdict();
  if (first.decision == Decision::accepted) {
    if (input.find('@') == input.npos || first.username != "101") std::abort();
    if (verdict().decision == Decision::accepted) std::abort();
  }
  return 0;
}
