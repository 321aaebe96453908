// The location service over several shards against a naive registrar, checked after every operation. Readers
// hold what they found until their next quiescent state, and it must not change under them; at the end
// nothing is left.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "ringweir/sip/uri.h"
#include "unit/location/fixture.h"

namespace ringweir::location {
namespace {

using testing::Contact;
using testing::kStart;
using testing::Request;
using testing::World;

constexpr std::uint32_t kShards = 3;
constexpr std::uint64_t kBindingsMax = 24;

// Some are equal by RFC 3261 19.1.4 though written differently, and equality among the x= ones is not
// transitive.
constexpr std::array kUris{"sip:a@192.0.2.1",
                           "sip:%61@192.0.2.1",
                           "sip:a@192.0.2.1;x=1",
                           "sip:a@192.0.2.1;x=2",
                           "sip:b@host.example",
                           "sip:b@HOST.example",
                           "sip:b@host.example;transport=tcp",
                           "sips:b@host.example",
                           "sip:c@[2001:db8::1]:5070",
                           "sip:d@192.0.2.9"};

bool same(const std::string& a, const std::string& b) {
  return a == b || sip::equal(*sip::parse_uri(a), *sip::parse_uri(b));
}

struct NaiveBinding {
  std::string uri, call_id;
  std::uint32_t cseq;
  std::uint16_t q, port;
  Instant expires;
  auto operator<=>(const NaiveBinding&) const = default;
};
using NaiveSet = std::vector<NaiveBinding>;

// RFC 3261 10.3 as it reads: look at each contact in turn, give up on the first out of order, then commit.
struct NaiveRegistrar {
  std::map<std::string, NaiveSet> aors;

  Outcome apply(const Request& request) {
    NaiveSet& current = aors[request.aor];
    std::erase_if(current, [&](const NaiveBinding& b) { return b.expires <= request.now; });
    NaiveSet next = current;
    const auto late = [&](const NaiveBinding& b) {
      return b.call_id == request.call_id && request.cseq <= b.cseq;
    };
    if (request.star) {
      if (std::ranges::any_of(current, late)) return Outcome::out_of_order;
      next.clear();
    }
    bool adds = false;
    for (std::size_t i = 0; i < request.contacts.size(); ++i) {
      const Contact& contact = request.contacts[i];
      if (std::any_of(request.contacts.begin() + static_cast<std::ptrdiff_t>(i) + 1, request.contacts.end(),
                      [&](const Contact& later) { return same(later.uri, contact.uri); })) {
        continue;
      }
      for (const NaiveBinding& b : current) {
        if (same(b.uri, contact.uri) && late(b)) return Outcome::out_of_order;
      }
      std::erase_if(next, [&](const NaiveBinding& b) { return same(b.uri, contact.uri); });
      if (contact.expires_s == 0) continue;
      next.push_back({contact.uri, request.call_id, request.cseq, contact.q, request.source.port,
                      to_instant(to_tick(request.now + contact.expires_s * Duration(1s)))});
      adds = true;
    }
    if (adds && next.size() > request.contacts_max && next.size() > current.size())
      return Outcome::too_many_contacts;
    current = std::move(next);
    return Outcome::done;
  }
  NaiveSet listed(const std::string& aor, Instant now) {
    NaiveSet alive = aors[aor];
    std::erase_if(alive, [&](const NaiveBinding& b) { return b.expires <= now; });
    std::ranges::sort(alive);
    return alive;
  }
};

NaiveSet listed(const BindingSet* set, Instant now) {
  NaiveSet alive;
  for (std::size_t i = 0; set && i < set->size(); ++i) {
    const BindingView b = set->view(i);
    if (!b.alive(now)) continue;
    alive.push_back({std::string(b.contact.substr(1, b.contact.size() - 2)), std::string(b.call_id), b.cseq,
                     b.q_thousandths, b.source.port, b.expires_at});
  }
  std::ranges::sort(alive);
  return alive;
}

// What a reader keeps between its quiescent states, and what it said when it was found.
struct Held {
  const BindingSet* set;
  std::string texts;
};
std::string texts_of(const BindingSet& set) {
  std::string all(set.aor());
  for (std::size_t i = 0; i < set.size(); ++i) all.append(set.view(i).contact).append(set.view(i).call_id);
  return all;
}

class Run {
 public:
  void step() {
    switch (*rc::gen::weightedElement<int>({{12, 0}, {2, 1}, {2, 2}, {2, 3}})) {
      case 0: request(); break;
      case 1: now_ += *rc::gen::element<Duration>(1ms, 100ms, 950ms, 1s, 7s, 31s); break;
      case 2: {
        const auto shard = *rc::gen::inRange<std::uint32_t>(0, kShards);
        if (world_.shards[shard]->expire(now_, *rc::gen::element(1u, 2u, 100u))) none_expired(shard);
        break;
      }
      default: turn(*rc::gen::inRange<std::uint32_t>(0, kShards));
    }
    for (const auto& aor : kAors) RC_ASSERT(listed(world_.find(aor), now_) == naive_.listed(aor, now_));
    for (const auto& held : held_) {
      for (const auto& [set, texts] : held) RC_ASSERT(texts_of(*set) == texts);
    }
  }

  void finish() {
    now_ += 1h;
    world_.expire_all(now_);
    for (std::uint32_t turns = 0; turns < 3 * kShards; ++turns) turn(turns % kShards);
    RC_ASSERT(world_.directory->bindings() == 0u);
    RC_ASSERT(world_.directory->aors() == 0u);
    RC_ASSERT(world_.blocks() == 0);
    for (const auto& shard : world_.shards) {
      RC_ASSERT(shard->live() == 0u);
      RC_ASSERT(!shard->unsettled());
    }
  }

 private:
  // After a whole expire() nothing of that shard's lingers, and it will wake in time for what comes next.
  void none_expired(std::uint32_t shard) {
    for (const auto& aor : kAors) {
      const BindingSet* set = world_.find(aor);
      for (std::size_t i = 0; set && i < set->size(); ++i) {
        if (set->view(i).owner != shard) continue;
        RC_ASSERT(set->view(i).alive(now_));
        RC_ASSERT(world_.shards[shard]->next_expiry() <= set->view(i).expires_at);
      }
    }
  }

  void request() {
    Request request;
    const auto call = *rc::gen::inRange<std::uint32_t>(0, 6);
    request.aor = *rc::gen::elementOf(kAors);
    request.call_id = "call-" + std::to_string(call);
    ++cseq_;
    request.cseq =
        cseq_ -
        std::min(cseq_, *rc::gen::weightedElement<std::uint32_t>({{6, 0u}, {1, 1u}, {1, 2u}, {2, 9u}}));
    request.star = *rc::gen::weightedElement<bool>({{9, false}, {1, true}});
    request.now = now_;
    request.contacts_max = *rc::gen::element(0u, 1u, 2u, 3u, 10u);
    request.source.port = *rc::gen::weightedElement<std::uint16_t>({{4, 5060}, {1, 6000}});
    const auto contacts = request.star ? 0 : *rc::gen::element(0, 1, 1, 1, 2, 3, 4);
    for (int i = 0; i < contacts; ++i) {
      request.contacts.push_back({.uri = *rc::gen::elementOf(kUris),
                                  .expires_s = *rc::gen::element(0u, 1u, 2u, 30u, 60u, 60u),
                                  .q = *rc::gen::weightedElement<std::uint16_t>({{4, 1000}, {1, 500}})});
    }
    apply(call % kShards, request);
  }

  void apply(std::uint32_t shard, const Request& request) {
    const auto full = world_.directory->bindings() >= kBindingsMax;
    const NaiveRegistrar before = naive_;
    const Outcome wanted = naive_.apply(request);
    const Outcome outcome = world_.apply(shard, request);
    if (full && outcome == Outcome::no_memory && wanted == Outcome::done) {
      naive_ = before;
    } else {
      RC_ASSERT(outcome == wanted);
    }
    RC_ASSERT(listed(world_.result, now_) == naive_.listed(request.aor, now_));
    if (world_.result) held_[shard].push_back({world_.result, texts_of(*world_.result)});
  }

  void turn(std::uint32_t shard) {
    held_[shard].clear();
    world_.readers[shard]->quiescent();
    world_.shards[shard]->turn();
  }

  inline static const std::vector<std::string> kAors{"100@example.com", "101@example.com", "102", "103"};
  World world_{{.shards = kShards, .bindings_max = kBindingsMax, .hash_key = {11, 12}, .buckets = 2},
               std::size_t{1} << 20};
  NaiveRegistrar naive_;
  std::array<std::vector<Held>, kShards> held_;
  Instant now_ = kStart;
  std::uint32_t cseq_ = 0;
};

RC_GTEST_PROP(LocationProperty, ShardsTogetherAreOneRegistrar, ()) {
  Run run;
  const auto steps = *rc::gen::inRange(1, 300);
  for (int i = 0; i < steps; ++i) run.step();
  run.finish();
}

}  // namespace
}  // namespace ringweir::location
