#include "ringweir/auth/authenticate.h"
#include "ringweir/auth/digest.h"

namespace ringweir::auth {

void write_challenges(Writer& out, const Policy& policy, bool proxy, std::string_view nonce,
                      bool stale) noexcept {
  for (const Algorithm algorithm : policy.algorithms) {
    out.put(proxy ? "Proxy-Authenticate: Digest realm=\"" : "WWW-Authenticate: Digest realm=\"");
    put_escaped(out, policy.realm);
    out.put("\", nonce=\"");
    out.put(nonce);
    out.put("\", algorithm=");  // MD5 too: phones that know several look for the name
    out.put(to_string(algorithm));
    if (policy.qop) out.put(", qop=\"auth\"");
    if (stale) out.put(", stale=true");
    out.put("\r\n");
  }
}

}  // namespace ringweir::auth
