// After start the message path allocates nothing: every way to ask for memory is counted while warm shards work.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <map>

#include "support/call_rig.h"
#include "support/conversation.h"

namespace {
std::atomic<bool> counting{false};
std::atomic<std::uint64_t> allocations{0};
[[maybe_unused]] void counted() {
  if (counting.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
}
}  // namespace

// The sanitizers bring their own allocator, which may not be replaced.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RINGWEIR_MALLOC_IS_OURS 0
#else
#define RINGWEIR_MALLOC_IS_OURS 1
#endif
#if RINGWEIR_MALLOC_IS_OURS
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* malloc(std::size_t n) {
  counted();
  return __libc_malloc(n);
}
void* calloc(std::size_t n, std::size_t each) {
  counted();
  return __libc_calloc(n, each);
}
void* realloc(void* at, std::size_t n) {
  counted();
  return __libc_realloc(at, n);
}
void* __libc_memalign(std::size_t, std::size_t);
void* aligned_alloc(std::size_t alignment, std::size_t n) {
  counted();
  return __libc_memalign(alignment, n);
}
int posix_memalign(void** at, std::size_t alignment, std::size_t n) {
  counted();
  *at = __libc_memalign(alignment, n);
  return *at ? 0 : ENOMEM;
}
}
#endif

namespace ringweir::shard {
namespace {

using support::RequestText;

constexpr std::uint32_t kPhones = 512, kUsers = 64;

// The messages of many phones, made before anything is counted.
class Traffic {
 public:
  Traffic(const shard::Snapshot& snapshot, const support::RigOptions& options) : rig(options, snapshot) {
    for (std::uint32_t i = 0; i < kPhones; ++i) {
      RequestText request;
      request.call_id = "call-" + std::to_string(i);
      request.from = "<sip:" + user(i) + "@example.com>;tag=1";
      request.to = "<sip:" + user(i) + "@example.com>";
      request.with("Contact: <sip:x@192.0.2.7:5062;line=" + std::to_string(i) + ">;expires=600");
      request.with("User-Agent: test phone");
      phones.push_back(request);
      RequestText options_request = request;
      options_request.method = "OPTIONS";
      options_texts.push_back(options_request.text());
    }
  }
  static std::string user(std::uint32_t i) { return "u" + std::to_string(i % kUsers); }

  // New branches and CSeqs; with credentials once every phone has been challenged.
  std::vector<std::string> registers(std::uint32_t nc) {
    std::vector<std::string> texts;
    for (std::uint32_t i = 0; i < kPhones; ++i) {
      RequestText request = phones[i];
      request.cseq = ++cseq;
      request.via += "-" + std::to_string(cseq);
      if (nc != 0) request.with(answer_to(challenges.at(request.call_id), request, user(i), user(i), nc));
      texts.push_back(request.text());
    }
    return texts;
  }
  void challenge_all() {
    for (const std::string& text : registers(0)) {
      rig.drivers[0]->deliver(text, support::kPhone, 0);
      rig.turn_all();
      for (const auto& driver : rig.drivers) {
        for (const auto& sent : driver->sent()) {
          const auto answer = support::read_sip(sent.bytes);
          challenges[std::string{answer->get("call-id")}] = *answer;
        }
        driver->clear_sent();
      }
    }
  }
  // Everything through shard 0, so that the others get theirs handed over. No allocation of its own.
  std::uint64_t run(const std::vector<std::string>& texts) {
    std::uint64_t answered = 0;
    for (const std::string& text : texts) {
      if (!rig.drivers[0]->deliver(text, support::kPhone, 0)) answered += drain();
    }
    return answered + drain();
  }
  std::uint64_t drain() {
    std::uint64_t answered = 0;
    rig.turn_all();
    for (const auto& driver : rig.drivers) {
      answered += driver->sent().size();
      driver->clear_sent();
    }
    return answered;
  }

  support::ShardRig rig;
  std::vector<RequestText> phones;
  std::vector<std::string> options_texts;
  std::map<std::string, support::SipText> challenges;  // by Call-ID
  std::uint32_t cseq = 1;
};

TEST(MessagePath, AllocatesNothingAfterStart) {
  support::SnapshotOptions options;
  options.users.clear();
  for (std::uint32_t i = 0; i < kUsers; ++i) options.users.emplace_back(Traffic::user(i), Traffic::user(i));
  const Snapshot snapshot = support::make_snapshot(options);
  support::RigOptions rig;
  rig.shards = 3;
  rig.mailbox_depth = 1'024;
  rig.driver.inputs = 256;
  Traffic traffic(snapshot, rig);
  const std::vector<std::string> garbage{"\x16\x03\x01", "OPTIONS sip:example.com SIP/2.0\r\nCall-ID: z\r\n\r\n",
                                         "SIP/2.0 200 OK\r\nCall-ID: z\r\n\r\n", "\r\n\r\n", std::string(5'000, 'x')};
  std::uint64_t messages = 0, answered = 0, counted_in_all = 0;
  for (int round = 0; messages < 100'000; ++round) {
    traffic.challenge_all();
    const std::vector<std::string>& options_texts = traffic.options_texts;
    const auto challenged = traffic.registers(0), authorised = traffic.registers(1), refreshed = traffic.registers(2);
    if (round > 0) {  // the first round is the start
      allocations = 0;
      counting = true;
    }
    for (const auto* texts : {&options_texts, &challenged, &authorised, &refreshed, &refreshed, &garbage}) {
      answered += traffic.run(*texts);
      if (round > 0) messages += texts->size();
    }
    counting = false;
    counted_in_all += round > 0 ? allocations.load() : 0;
    traffic.rig.clock.advance(round % 7 == 6 ? 700s : 3s);  // now and then everything expires
  }
  EXPECT_EQ(counted_in_all, 0u);
  EXPECT_GT(answered, messages * 9 / 10);
  std::uint64_t handed_over = 0, updated = 0;
  for (const auto& face : traffic.rig.shared.faces) {
    handed_over += face->counters.handed_over.read();
    updated += face->counters.registrations[static_cast<std::size_t>(registrar::Result::updated)].read();
  }
  EXPECT_GT(handed_over, messages / 2);
  EXPECT_GT(updated, messages / 10);
}

// Ten thousand calls to a farm and between users: ringing, answered, ended; refused, cancelled, failed over, and forgotten early,
// because there are more of them than the engine keeps.
TEST(MessagePath, CallsAllocateNothingEither) {
  using support::CallRig;
  using support::response_to;
  using support::Seen;
  support::CallOptions options;
  options.algorithm = balance::Algorithm::least_calls;
  options.rig.engine = {.contexts = 1'024, .branches = 2'048, .calls = 1'024};
  options.passive.eject = 0s;  // the silent ones are not put aside
  CallRig r(options);
  r.registers("101", support::kCallee);
  const auto take_any = [&r] {
    for (const Endpoint& at : {support::target_at(0), support::target_at(1), support::kCallee}) {
      if (Seen one = r.take(at)) return one;
    }
    return Seen{};
  };
  std::uint64_t answered = 0;
  for (int n = 0; n < 10'000; ++n) {
    if (n == 500) {  // all before is the start
      allocations = 0;
      r.watch = [](bool on) { counting = on; };
    }
    RequestText invite = CallRig::invite(n % 3 == 0 ? "101" : "9001");
    invite.call_id = "call-" + std::to_string(n);
    invite.via += invite.call_id;
    r.say(invite);
    Seen there = take_any();
    ASSERT_EQ(there.what(), "INVITE");
    switch (n % 8) {
      case 0: r.say(response_to(there, 486), there.to); break;
      case 1:
        r.say(response_to(there, 180), there.to);
        r.say(support::cancel_of(invite));
        r.say(response_to(there, 487), there.to);
        break;
      case 2: r.say(response_to(there, 503), there.to); break;
      case 3: r.pass(2'100ms); break;
      default:
        r.say(response_to(there, 180), there.to);
        r.say(response_to(there, 200, {.contact = "sip:x@192.0.2.8:5064"}), there.to);
        Seen answer = r.take(support::kCaller);
        while (answer && answer.what() != "200") answer = r.take(support::kCaller);
        ASSERT_TRUE(answer);
        ++answered;
        support::Dialog caller = support::caller_dialog(invite, answer);
        r.say(caller.request("ACK"));
        RequestText bye = caller.request("BYE");
        bye.via += invite.call_id;
        r.say(bye);
        for (Seen one = r.take(there.to); one; one = r.take(there.to)) {
          if (one.what() == "BYE") r.say(response_to(one, 200), there.to);
        }
    }
    r.seen.clear();
    if (n % 50 == 49) r.pass(4s);
    r.seen.clear();
  }
  EXPECT_EQ(allocations.load(), 0u);
  EXPECT_EQ(answered, 5'000u);
  r.watch = nullptr;
  EXPECT_EQ(r.leftovers(), "");
}

// The counting itself counts.
TEST(MessagePath, TheCountSeesAnAllocation) {
#if !RINGWEIR_MALLOC_IS_OURS
  GTEST_SKIP() << "the sanitizer owns malloc";
#else
  allocations = 0;
  counting = true;
  std::string* volatile text = new std::string(1'000, 'x');
  counting = false;
  delete text;
  EXPECT_GE(allocations.load(), 2u);
#endif
}

}  // namespace
}  // namespace ringweir::shard
