#include "message.h"

#include <cstring>

namespace ringweir::load {
namespace {

void put_hex(std::uint64_t value, char* to, std::size_t width) noexcept {
  for (std::size_t i = width; i-- > 0; value >>= 4) to[i] = "0123456789abcdef"[value & 15];
}

void put_decimal(std::uint64_t value, char* to, std::size_t width) noexcept {
  for (std::size_t i = width; i-- > 0; value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::string hex8(std::uint64_t value) {
  std::string text(8, '0');
  put_hex(value, text.data(), text.size());
  return text;
}

std::string_view cnonce_of(std::uint64_t token, char (&text)[8]) noexcept {
  put_hex(token * 0x9e3779b97f4a7c15u >> 32, text, 8);
  return {text, 8};
}

std::string_view nonce_count_of(std::uint32_t nc, char (&text)[8]) noexcept {
  put_hex(nc, text, 8);
  return {text, 8};
}

Template& Template::text(std::string_view piece) {
  text_ += piece;
  return *this;
}

Template& Template::field(Kind kind, std::size_t width) {
  fields_.push_back({kind, static_cast<std::uint16_t>(text_.size()), static_cast<std::uint16_t>(width)});
  text_.append(width, '0');
  return *this;
}

// Everything up to From's end is the same in all requests; the order is that of the phones seen in captures.
Template& Template::start(const Common& common, std::string_view method, std::string_view uri) {
  text(method).text(" ").text(uri).text(" SIP/2.0\r\nVia: SIP/2.0/UDP ").text(common.local).text(";branch=");
  text(kBranchCookie).field(Kind::token, kTokenDigits).text(";rport\r\nMax-Forwards: 70\r\n");
  text("From: <sip:").field(Kind::user, common.user_digits).text("@").text(common.domain);
  return text(">;tag=").field(Kind::token, kTokenDigits).text("\r\n");
}

Template& Template::phone() {
  return text(
      "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO\r\n"
      "User-Agent: ringweir-load\r\n");
}

Template& Template::registration(const Common& common) {
  start(common, "REGISTER", "sip:" + common.domain);
  text("To: <sip:").field(Kind::user, common.user_digits).text("@").text(common.domain).text(">\r\n");
  // A phone keeps its Call-ID for all its registrations (RFC 3261 10.2.4), which count up in CSeq.
  text("Call-ID: ")
      .text(hex8(common.seed))
      .text("-")
      .field(Kind::user, common.user_digits)
      .text("@phone\r\n");
  text("CSeq: ").field(Kind::cseq, 10).text(" REGISTER\r\n");
  text("Contact: <sip:").field(Kind::user, common.user_digits).text("@").text(common.local).text(">\r\n");
  return text("Expires: ").text(std::to_string(common.expires_s)).text("\r\n");
}

Template Template::options(const Common& common) {
  Template made;
  made.start(common, "OPTIONS", "sip:" + common.target);
  made.text("To: <sip:").text(common.target).text(">\r\nCall-ID: ").text(hex8(common.seed)).text("-");
  made.field(Kind::token, kTokenDigits).text("@phone\r\nCSeq: ").field(Kind::cseq, 10).text(" OPTIONS\r\n");
  made.text("Contact: <sip:")
      .field(Kind::user, common.user_digits)
      .text("@")
      .text(common.local)
      .text(">\r\n");
  made.text("Accept: application/sdp\r\n").phone().text("Content-Length: 0\r\n\r\n");
  return made;
}

Template Template::register_(const Common& common) {
  Template made;
  made.registration(common).phone().text("Content-Length: 0\r\n\r\n");
  return made;
}

Template Template::authorised(const Common& common, const ChallengeShape& shape) {
  Template made;
  made.registration(common).text(shape.proxy ? "Proxy-Authorization" : "Authorization");
  made.text(": Digest username=\"")
      .field(Kind::user, common.user_digits)
      .text("\",realm=\"")
      .text(shape.realm);
  made.text("\",nonce=\"").field(Kind::nonce, shape.nonce_bytes).text("\",uri=\"sip:").text(common.domain);
  made.text("\",response=\"").field(Kind::response, 32).text("\",algorithm=MD5");
  if (shape.qop_auth) {
    made.text(",cnonce=\"").field(Kind::cnonce, 8).text("\",qop=auth,nc=").field(Kind::nc, 8);
  }
  if (!shape.opaque.empty()) made.text(",opaque=\"").text(shape.opaque).text("\"");
  made.text("\r\n").phone().text("Content-Length: 0\r\n\r\n");
  return made;
}

void Template::render(const Values& values, char* to) const noexcept {
  std::memcpy(to, text_.data(), text_.size());
  char eight[8];
  for (const Field& field : fields_) {
    char* const at = to + field.at;
    switch (field.kind) {
      case Kind::token: put_hex(values.token, at, field.width); break;
      case Kind::user: put_decimal(values.user, at, field.width); break;
      case Kind::callee: put_decimal(values.callee, at, field.width); break;
      case Kind::letter: *at = values.letter; break;
      case Kind::cseq: put_decimal(values.cseq, at, field.width); break;
      case Kind::nc: put_hex(values.nc, at, field.width); break;
      case Kind::cnonce: std::memcpy(at, cnonce_of(values.token, eight).data(), 8); break;
      case Kind::nonce: std::memcpy(at, values.nonce.data(), field.width); break;
      case Kind::response: std::memcpy(at, values.response.data(), 32); break;
    }
  }
}

}  // namespace ringweir::load
