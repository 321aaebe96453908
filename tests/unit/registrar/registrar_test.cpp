// RFC 3261 10.3 steps 6 to 8, without a shard around them.
#include "ringweir/registrar/registrar.h"

#include <gtest/gtest.h>

#include <array>

#include "support/request_text.h"
#include "support/shard_rig.h"

namespace ringweir::registrar {
namespace {

class RegistrarTest : public testing::Test {
 protected:
  // The REGISTER with these header lines, CSeq counted up, answered as "status Contact|Contact|...".
  std::string ask(std::vector<std::string> lines, const std::string& call_id = "call-1") {
    support::RequestText request;
    request.call_id = call_id;
    request.cseq = ++cseq_;
    request.lines = std::move(lines);
    const std::string text = request.text();
    check(sip::parse(text, sip::Framing::datagram, message_).completeness == sip::Completeness::complete, "a test's request");
    const std::string aor = "100@example.com";
    const Outcome outcome = registrar_.handle({message_, aor, directory_.hash(aor), message_.value(sip::HeaderId::call_id),
                                               cseq_, {IpAddress::v4(192, 0, 2, 7), 5062}, 0, now_},
                                              policy_);
    std::array<char, 8'192> space;
    Writer out(space.data(), space.size());
    write_contacts(out, outcome.bindings, now_);
    std::string answer = std::to_string(status(outcome.result));
    const std::string lines_out{out.text()};
    for (std::size_t at = 0, end; (end = lines_out.find("\r\n", at)) != lines_out.npos; at = end + 2) {
      answer += ' ' + lines_out.substr(at + 9, end - at - 9);
    }
    last_ = outcome.result;
    reader_.quiescent();
    registrations_.turn();
    return answer;
  }

  location::Config config_{.shards = 1, .bindings_max = 100, .hash_key = {}};
  support::Pages pages_{location::Directory::region_bytes(config_)};
  location::Directory directory_{config_, pages_.span()};
  location::Participant reader_{directory_.grace()};
  Instant now_{1'000s};
  location::Registrations registrations_{directory_, 0, now_};
  Registrar registrar_{directory_, registrations_};
  Policy policy_{};
  sip::Message message_;
  std::uint32_t cseq_ = 0;
  Result last_{};
};

TEST_F(RegistrarTest, TheParameterGoesBeforeTheHeaderAndThatBeforeTheDefault) {
  EXPECT_EQ(ask({"Contact: <sip:a@h>;expires=100", "Expires: 200"}), "200 <sip:a@h>;expires=100");
  EXPECT_EQ(ask({"Contact: <sip:a@h>", "Expires: 200"}), "200 <sip:a@h>;expires=200");
  EXPECT_EQ(ask({"Contact: <sip:a@h>"}), "200 <sip:a@h>;expires=3600");
}

TEST_F(RegistrarTest, NeverGrantsMoreThanItsMaximum) {
  EXPECT_EQ(ask({"Contact: <sip:a@h>;expires=4000000000"}), "200 <sip:a@h>;expires=7200");
  EXPECT_EQ(ask({"Contact: <sip:a@h>;expires=99999999999999999999"}), "200 <sip:a@h>;expires=7200");
  EXPECT_EQ(ask({"Contact: <sip:a@h>;expires=4294967295", "Expires: 0"}), "200 <sip:a@h>;expires=7200");
}

TEST_F(RegistrarTest, AMalformedIntervalCountsAsAnHour) {
  EXPECT_EQ(ask({"Contact: <sip:a@h>;expires=soon"}), "200 <sip:a@h>;expires=3600");
  EXPECT_EQ(ask({"Contact: <sip:b@h>;expires=0", "Contact: <sip:a@h>", "Expires: later"}), "200 <sip:a@h>;expires=3600");
}

TEST_F(RegistrarTest, RefusesLessThanTheMinimumButNotARemoval) {
  EXPECT_EQ(ask({"Contact: <sip:a@h>;expires=59"}), "423");
  EXPECT_EQ(ask({"Contact: <sip:a@h>;expires=60"}), "200 <sip:a@h>;expires=60");
  EXPECT_EQ(ask({"Contact: <sip:a@h>;expires=0"}), "200");
}

// 10.3 step 7: a minimum above an hour is no reason to refuse an hour.
TEST_F(RegistrarTest, AnHourIsNeverTooBrief) {
  policy_.min_expires_s = 7'000;
  EXPECT_EQ(ask({"Contact: <sip:a@h>;expires=3599"}), "423");
  EXPECT_EQ(ask({"Contact: <sip:a@h>;expires=3600"}), "200 <sip:a@h>;expires=7000");
}

TEST_F(RegistrarTest, OneBadContactOfSeveralChangesNothing) {
  EXPECT_EQ(ask({"Contact: <sip:a@h>;expires=600"}), "200 <sip:a@h>;expires=600");
  EXPECT_EQ(ask({"Contact: <sip:b@h>, <sip:c@h", "Expires: 600"}), "400");
  EXPECT_EQ(last_, Result::bad_contact);
  EXPECT_EQ(ask({"Contact: <sip:b@h>, <sip:c@h>;expires=5", "Expires: 600"}), "423");
  EXPECT_EQ(ask({}), "200 <sip:a@h>;expires=600");
  EXPECT_EQ(last_, Result::queried);
}

TEST_F(RegistrarTest, KeepsEveryParameterThePhoneSent) {
  EXPECT_EQ(ask({"Contact: \"Al, B\" <sip:a@h;transport=udp;x=%41>;q=0.5;expires=600;+sip.instance=\"<urn:uuid:1>\""}),
            "200 \"Al, B\" <sip:a@h;transport=udp;x=%41>;q=0.5;+sip.instance=\"<urn:uuid:1>\";expires=600");
}

TEST_F(RegistrarTest, AnUnbracketedContactIsListedSoThatItsParametersStayHeaderParameters) {
  EXPECT_EQ(ask({"Contact: sip:a@h;expires=600"}), "200 sip:a@h;expires=600");
}

TEST_F(RegistrarTest, AStarRemovesAllAndNeedsToStandAlone) {
  ask({"Contact: <sip:a@h>, <sip:b@h>"});
  ask({"Contact: <sip:c@h>"}, "another-call");
  EXPECT_EQ(ask({"Contact: *"}), "400");
  EXPECT_EQ(ask({"Contact: *", "Expires: 60"}), "400");
  EXPECT_EQ(ask({"Contact: *", "Contact: <sip:a@h>", "Expires: 0"}), "400");
  EXPECT_EQ(last_, Result::bad_wildcard);
  EXPECT_EQ(ask({"Contact: *", "Expires: 0"}), "200");
  EXPECT_EQ(registrations_.live(), 0u);
}

TEST_F(RegistrarTest, AnOlderCSeqOfTheSameCallIsOutOfOrderAndChangesNothing) {
  cseq_ = 10;
  ask({"Contact: <sip:a@h>;expires=600"});
  cseq_ = 4;
  EXPECT_EQ(ask({"Contact: <sip:a@h>;expires=0"}), "500");
  cseq_ = 11;
  EXPECT_EQ(ask({}), "200 <sip:a@h>;expires=600");
}

TEST_F(RegistrarTest, OneContactTooManyIsRefusedWhole) {
  policy_.contacts_max = 2;
  ask({"Contact: <sip:a@h>;expires=600"});
  EXPECT_EQ(ask({"Contact: <sip:b@h>, <sip:c@h>"}), "403");
  EXPECT_EQ(ask({"Contact: <sip:a@h>;expires=0, <sip:b@h>;expires=600, <sip:c@h>;expires=600"}).substr(0, 3), "200");
  EXPECT_EQ(registrations_.live(), 2u);
}

TEST_F(RegistrarTest, MoreContactsThanAnyRequestMayHaveAreRefused) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i <= limits::kContactsPerRequestMax; ++i) lines.push_back("Contact: <sip:" + std::to_string(i) + "@h>");
  EXPECT_EQ(ask(lines), "403");
}

TEST_F(RegistrarTest, WhatHasExpiredIsNotListedEvenBeforeItIsRemoved) {
  ask({"Contact: <sip:a@h>;expires=60"});
  now_ += 61s;
  EXPECT_EQ(ask({}), "200");
}

TEST_F(RegistrarTest, OneAorCannotFillTheDirectory) {
  policy_.contacts_max = 32;
  for (int i = 0; i < 32; ++i) ask({"Contact: <sip:" + std::to_string(i) + "@h>"}, "call-" + std::to_string(i));
  EXPECT_EQ(last_, Result::updated);
  EXPECT_EQ(ask({"Contact: <sip:one-more@h>"}, "call"), "403");
}

TEST(RegistrarStatus, EveryResultHasAStatusAndAReason) {
  for (std::size_t i = 0; i < kResults; ++i) {
    EXPECT_GE(status(static_cast<Result>(i)), 200);
    EXPECT_FALSE(reason(static_cast<Result>(i)).empty());
  }
}

}  // namespace
}  // namespace ringweir::registrar
