#include "ringweir/control/trace_view.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace ringweir::control {
namespace {

using shard::Direction;

constexpr std::int64_t kNoonUs = 1'700'049'600'000'000;  // 2023-11-15 12:00:00 UTC

shard::TraceEntry entry(std::int64_t at_us, Direction direction, std::string text) {
  shard::TraceEntry out;
  out.wall_us = kNoonUs + at_us;
  out.direction = direction;
  out.peer = *parse_endpoint("192.0.2.7:5062");
  out.local = *parse_endpoint("192.0.2.10:5060");
  out.text = std::move(text);
  return out;
}

std::string message(const std::string& start, int cseq, const std::string& more = {}) {
  return start + "\r\nVia: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK-" + std::to_string(cseq) +
         "\r\nFrom: <sip:100@example.com>;tag=1\r\nTo: <sip:100@example.com>\r\nCall-ID: a84b4c76\r\nCSeq: " +
         std::to_string(cseq) + " REGISTER\r\n" + more + "Content-Length: 0\r\n\r\n";
}

std::vector<shard::TraceEntry> registration() {
  const std::string challenge = "WWW-Authenticate: Digest realm=\"example.com\",nonce=\"8f2cb1d0e5\",algorithm=MD5,qop=\"auth\"\r\n";
  const std::string answer =
      "Authorization: Digest username=\"100\",realm=\"example.com\",nonce=\"8f2cb1d0e5\",uri=\"sip:example.com\","
      "response=\"0\",cnonce=\"c\",qop=auth,nc=00000001\r\n";
  const std::string contact = "Contact: <sip:100@192.0.2.7:5062>\r\nExpires: 3600\r\n";
  return {entry(0, Direction::in, message("REGISTER sip:example.com SIP/2.0", 1, contact)),
          entry(321, Direction::out, message("SIP/2.0 401 Unauthorized", 1, challenge)),
          entry(20'000, Direction::in, message("REGISTER sip:example.com SIP/2.0", 2, contact + answer)),
          entry(520'000, Direction::in, message("REGISTER sip:example.com SIP/2.0", 2, contact + answer)),
          entry(520'250, Direction::out, message("SIP/2.0 200 OK", 2, "Contact: <sip:100@192.0.2.7:5062>;expires=3600\r\n"))};
}

TEST(TraceView, ALadderShowsTimesArrowsAndWhatIsWorthKnowing) {
  EXPECT_EQ(render_ladder("a84b4c76", registration(), {}),
            R"(Call-ID a84b4c76
from 100@example.com, shard 0, 5 messages

                            phone                                              edge
                        192.0.2.7:5062                                   192.0.2.10:5060
12:00:00.000000               |-- REGISTER sip:example.com -------------------->|  1 REGISTER  1 contact expires=3600
12:00:00.000321     +0.321 ms |<---------------------------- 401 Unauthorized --|  1 REGISTER  MD5 nonce=8f2cb1d0..
12:00:00.020000    +19.679 ms |-- REGISTER sip:example.com -------------------->|  2 REGISTER  user=100 nonce=8f2cb1d0.. nc=00000001 1 contact expires=3600
12:00:00.520000   +500.000 ms |-- REGISTER sip:example.com -------------------->|  2 REGISTER  user=100 nonce=8f2cb1d0.. nc=00000001 1 contact expires=3600  [retransmission 1]
12:00:00.520250     +0.250 ms |<-------------------------------------- 200 OK --|  2 REGISTER  1 contact expires=3600
)");
}

TEST(TraceView, ALadderSaysWhenTheOtherSideOrTheShardIsAnother) {
  auto entries = registration();
  entries[2].peer.port = 40'000;
  entries[4].shard = 3;
  const std::string ladder = render_ladder("a84b4c76", entries, {});
  EXPECT_NE(ladder.find("  [from 192.0.2.7:40000]\n"), std::string::npos);
  EXPECT_NE(ladder.find("  [shard 3]\n"), std::string::npos);
}

constexpr const char* kAlice = "192.0.2.7:5062";

shard::TraceEntry between_us_and(const char* peer, std::int64_t at_us, Direction direction, const std::string& start,
                                 const std::string& cseq, const std::string& branch, const std::string& to_tag = {}) {
  auto out = entry(at_us, direction,
                   start + "\r\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK" + branch + "\r\nFrom: <sip:100@example.com>;tag=1\r\nTo: " +
                       "<sip:101@example.com>" + (to_tag.empty() ? "" : ";tag=" + to_tag) + "\r\nCall-ID: c\r\nCSeq: " + cseq +
                       "\r\nContent-Length: 0\r\n\r\n");
  out.peer = *parse_endpoint(peer);
  return out;
}

TEST(TraceView, ACallHasALaneForTheCallerTheEdgeAndTheTarget) {
  const char* const bob = "198.51.100.9:40000";
  const std::vector entries{
      between_us_and(kAlice, 0, Direction::in, "INVITE sip:101@example.com SIP/2.0", "1 INVITE", "a"),
      between_us_and(kAlice, 80, Direction::out, "SIP/2.0 100 Trying", "1 INVITE", "a"),
      between_us_and(bob, 95, Direction::out, "INVITE sip:101@10.0.0.9:5060;ob SIP/2.0", "1 INVITE", "e"),
      between_us_and(bob, 500'095, Direction::out, "INVITE sip:101@10.0.0.9:5060;ob SIP/2.0", "1 INVITE", "e"),
      between_us_and(bob, 501'000, Direction::in, "SIP/2.0 200 OK", "1 INVITE", "e", "b"),
      between_us_and(kAlice, 501'040, Direction::out, "SIP/2.0 200 OK", "1 INVITE", "a", "b"),
      between_us_and(bob, 900'000, Direction::in, "BYE sip:100@192.0.2.7:5062 SIP/2.0", "7 BYE", "x", "b")};
  EXPECT_EQ(render_ladder("c", entries, {}), R"(Call-ID c
from 100@example.com, shard 0, 7 messages

                             100                               edge                              101
                        192.0.2.7:5062                   192.0.2.10:5060                  198.51.100.9:40000
12:00:00.000000               |-- INVITE sip:101@example.com -->|                                 |  1 INVITE
12:00:00.000080     +0.080 ms |<------------------ 100 Trying --|                                 |  1 INVITE
12:00:00.000095     +0.015 ms |                                 |-- INVITE sip:101@10.0.0.9:.. -->|  1 INVITE
12:00:00.500095   +500.000 ms |                                 |-- INVITE sip:101@10.0.0.9:.. -->|  1 INVITE  [retransmission 1]
12:00:00.501000     +0.905 ms |                                 |<---------------------- 200 OK --|  1 INVITE
12:00:00.501040     +0.040 ms |<---------------------- 200 OK --|                                 |  1 INVITE
12:00:00.900000   +398.960 ms |                                 |<-- BYE sip:100@192.0.2.7:5062 --|  7 BYE
)");
}

TEST(TraceView, ATargetIsNamedByItsUpstreamWhereThatIsKnown) {
  const std::vector entries{
      between_us_and(kAlice, 0, Direction::in, "INVITE sip:9@example.com SIP/2.0", "1 INVITE", "a"),
      between_us_and("203.0.113.1:5060", 1, Direction::out, "INVITE sip:9@example.com SIP/2.0", "1 INVITE", "b"),
      between_us_and("203.0.113.2:5060", 2, Direction::out, "INVITE sip:9@example.com SIP/2.0", "1 INVITE", "d")};
  const std::vector<PeerName> names{{*parse_endpoint("203.0.113.2:5060"), "pbx"}};
  EXPECT_EQ(render_ladder("c", entries, {}, names), R"(Call-ID c
from 100@example.com, shard 0, 3 messages

                             100                               edge                             target                             pbx
                        192.0.2.7:5062                   192.0.2.10:5060                   203.0.113.1:5060                  203.0.113.2:5060
12:00:00.000000               |-- INVITE sip:9@example.com ---->|                                 |                                 |  1 INVITE
12:00:00.000001     +0.001 ms |                                 |-- INVITE sip:9@example.com ---->|                                 |  1 INVITE
12:00:00.000002     +0.001 ms |                                 |-- INVITE sip:9@example.com -------------------------------------->|  1 INVITE
)");
}

TEST(TraceView, ForksHaveALaneEachAndTheRestShareTheLastWithinTwoHundredColumns) {
  std::vector entries{between_us_and(kAlice, 0, Direction::in, "INVITE sip:101@example.com SIP/2.0", "1 INVITE", "a")};
  for (int fork = 1; fork <= 6; ++fork) {
    const std::string peer = "198.51.100." + std::to_string(fork) + ":5060";
    entries.push_back(between_us_and(peer.c_str(), fork, Direction::out, "INVITE sip:101@" + peer + " SIP/2.0", "1 INVITE",
                                     "f" + std::to_string(fork)));
  }
  entries.push_back(between_us_and("198.51.100.2:5060", 7, Direction::in, "SIP/2.0 180 Ringing", "1 INVITE", "f2", "t2"));
  entries.push_back(between_us_and(kAlice, 8, Direction::out, "SIP/2.0 180 Ringing", "1 INVITE", "a", "t2"));
  entries.push_back(between_us_and("198.51.100.6:5060", 9, Direction::in, "SIP/2.0 180 Ringing", "1 INVITE", "f6", "t6"));
  entries.push_back(between_us_and(kAlice, 10, Direction::out, "SIP/2.0 180 Ringing", "1 INVITE", "a", "t6"));
  const std::string ladder = render_ladder("c", entries, {});
  EXPECT_NE(ladder.find(" 3 others\n"), std::string::npos) << ladder;
  EXPECT_NE(ladder.find("|  1 INVITE  [from 198.51.100.6:5060]\n"), std::string::npos) << ladder;
  EXPECT_NE(ladder.find("|<----------------------------------- 180 Ringing --|                         |"), std::string::npos) << ladder;
  std::istringstream lines(ladder);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 200u) << line;
  EXPECT_EQ(ladder.find("retransmission"), std::string::npos) << "two phones ring: neither answer repeats the other";
}

TEST(TraceView, ALadderOfNothingSaysSo) { EXPECT_EQ(render_ladder("x", {}, {}), "Call-ID x\nno messages\n"); }

TEST(TraceView, ColourAndBoxesOnlyWhenAsked) {
  const auto entries = registration();
  EXPECT_EQ(render_ladder("a", entries, {}).find('\x1b'), std::string::npos);
  const std::string painted = render_ladder("a", entries, {.colour = true});
  EXPECT_NE(painted.find("\x1b[33m401 Unauthorized\x1b[0m"), std::string::npos);
  EXPECT_NE(painted.find("\u25c0\u2500"), std::string::npos);
  EXPECT_EQ(painted.find("|--"), std::string::npos);
}

TEST(TraceView, AMessageIsALine) {
  const auto entries = registration();
  EXPECT_EQ(render_message(entries[1], {}),
            "12:00:00.000321 s0 -> 192.0.2.7:5062         401 Unauthorized  (1 REGISTER)  MD5 nonce=8f2cb1d0..\n");
  EXPECT_EQ(render_message(entries[0], {.utc_offset_s = 3'600}),
            "13:00:00.000000 s0 <- 192.0.2.7:5062         REGISTER sip:example.com  (1 REGISTER)  1 contact expires=3600\n");
}

TEST(TraceView, TheFullTextIsIndentedAndEndsInAnEmptyLine) {
  EXPECT_EQ(render_message_full(entry(0, Direction::in, "junk\r\nmore"), {}),
            "12:00:00.000000 s0 <- 192.0.2.7:5062         [junk]  " +
                render_message(entry(0, Direction::in, "junk\r\nmore"), {}).substr(53) + "    junk\n    more\n\n");
}

TEST(TraceView, WhatIsNoMessageIsShownAsItsFirstLine) {
  const std::string line = render_message(entry(0, Direction::in, std::string("\x1b[31mboo\r\n\0x", 12)), {});
  EXPECT_NE(line.find("[\\x1b[31mboo]"), std::string::npos) << line;
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
}

TEST(TraceView, NothingAPeerSentControlsTheTerminal) {
  EXPECT_EQ(printable("a\x1b]0;x\x07" "b\r\nc\td\x7f"), "a\\x1b]0;x\\x07b\\x0d\\x0ac d\\x7f");
  EXPECT_EQ(printable("\u00fc\u20ac\U0001F600"), "\u00fc\u20ac\U0001F600");
  EXPECT_EQ(printable("\xc2\x9b" "31m"), "\\xc2\\x9b31m");        // C1 CSI
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");                 // not UTF-8
  EXPECT_EQ(printable("\xc0\x9b"), "\\xc0\\x9b");                 // overlong
  EXPECT_EQ(printable("\xe0\x82\x9b"), "\\xe0\\x82\\x9b");        // overlong C1
  EXPECT_EQ(printable("\u202e"), "\\xe2\\x80\\xae");              // turns the line round
}

TEST(TraceView, LongStartLinesAreCutInTheLadder) {
  const std::string uri = "sip:" + std::string(200, 'x') + "@example.com";
  const auto entries = std::vector{entry(0, Direction::in, message("REGISTER " + uri + " SIP/2.0", 1))};
  const std::string ladder = render_ladder("a", entries, {});
  EXPECT_NE(ladder.find("xx.. -->|"), std::string::npos) << ladder;
  EXPECT_EQ(ladder.find(std::string(60, 'x')), std::string::npos);
}

}  // namespace
}  // namespace ringweir::control
