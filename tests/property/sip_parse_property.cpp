// Properties of the parser: its two forms agree, and what was generated is what is read.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "ringweir/sip/essentials.h"
#include "ringweir/sip/cseq.h"
#include "ringweir/sip/message.h"
#include "ringweir/sip/name_addr.h"
#include "ringweir/sip/respond.h"
#include "ringweir/sip/scan.h"
#include "ringweir/sip/via.h"
#include "sip/marks.h"

namespace ringweir::sip {
namespace {

// Octets in a block of their own, exactly as long: a sanitizer then sees any read outside.
class Exact {
 public:
  explicit Exact(const std::string& text) : size_(text.size()), bytes_(new char[text.size()]) {
    std::copy(text.begin(), text.end(), bytes_.get());
  }
  operator std::string_view() const { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

// Pieces of which messages, good and bad, are made.
rc::Gen<std::string> fragment() {
  return rc::gen::oneOf(rc::gen::elementOf(std::vector<std::string>{"\r\n",
                                                                    "\n",
                                                                    "\r",
                                                                    "\r\n\r\n",
                                                                    "\n\n",
                                                                    ":",
                                                                    " ",
                                                                    "\t",
                                                                    "\r\n ",
                                                                    "Call-ID",
                                                                    "call-id: ",
                                                                    "i",
                                                                    "I :",
                                                                    "c",
                                                                    "C",
                                                                    "Contact: x",
                                                                    "OPTIONS sip:a SIP/2.0\r\n",
                                                                    "SIP/2.0 200 OK\r\n",
                                                                    "Via: SIP/2.0/UDP h;rport",
                                                                    "l: 3",
                                                                    "Content-Length: 0",
                                                                    "\"",
                                                                    "\\",
                                                                    std::string(1, '\0'),
                                                                    "\x7f",
                                                                    "\\\x01",
                                                                    "REGISTER sip:x",
                                                                    "abcdefgh"}),
                        rc::gen::container<std::string>(rc::gen::arbitrary<char>()),
                        rc::gen::map(rc::gen::inRange(0, 70),
                                     [](int n) { return std::string(static_cast<std::size_t>(n), 'x'); }));
}
rc::Gen<std::string> soup() {
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(fragment()),
                      [](const std::vector<std::string>& parts) {
                        std::string text;
                        for (const std::string& part : parts) text += part;
                        return text;
                      });
}
rc::Gen<std::string> message_like() {
  return rc::gen::map(soup(), [](const std::string& text) { return "OPTIONS sip:a SIP/2.0\r\n" + text; });
}
rc::Gen<std::string> anything() {
  return rc::gen::oneOf(soup(), message_like());
}

void expect_glimpses_agree(const std::string& text) {
  if (!detail::has_avx2()) RC_DISCARD("no AVX2 here");
  const Exact exact(text);
  const Glimpse a = detail::glimpse_portable(exact), b = detail::glimpse_avx2(exact);
  RC_ASSERT(a.glance == b.glance);
  RC_ASSERT(a.call_id == b.call_id);
}

RC_GTEST_PROP(SipProperty, BothFormsOfGlimpseAgree, ()) {
  expect_glimpses_agree(*anything());
}

RC_GTEST_PROP(SipProperty, BothFormsOfMarkAgree, ()) {
  if (!detail::has_avx2()) RC_DISCARD("no AVX2 here");
  const std::string text = *anything();
  const Exact exact(text);
  std::string_view left = exact;
  detail::MarkCarry carry_a, carry_b;
  while (!left.empty()) {
    detail::Marks a, b;
    detail::mark_portable(left.data(), left.size(), carry_a, a);
    detail::mark_avx2(left.data(), left.size(), carry_b, b);
    const std::size_t size = std::min(left.size(), detail::kMarkWindow);
    for (std::size_t block = 0; block < (size + 63) / 64; ++block) {
      RC_ASSERT(a.ends_and_colons[block] == b.ends_and_colons[block]);
      RC_ASSERT(a.odd[block] == b.odd[block]);
    }
    RC_ASSERT(a.any_odd == b.any_odd);
    std::uint32_t listed_a[detail::kMarkWindow], listed_b[detail::kMarkWindow];
    const std::uint32_t count = detail::list_portable(a, (size + 63) / 64, 7, listed_a);
    RC_ASSERT(count == detail::list_avx2(b, (size + 63) / 64, 7, listed_b));
    RC_ASSERT(std::equal(listed_a, listed_a + count, listed_b));
    left.remove_prefix(size);
  }
}

#if defined(__x86_64__)
RC_GTEST_PROP(SipProperty, TheWideFormOfMarkAgrees, ()) {
  if (!detail::has_avx512()) RC_DISCARD("no AVX-512 here");
  const std::string text = *anything();
  const Exact exact(text);
  std::string_view left = exact;
  detail::MarkCarry carry_a, carry_b;
  while (!left.empty()) {
    detail::Marks a, b;
    detail::mark_portable(left.data(), left.size(), carry_a, a);
    detail::mark_avx512(left.data(), left.size(), carry_b, b);
    const std::size_t size = std::min(left.size(), detail::kMarkWindow);
    for (std::size_t block = 0; block < (size + 63) / 64; ++block) {
      RC_ASSERT(a.ends_and_colons[block] == b.ends_and_colons[block]);
      RC_ASSERT(a.odd[block] == b.odd[block]);
    }
    RC_ASSERT(a.any_odd == b.any_odd);
    left.remove_prefix(size);
  }
}
#endif

// The masks say what a walk octet by octet says.
RC_GTEST_PROP(SipProperty, MarksAreLineEndsAndFirstColons, ()) {
  const std::string text = *anything();
  detail::MarkCarry carry;
  detail::Marks marks;
  bool colon_seen = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % detail::kMarkWindow == 0) detail::mark(text.data() + i, text.size() - i, carry, marks);
    const bool expected = text[i] == '\n' || (text[i] == ':' && !colon_seen);
    const std::size_t at = i % detail::kMarkWindow;
    RC_ASSERT((marks.ends_and_colons[at / 64] >> (at % 64) & 1) == (expected ? 1u : 0u));
    if (text[i] == ':') colon_seen = true;
    if (text[i] == '\n') colon_seen = false;
  }
}

RC_GTEST_PROP(SipProperty, GlimpseAndParseFindTheSameCallId, ()) {
  const Exact text(*message_like());
  Message message;
  if (parse(text, Framing::datagram, message).completeness != Completeness::complete) return;
  const Glimpse g = glimpse(text);
  RC_ASSERT(g.call_id == message.value(HeaderId::call_id));
}

RC_GTEST_PROP(SipProperty, AStreamInPartsIsTheStreamWhole, ()) {
  const std::string text = *anything();
  Message message;
  const Parsed whole = parse(Exact(text), Framing::stream, message);
  for (std::size_t size = 0; size < text.size(); ++size) {
    const Exact prefix(text.substr(0, size));
    const Parsed part = parse(prefix, Framing::stream, message);
    if (part.completeness == Completeness::partial) continue;
    RC_ASSERT(part.completeness == whole.completeness);
    RC_ASSERT(part.error.fault == whole.error.fault);
    RC_ASSERT(part.error.offset == whole.error.offset);
    RC_ASSERT(part.consumed == whole.consumed);
    return;
  }
}

rc::Gen<std::string> token() {
  return rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::elementOf(
      std::string("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~"))));
}
rc::Gen<std::string> quoted() {
  return rc::gen::map(rc::gen::container<std::string>(rc::gen::inRange<char>(0x20, 0x7e)),
                      [](const std::string& text) {
                        std::string out = "\"";
                        for (char c : text) {
                          if (c == '"' || c == '\\') out += '\\';
                          out += c;
                        }
                        return out + "\"";
                      });
}
// LWS of any kind, folds included
rc::Gen<std::string> blank() {
  return rc::gen::elementOf(std::vector<std::string>{"", " ", "\t", "  ", "\r\n ", " \r\n\t "});
}

RC_GTEST_PROP(SipProperty, AGeneratedMessageIsReadAsItWasMeant, ()) {
  const std::string method = *token(), call_id = *token(), from_tag = *token(), branch = *token(),
                    display = *quoted();
  const std::string user = *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange('a', 'z')));
  const std::uint32_t number = *rc::gen::inRange<std::uint32_t>(0, 0x7fffffff);
  const std::string body = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  const auto unknown = *rc::gen::container<std::vector<std::string>>(token());
  const std::string w = *blank();
  std::string text = method + " sip:" + user + "@example.com SIP/2.0\r\n";
  text +=
      "vIa  :" + w + "SIP/2.0/UDP" + w + " h" + w + ";" + w + "branch" + w + "=" + w + branch + w + "\r\n";
  text += "From:" + w + display + w + "<sip:" + user + "@h>" + w + ";tag=" + from_tag + "\r\n";
  text += "t: <sip:" + user + "@h>\r\ni:" + w + call_id + w + "\r\n";
  std::size_t extra = 0;
  for (const std::string& name : unknown) {
    if (parse_header_name(name) != HeaderId::other || extra == 100) continue;
    text += name + ":" + w + name + "\r\n";
    ++extra;
  }
  text += "CSEQ: " + std::to_string(number) + w + " " + method + "\r\nl: " + std::to_string(body.size()) +
          "\r\n\r\n" + body;

  const Exact exact(text + "next");
  Message m;
  const Parsed parsed = parse(exact, Framing::stream, m);
  RC_ASSERT(parsed.completeness == Completeness::complete);
  RC_ASSERT(parsed.consumed == text.size());
  RC_ASSERT(validate_request(m).fault == Fault::none);
  RC_ASSERT(m.method_text() == method);
  RC_ASSERT(m.body() == body);
  RC_ASSERT(m.header_count() == 6 + extra);
  RC_ASSERT(m.value(HeaderId::call_id) == call_id);
  std::string_view rest;
  RC_ASSERT(parse_via(m.value(HeaderId::via), rest)->branch == branch);
  const auto from = parse_name_addr(m.value(HeaderId::from), rest);
  RC_ASSERT(from->display == display);
  RC_ASSERT(parse_uri(from->uri)->user == user);
  RC_ASSERT(tag(*from) == from_tag);
  RC_ASSERT(parse_cseq(m.value(HeaderId::cseq))->number == number);

  char buffer[65536];
  Writer out(buffer, sizeof buffer);
  begin_response(out, m, 200, "OK", "mine", Endpoint{IpAddress::v4(10, 0, 0, 1), 5060});
  end_message(out);
  RC_ASSERT(out.ok());
  Message answer;
  RC_ASSERT(parse(out.text(), Framing::stream, answer).completeness == Completeness::complete);
  RC_ASSERT(validate_response(answer).fault == Fault::none);
  RC_ASSERT(parse_via(answer.value(HeaderId::via), rest)->branch == branch);
  RC_ASSERT(parse_via(answer.value(HeaderId::via), rest)->received == "10.0.0.1");
}

RC_GTEST_PROP(SipProperty, UriEqualityIsReflexiveAndSymmetric, ()) {
  auto uri_text =
      rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(
                       std::vector<std::string>{";lr", ";LR", ";transport=udp", ";transport=tcp", ";x=1",
                                                ";x=2", ";%78=1", ";maddr=h", ";ttl=1", ";user=phone"})),
                   [](const std::vector<std::string>& parts) {
                     std::string text = "sip:%61b@h";
                     for (std::size_t i = 0; i < parts.size() && i < 8; ++i) text += parts[i];
                     return text;
                   });
  const std::string a_text = *uri_text, b_text = *uri_text;
  const auto a = parse_uri(a_text), b = parse_uri(b_text);
  RC_ASSERT(a && b);
  RC_ASSERT(equal(*a, *a));
  RC_ASSERT(equal(*a, *b) == equal(*b, *a));
}

}  // namespace
}  // namespace ringweir::sip
