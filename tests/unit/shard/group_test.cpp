// A turn's messages are read in groups and decided in the order in which they came.
#include <gtest/gtest.h>

#include "support/conversation.h"

namespace ringweir::shard {
namespace {

using support::RequestText;

support::SnapshotOptions open_registrar() {
  support::SnapshotOptions options;
  options.authenticates = false;
  return options;
}

RequestText request(const char* method, std::uint32_t number) {
  RequestText made;
  made.method = method;
  made.cseq = number;
  made.via = "SIP/2.0/UDP 192.0.2.7:5062;rport;branch=z9hG4bK-group-" + std::to_string(number);
  return made;
}

struct Group {
  shard::Snapshot snapshot = support::make_snapshot(open_registrar());
  support::ShardRig rig{support::RigOptions{}, snapshot};

  void deliver(const std::string& text) { ASSERT_TRUE(rig.drivers[0]->deliver(text, support::kPhone, 0)); }
  std::vector<std::string> answers() {
    rig.turn(0);
    std::vector<std::string> all;
    for (const io::SimSent& sent : rig.drivers[0]->sent()) all.emplace_back(sent.bytes);
    rig.drivers[0]->clear_sent();
    return all;
  }
};

TEST(Group, AnswersInTheOrderOfTheRequestsWhereverAGroupEnds) {
  for (const std::uint32_t count : {1u, 7u, 8u, 9u, 16u, 29u}) {
    Group group;
    for (std::uint32_t i = 1; i <= count; ++i) group.deliver(request("OPTIONS", i).text());
    const auto answers = group.answers();
    ASSERT_EQ(answers.size(), count);
    for (std::uint32_t i = 1; i <= count; ++i) {
      EXPECT_EQ(support::read_sip(answers[i - 1])->get("cseq"), std::to_string(i) + " OPTIONS");
    }
  }
}

// What the second asks for is what the first has left, though both were read before either was decided.
TEST(Group, ARequestSeesWhatTheOnesBeforeItDid) {
  Group group;
  RequestText bind = request("REGISTER", 1), unbind = request("REGISTER", 3);
  bind.with("Contact: <sip:100@192.0.2.7:5062>;expires=600");
  unbind.with("Contact: <sip:100@192.0.2.7:5062>;expires=0");
  group.deliver(bind.text());
  group.deliver(request("REGISTER", 2).text());
  group.deliver(unbind.text());
  group.deliver(bind.text());  // a retransmission: it binds nothing again
  group.deliver(request("REGISTER", 4).text());
  const auto answers = group.answers();
  ASSERT_EQ(answers.size(), 5u);
  const bool lists[] = {true, true, false, false, false};
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto answer = support::read_sip(answers[i]);
    EXPECT_EQ(answer->status, 200) << i;
    EXPECT_EQ(answer->has("contact"), lists[i]) << i;
  }
  EXPECT_EQ(group.rig.live(), 0u);
}

// What is refused for want of a mailbox's room is answered by the shard that received it, between its own.
TEST(Group, AMessageForAFullNeighbourLeavesTheGroupWhole) {
  support::SnapshotOptions options = open_registrar();
  shard::Snapshot snapshot = support::make_snapshot(options);
  support::RigOptions rig_options;
  rig_options.shards = 2;
  rig_options.mailbox_depth = 2;
  support::ShardRig rig(rig_options, snapshot);
  constexpr std::uint32_t kCount = 40;
  for (std::uint32_t i = 1; i <= kCount; ++i) {
    RequestText made = request("OPTIONS", i);
    made.call_id = "group-" + std::to_string(i);
    ASSERT_TRUE(rig.drivers[0]->deliver(made.text(), support::kPhone, 0));
  }
  rig.turn(0);
  std::uint32_t own = 0, shed = 0;
  for (const io::SimSent& sent : rig.drivers[0]->sent()) {
    const auto answer = support::read_sip(sent.bytes);
    own += answer->status == 200;
    shed += answer->status == 503;
    EXPECT_EQ("group-" + std::string(answer->get("cseq").substr(0, answer->get("cseq").find(' '))), answer->get("call-id"));
  }
  EXPECT_GT(own, 8u);
  EXPECT_GT(shed, 0u);
  EXPECT_LE(kCount - own - shed, 2u);
  rig.drivers[0]->clear_sent();
  rig.turn_all();
}

}  // namespace
}  // namespace ringweir::shard
