// The parts of a call's requests that are the same but for their fields.
#include "message.h"

namespace ringweir::load {

std::string call_id_of(std::uint64_t seed, std::uint64_t token) {
  return hex8(seed) + "-" + hex8(token >> 32) + hex8(token) + "@phone";
}

Template& Template::call_via(const Common& common) {
  text(" SIP/2.0\r\nVia: SIP/2.0/UDP ").text(common.local).text(";branch=").text(kBranchCookie);
  return field(Kind::token, kTokenDigits).field(Kind::letter, 1).text(";rport\r\nMax-Forwards: 70\r\n");
}

Template& Template::call_identity(const Common& common, std::string_view method) {
  text("From: <sip:").field(Kind::user, common.user_digits).text("@").text(common.domain);
  text(">;tag=").field(Kind::token, kTokenDigits).text("\r\nCall-ID: ").text(hex8(common.seed)).text("-");
  field(Kind::token, kTokenDigits).text("@phone\r\nCSeq: ").field(Kind::cseq, 10);
  return text(" ").text(method).text("\r\n");
}

Template Template::invite(const Common& common, const std::string& host) {
  Template made;
  made.text("INVITE sip:").field(Kind::callee, common.user_digits).text("@").text(host).call_via(common);
  made.text("To: <sip:").field(Kind::callee, common.user_digits).text("@").text(host).text(">\r\n");
  made.call_identity(common, "INVITE");
  made.text("Contact: <sip:").field(Kind::user, common.user_digits).text("@").text(common.local);
  made.text(">\r\n");
  return made;
}

Template Template::dialog_hop(const Common& common) {
  Template made;
  made.call_via(common);
  return made;
}

Template Template::dialog_identity(const Common& common, std::string_view method) {
  Template made;
  made.call_identity(common, method);
  return made;
}

}  // namespace ringweir::load
