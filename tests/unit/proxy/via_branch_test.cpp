#include "ringweir/proxy/via_branch.h"

#include <array>

#include "ringweir/base/random.h"
#include "ringweir/sip/respond.h"
#include "unit/proxy/forwarding_rig.h"

namespace ringweir::proxy {
namespace {

constexpr Key128 kKey{11, 12};

TEST(ViaBranch, a_stateful_branch_reads_back) {
  Random random(1);
  for (int i = 0; i < 1000; ++i) {
    const StatefulBranch branch{
        static_cast<std::uint32_t>(random.next()), static_cast<std::uint32_t>(random.next()),
        static_cast<std::uint8_t>(random.next()), static_cast<std::uint32_t>(random.next()), random.next()};
    std::array<char, kBranchCharsMax> buffer;
    const std::string_view text = write_branch(branch, buffer.data());
    EXPECT_EQ(text.size(), kStatefulBranchChars);
    EXPECT_EQ(kind_of(text), BranchKind::stateful);
    EXPECT_EQ(parse_stateful_branch(text), branch);
    EXPECT_EQ(loop_hash_in(text), branch.loop);
    EXPECT_FALSE(parse_stateless_branch(text));
  }
}

TEST(ViaBranch, anothers_branch_is_foreign) {
  for (const std::string_view text : {"", "z9hG4bK", "z9hG4bKf", "1", "z9hG4bKfAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                      "z9hG4bKfAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "z9hG4bKlAAAAAAAAAAAAAAA"}) {
    EXPECT_EQ(kind_of(text), BranchKind::foreign) << text;
    EXPECT_FALSE(loop_hash_in(text));
  }
  EXPECT_EQ(kind_of("z9hG4bKfAAAAAAAAAAAAAAAAAAAAAAAAAA+A"), BranchKind::stateful);
  EXPECT_FALSE(parse_stateful_branch("z9hG4bKfAAAAAAAAAAAAAAAAAAAAAAAAAA+A"));
  EXPECT_FALSE(parse_stateless_branch("z9hG4bKlAAAAAAAAAAAAAAA="));
}

// A request as we forward it without state, and the response that comes back to it.
struct Passage {
  explicit Passage(const Parts& parts, std::string_view peer = "198.51.100.7:4711") : in(parts.text()) {
    const Endpoint source = *parse_endpoint(peer);
    back = sip::response_target(in.read.via, source);
    const std::uint32_t loop = loop_hash(KeyedHash({1, 2}), in.message, in.read);
    branch = write_branch(stateless_branch(kKey, in.message, in.read, back, loop), buffer.data());
    const std::string via = "SIP/2.0/UDP example.com;branch=" + std::string(branch);
    sip::RequestEdits edits;
    edits.via = via;
    edits.source = source;
    std::string text(2048, '\0');
    Writer out(text.data(), text.size());
    sip::write_request(out, in.message, in.read, edits);
    sent = out.text();
  }
  // What the callee answers: the Vias, From, To, Call-ID, CSeq of what it got.
  std::string response() const {
    const Received got(sent);
    std::string text(2048, '\0');
    Writer out(text.data(), text.size());
    sip::begin_response(out, got.message, 200, "OK", "callee", *parse_endpoint("192.0.2.1:5060"));
    sip::end_message(out);
    return std::string(out.text());
  }
  Received in;
  Endpoint back;
  std::array<char, kBranchCharsMax> buffer;
  std::string_view branch;
  std::string sent;
};

// Where a response may go; nullopt when it is not an answer to what we forwarded.
std::optional<Endpoint> way_back(const std::string& response) {
  const Received got(response);
  const auto below = sip::via_below(got.message, got.read);
  const auto back = below ? sip::response_destination(*below) : std::nullopt;
  if (!back || !verify_stateless_branch(kKey, got.read.via.branch, got.message, got.read, *below, *back)) {
    return std::nullopt;
  }
  return back;
}

TEST(ViaBranch, a_response_goes_back_by_a_stateless_branch) {
  const Passage with_rport({.vias = "Via: SIP/2.0/UDP 10.0.0.5:5070;rport;branch=z9hG4bKabc\r\n"});
  EXPECT_EQ(way_back(with_rport.response()), parse_endpoint("198.51.100.7:4711"));
  const Passage without({.vias = "Via: SIP/2.0/UDP pc33.example.org:5070;branch=z9hG4bKabc\r\n"});
  EXPECT_EQ(way_back(without.response()), parse_endpoint("198.51.100.7:5070"));
  const Passage same({.vias = "Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bKabc\r\n"});
  EXPECT_EQ(way_back(same.response()), parse_endpoint("198.51.100.7:5060"));
  const Passage old({.vias = "Via: SIP/2.0/UDP 198.51.100.7:5066;branch=1\r\n"});
  EXPECT_EQ(way_back(old.response()), parse_endpoint("198.51.100.7:5066"));
  const Passage v6({.vias = "Via: SIP/2.0/UDP [2001:DB8:0::7]:5066;branch=z9hG4bK1\r\n"}, "[2001:db8::7]:9");
  EXPECT_EQ(way_back(v6.response()), parse_endpoint("[2001:db8::7]:5066"));
  const Passage lying({.vias = "Via: SIP/2.0/UDP 1.1.1.1;received=2.2.2.2;rport=3;branch=z9hG4bKabc\r\n"});
  EXPECT_EQ(way_back(lying.response()), parse_endpoint("198.51.100.7:4711"));
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, text.npos) << what;
  return text.replace(at, what.size(), by);
}

TEST(ViaBranch, a_response_that_was_changed_goes_nowhere) {
  const Passage passage({.vias = "Via: SIP/2.0/UDP 10.0.0.5:5070;rport;branch=z9hG4bKabc\r\n"});
  const std::string good = passage.response();
  ASSERT_TRUE(way_back(good));
  EXPECT_FALSE(way_back(replaced(good, "received=198.51.100.7", "received=203.0.113.1")));
  EXPECT_FALSE(way_back(replaced(good, "rport=4711", "rport=4712")));
  EXPECT_FALSE(way_back(replaced(good, "branch=z9hG4bKabc", "branch=z9hG4bKabd")));
  EXPECT_FALSE(way_back(replaced(good, "Call-ID: a@b", "Call-ID: a@c")));
  EXPECT_FALSE(way_back(replaced(good, "CSeq: 2", "CSeq: 3")));
  const std::string mine(passage.branch);
  for (std::size_t i = 8; i < mine.size(); ++i) {
    std::string forged = mine;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(way_back(replaced(good, mine, forged)));
  }
}

TEST(ViaBranch, what_belongs_to_one_transaction_gets_one_stateless_branch) {
  const std::string vias = "Via: SIP/2.0/UDP 10.0.0.5:5070;rport;branch=z9hG4bKabc\r\n";
  for (const std::string& via : {vias, std::string("Via: SIP/2.0/UDP 10.0.0.5:5070\r\n")}) {
    const Passage invite({.vias = via});
    const Passage again({.vias = via, .more = "Max-Forwards: 70\r\n"});
    const Passage cancel({.method = "CANCEL", .vias = via});
    const Passage ack({.method = "ACK", .vias = via, .to = "<sip:101@example.com>;tag=callee"});
    EXPECT_EQ(invite.branch, again.branch);
    EXPECT_EQ(invite.branch, cancel.branch);
    EXPECT_EQ(invite.branch, ack.branch);
    EXPECT_NE(invite.branch, Passage({.vias = via, .cseq = "3"}).branch);
    EXPECT_NE(invite.branch, Passage({.uri = "sip:102@example.com", .vias = via}).branch);
    EXPECT_NE(invite.branch, Passage({.vias = via, .call_id = "c"}).branch);
  }
  EXPECT_NE(Passage({.vias = vias}).branch, Passage({.vias = replaced(vias, "abc", "abd")}).branch);
  EXPECT_NE(Passage({.vias = "Via: SIP/2.0/UDP h\r\n"}).branch,
            Passage({.vias = "Via: SIP/2.0/UDP h\r\n", .from_tag = "2"}).branch);
}

TEST(ViaBranch, long_names_are_signed_whole) {
  const std::string call_id(250, 'c');
  const Passage passage(
      {.vias = "Via: SIP/2.0/UDP 10.0.0.5;rport;branch=z9hG4bK" + std::string(1000, 'b') + "\r\n",
       .call_id = call_id});
  const std::string good = passage.response();
  EXPECT_TRUE(way_back(good));
  EXPECT_FALSE(way_back(replaced(good, call_id, call_id.substr(1) + "d")));
  EXPECT_FALSE(way_back(replaced(good, "bbbb;received", "bbba;received")));
}

}  // namespace
}  // namespace ringweir::proxy
