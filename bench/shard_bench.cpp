// One shard's turn on the memory driver: what a message costs from "arrived" to "ready to leave", without a kernel.
// Time per message is the inverse of items_per_second.
#include <benchmark/benchmark.h>

#include <array>
#include <optional>

#include "ringweir/base/random.h"
#include "support/conversation.h"

namespace ringweir::shard {
namespace {

using support::RequestText;

constexpr std::uint32_t kBatch = 64;

struct Bench {
  explicit Bench(std::uint32_t users)
      : snapshot(support::make_snapshot(with(users))), rig(sized(users), snapshot) {}
  static support::SnapshotOptions with(std::uint32_t users) {
    support::SnapshotOptions options;
    options.users.clear();
    for (std::uint32_t i = 0; i < users; ++i) options.users.emplace_back(name(i), name(i));
    return options;
  }
  static support::RigOptions sized(std::uint32_t users) {
    support::RigOptions options;
    options.bindings_max = users + 1'000;
    options.nonce_slots = 1u << 20;
    options.answered_capacity = 1u << 20;
    return options;
  }
  static std::string name(std::uint32_t i) { return "user" + std::to_string(i); }
  static RequestText request(std::uint32_t user, std::uint32_t cseq) {
    RequestText request;
    request.via = "SIP/2.0/UDP 192.0.2.7:5062;rport;branch=z9hG4bK-" + std::to_string(user) + "-" + std::to_string(cseq);
    request.call_id = "0f3a9c-" + std::to_string(user) + "@192.0.2.7";
    request.from = "<sip:" + name(user) + "@example.com>;tag=5f2c1";
    request.to = "<sip:" + name(user) + "@example.com>";
    request.cseq = cseq;
    request.with("Contact: <sip:" + name(user) + "@192.0.2.7:5062>");
    request.with("Expires: 600");
    request.with("User-Agent: bench phone 1.0");
    return request;
  }
  void turn(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) rig.drivers[0]->deliver(text, support::kPhone, 0);
    rig.turn(0);
  }
  support::SipText only_answer() {
    const auto answer = support::read_sip(rig.drivers[0]->sent().front().bytes);
    rig.drivers[0]->clear_sent();
    return *answer;
  }

  Snapshot snapshot;
  support::ShardRig rig;
};

void same_batch(benchmark::State& state, const std::vector<std::string>& texts, std::size_t answers) {
  Bench bench(1'000);
  for (auto _ : state) {
    bench.turn(texts);
    if (bench.rig.drivers[0]->sent().size() != answers) return state.SkipWithError("unexpected answers");
    bench.rig.drivers[0]->clear_sent();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * texts.size()));
}

void BM_TurnOptions(benchmark::State& state) {
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < kBatch; ++i) {
    RequestText request = Bench::request(i, 1);
    request.method = "OPTIONS";
    request.lines.clear();
    texts.push_back(request.text());
  }
  same_batch(state, texts, kBatch);
}
BENCHMARK(BM_TurnOptions);

void BM_TurnRegisterChallenged(benchmark::State& state) {
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < kBatch; ++i) texts.push_back(Bench::request(i, 1).text());
  same_batch(state, texts, kBatch);
}
BENCHMARK(BM_TurnRegisterChallenged);

void BM_TurnGarbage(benchmark::State& state) {
  std::vector<std::string> texts;
  Random random(1);
  for (std::uint32_t i = 0; i < kBatch; ++i) {
    std::string text(400, '\0');
    for (char& c : text) c = static_cast<char>(random.next() | 0x80);
    texts.push_back(text);
  }
  same_batch(state, texts, 0);
}
BENCHMARK(BM_TurnGarbage);

// Every message a REGISTER with the next nonce count, CSeq and branch of its phone.
void BM_TurnRegisterRefreshed(benchmark::State& state) {
  const auto users = static_cast<std::uint32_t>(state.range(0));
  Bench bench(users);
  std::vector<support::SipText> challenges;
  for (std::uint32_t user = 0; user < users; ++user) {
    bench.turn({Bench::request(user, 1).text()});
    challenges.push_back(bench.only_answer());
  }
  std::uint32_t nc = 0, user = 0;
  std::vector<std::string> texts(kBatch);
  std::uint64_t refused = 0;
  for (auto _ : state) {
    state.PauseTiming();
    if (user == 0) ++nc;
    for (std::string& text : texts) {
      RequestText request = Bench::request(user, nc + 1);
      request.with(answer_to(challenges[user], request, Bench::name(user), Bench::name(user), nc));
      text = request.text();
      user = (user + 1) % users;
      if (user == 0) ++nc;
    }
    if (user == 0) --nc;
    state.ResumeTiming();
    bench.turn(texts);
    state.PauseTiming();
    for (const io::SimSent& sent : bench.rig.drivers[0]->sent()) refused += !sent.bytes.starts_with("SIP/2.0 200");
    bench.rig.drivers[0]->clear_sent();
    state.ResumeTiming();
  }
  if (refused != 0) state.SkipWithError("refresh refused");
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kBatch));
}
BENCHMARK(BM_TurnRegisterRefreshed)->Arg(1'024)->Arg(65'536);

}  // namespace
}  // namespace ringweir::shard
