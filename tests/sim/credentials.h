// The digest line that a phone of the simulation sends.
#pragma once
#include <array>
#include <string>

#include "ringweir/auth/digest.h"
#include "ringweir/base/writer.h"

namespace ringweir::sim {

struct Login {
  std::string user, realm, password, nonce;
  std::string method, uri;
  std::uint32_t nc = 1;
  bool qop = true, proxy = false;
};

// With its CRLF.
inline std::string credentials_line(const Login& login) {
  auth::Answer answer;
  answer.username = login.user;
  answer.realm = login.realm;
  answer.nonce = login.nonce;
  answer.method = login.method;
  answer.uri = login.uri;
  answer.qop = login.qop;
  answer.nc = login.nc;
  answer.cnonce = "c0ffee";
  std::array<char, 1024> space;
  Writer out(space.data(), space.size());
  auth::write_authorization(out, login.proxy, answer, auth::ha1(auth::HashKind::md5, login.user, login.realm, login.password));
  return std::string{out.text()};
}

}  // namespace ringweir::sim
