// REGISTER as text through the Registrar, against RFC 3261 10.3 as it reads: after every request the status
// and the exact Contacts of the 200 are those of a naive model, and what was refused changed nothing.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ringweir/registrar/registrar.h"
#include "support/request_text.h"
#include "support/shard_rig.h"

namespace ringweir::registrar {
namespace {

using Listing = std::vector<std::string>;  // Contact values, sorted

// URIs that are equal by RFC 3261 19.1.4 share a name. The model compares names, the registrar what is
// written.
struct Spelling {
  const char* uri;
  const char* name;
};
constexpr std::array kSpellings{Spelling{"sip:a@192.0.2.1", "a"},
                                Spelling{"sip:%61@192.0.2.1", "a"},
                                Spelling{"SIP:a@192.0.2.1", "a"},
                                Spelling{"sip:b@h.example;transport=tcp", "b"},
                                Spelling{"sip:b@H.Example;transport=TCP", "b"},
                                Spelling{"sip:b@h.example", "b udp"},
                                Spelling{"sips:b@h.example", "b sips"},
                                Spelling{"sip:A@192.0.2.1", "A"},
                                Spelling{"sip:a@192.0.2.1:5070", "a 5070"},
                                Spelling{"sip:c@[2001:db8::1]:5070", "c"}};

struct Wish {  // one Contact as it is generated
  Spelling spelling;
  std::optional<std::string> q;
  std::optional<std::uint32_t> expires;
  bool shares_line = false;  // with the one before
};

struct Ask {
  std::string aor, call_id;
  std::uint32_t cseq = 0;
  bool star = false;
  std::vector<Wish> wishes;
  std::optional<std::string> expires;  // header; may be nonsense
};

struct Kept {
  std::string name, text, call_id;
  std::uint32_t cseq;
  Instant end;
};

std::string text_of(const Wish& wish) {
  return std::string("<") + wish.spelling.uri + ">" + (wish.q ? ";q=" + *wish.q : "");
}

class Model {
 public:
  // 10.3 steps 6 to 8; the status.
  int apply(const Ask& ask, const Policy& policy, Instant now) {
    std::vector<Kept>& kept = aors_[ask.aor];
    std::erase_if(kept, [now](const Kept& k) { return k.end <= now; });
    if (ask.wishes.empty() && !ask.star) return 200;
    const std::optional<std::uint32_t> header = header_of(ask);
    if (ask.star && (!ask.wishes.empty() || header != 0u)) return 400;
    std::vector<std::uint32_t> granted;
    for (const Wish& wish : ask.wishes) {
      std::uint32_t expires = wish.expires ? *wish.expires : header ? *header : policy.default_expires_s;
      if (expires > 0 && expires < 3'600 && expires < policy.min_expires_s) return 423;
      if (expires > 0) expires = std::min(std::max(expires, policy.min_expires_s), policy.max_expires_s);
      granted.push_back(expires);
    }
    const auto late = [&ask](const Kept& k) { return k.call_id == ask.call_id && ask.cseq <= k.cseq; };
    if (ask.star) {
      if (std::ranges::any_of(kept, late)) return 500;
      kept.clear();
      return 200;
    }
    std::vector<Kept> next = kept;
    bool adds = false;
    for (std::size_t i = 0; i < ask.wishes.size(); ++i) {
      const std::string name = ask.wishes[i].spelling.name;
      if (named_again(ask, i)) continue;
      for (const Kept& k : kept) {
        if (k.name == name && late(k)) return 500;
      }
      std::erase_if(next, [&name](const Kept& k) { return k.name == name; });
      if (granted[i] == 0) continue;
      next.push_back({name, text_of(ask.wishes[i]), ask.call_id, ask.cseq, now + granted[i] * Duration(1s)});
      adds = true;
    }
    // Who holds more than a limit that was lowered since may refresh, and not add.
    if (adds && next.size() > policy.contacts_max && next.size() > kept.size()) return 403;
    kept = std::move(next);
    return 200;
  }

  Listing listing(const std::string& aor, Instant now) {
    Listing out;
    for (const Kept& k : aors_[aor]) {
      if (k.end <= now) continue;
      const auto left_s = std::chrono::ceil<std::chrono::seconds>(k.end - now).count();
      out.push_back(k.text + ";expires=" + std::to_string(left_s));
    }
    std::ranges::sort(out);
    return out;
  }

 private:
  // 20.19: what cannot be read counts as 3600.
  static std::optional<std::uint32_t> header_of(const Ask& ask) {
    if (!ask.expires) return std::nullopt;
    if (ask.expires->find_first_not_of("0123456789") != std::string::npos) return 3'600;
    return static_cast<std::uint32_t>(std::stoul(*ask.expires));
  }
  // The last of one URI in a request wins.
  static bool named_again(const Ask& ask, std::size_t i) {
    return std::any_of(ask.wishes.begin() + static_cast<std::ptrdiff_t>(i) + 1, ask.wishes.end(),
                       [&](const Wish& later) {
                         return std::string_view(later.spelling.name) == ask.wishes[i].spelling.name;
                       });
  }
  std::map<std::string, std::vector<Kept>> aors_;
};

support::RequestText request_of(const Ask& ask) {
  support::RequestText request;
  request.to = "<sip:" + ask.aor + ">";
  request.call_id = ask.call_id;
  request.cseq = ask.cseq;
  for (const Wish& wish : ask.wishes) {
    const std::string contact =
        text_of(wish) + (wish.expires ? ";expires=" + std::to_string(*wish.expires) : "");
    if (wish.shares_line && !request.lines.empty()) {
      request.lines.back() += ", " + contact;
    } else {
      request.with("Contact: " + contact);
    }
  }
  if (ask.star) request.with("m: *");
  if (ask.expires) request.with("Expires: " + *ask.expires);
  return request;
}

class Run {
 public:
  void step() {
    switch (*rc::gen::weightedElement<int>({{12, 0}, {3, 1}, {1, 2}, {1, 3}})) {
      case 0: ask(); break;
      case 1: now_ += *rc::gen::element<Duration>(1s, 7s, 59s, 60s, 300s, 3'600s); break;
      case 2: registrations_.expire(now_, *rc::gen::element(1u, 100u)); break;
      default: policy_.contacts_max = *rc::gen::element(1u, 2u, 3u, 10u);
    }
    for (const auto& aor : kAors)
      RC_ASSERT(listed(registrar_.bindings(aor, directory_.hash(aor))) == model_.listing(aor, now_));
    reader_.quiescent();
    registrations_.turn();
  }

  void finish() {
    now_ += 3h;
    registrations_.expire(now_, 1'000);
    RC_ASSERT(registrations_.live() == 0u);
    RC_ASSERT(directory_.bindings() == 0u);
  }

 private:
  Ask generated() {
    Ask ask;
    ask.aor = *rc::gen::elementOf(kAors);
    ask.call_id = "call-" + std::to_string(*rc::gen::inRange(0, 4));
    ++cseq_;
    ask.cseq = cseq_ - std::min(cseq_, *rc::gen::weightedElement<std::uint32_t>({{6, 0u}, {1, 1u}, {2, 8u}}));
    ask.star = *rc::gen::weightedElement<bool>({{9, false}, {1, true}});
    const int wishes =
        ask.star ? *rc::gen::weightedElement<int>({{5, 0}, {1, 1}}) : *rc::gen::element(0, 1, 1, 1, 2, 3, 4);
    for (int i = 0; i < wishes; ++i) {
      Wish wish;
      wish.spelling = *rc::gen::elementOf(kSpellings);
      wish.q = *rc::gen::element<std::optional<std::string>>(std::nullopt, std::nullopt, "0.5", "1.0", "0");
      wish.expires = *rc::gen::element<std::optional<std::uint32_t>>(std::nullopt, std::nullopt, 0u, 59u, 60u,
                                                                     90u, 3'600u, 9'999u);
      wish.shares_line = *rc::gen::arbitrary<bool>();
      ask.wishes.push_back(wish);
    }
    using Header = std::optional<std::string>;
    ask.expires =
        ask.star ? *rc::gen::weightedElement<Header>({{5, "0"}, {1, std::nullopt}, {1, "60"}, {1, "soon"}})
                 : *rc::gen::element<Header>(std::nullopt, std::nullopt, "0", "30", "600", "99999", "soon");
    return ask;
  }

  void ask() {
    const Ask ask = generated();
    const std::string text = request_of(ask).text();
    RC_ASSERT(sip::parse(text, sip::Framing::datagram, message_).completeness == sip::Completeness::complete);
    const int wanted = model_.apply(ask, policy_, now_);
    const Outcome outcome = registrar_.handle({message_,
                                               ask.aor,
                                               directory_.hash(ask.aor),
                                               message_.value(sip::HeaderId::call_id),
                                               ask.cseq,
                                               {IpAddress::v4(192, 0, 2, 7), 5062},
                                               0,
                                               now_},
                                              policy_);
    if (wanted != static_cast<int>(status(outcome.result)))
      RC_FAIL(text + "\nwanted " + std::to_string(wanted));
    if (wanted == 200) RC_ASSERT(listed(outcome.bindings) == model_.listing(ask.aor, now_));
  }

  Listing listed(const location::BindingSet* bindings) const {
    std::array<char, 16'384> space;
    Writer out(space.data(), space.size());
    write_contacts(out, bindings, now_);
    RC_ASSERT(out.ok());
    Listing contacts;
    const std::string lines{out.text()};
    for (std::size_t at = 0, end; (end = lines.find("\r\n", at)) != lines.npos; at = end + 2) {
      RC_ASSERT(lines.compare(at, 9, "Contact: ") == 0);
      contacts.push_back(lines.substr(at + 9, end - at - 9));
    }
    std::ranges::sort(contacts);
    return contacts;
  }

  inline static const std::vector<std::string> kAors{"100@example.com", "101@example.com"};
  location::Config config_{.shards = 1, .bindings_max = 100, .hash_key = {3, 4}};
  support::Pages pages_{location::Directory::region_bytes(config_)};
  location::Directory directory_{config_, pages_.span()};
  location::Participant reader_{directory_.grace()};
  Instant now_{1'000s};
  location::Registrations registrations_{directory_, 0, now_};
  Registrar registrar_{directory_, registrations_};
  Policy policy_{};
  sip::Message message_;
  Model model_;
  std::uint32_t cseq_ = 0;
};

RC_GTEST_PROP(RegistrarProperty, AnswersAsTheSectionReads, ()) {
  Run run;
  const int steps = *rc::gen::inRange(1, 150);
  for (int i = 0; i < steps; ++i) run.step();
  run.finish();
}

}  // namespace
}  // namespace ringweir::registrar
