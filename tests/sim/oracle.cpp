#include "sim/oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace ringweir::sim {
namespace {

constexpr Duration kTick = 100ms;     // granted lifetimes are kept in ticks, rounded down
constexpr Duration kRemembered = 32s; // RFC 3261 Timer J
constexpr Duration kLate = 2s;        // a punctual shard has removed what expired this long ago

double seconds(Instant at) { return static_cast<double>(at.time_since_epoch().count()) / 1e9; }

bool overlap(const Range& a, const Range& b) { return a.least - kTick <= b.most && b.least <= a.most + kTick; }

std::string branch_of(const support::SipText& message) { return support::parameter_of(message.get("via"), "branch"); }

// Not the end of a transaction: challenges are stateless (RFC 3261 8.2.7), 503 is told by whoever has no room.
bool is_stateless(int status) { return status == 401 || status == 407 || status == 503; }

}  // namespace

void Oracle::fail(std::string kind, std::string text) {
  if (!violation_) violation_ = Violation{std::move(kind), std::move(text)};
}

void Oracle::asked(const Asked& request) {
  Transaction t;
  t.asked = request;
  transactions_.emplace(request.branch, std::move(t));
}

void Oracle::users_added() {
  for (auto& [branch, t] : transactions_) t.asked.must_refuse &= !t.asked.not_yet;
}

void Oracle::delivered(const std::string& branch, Instant now) {
  const auto found = transactions_.find(branch);
  if (found == transactions_.end()) return;
  Transaction& t = found->second;
  auto& highest = cseq_delivered_[t.asked.call_id];
  highest = std::max(highest, t.asked.cseq);
  if (t.inside) return;
  t.inside = true;
  t.seen_answer = false;
  if (!t.perhaps_decided) t.delivered_first = now;
  if (t.asked.method == "REGISTER") books_[t.asked.aor].inside.push_back(&t);
}

void Oracle::leave(Transaction& t) {
  std::erase(books_[t.asked.aor].inside, &t);
  t.inside = false;
}

// What a request may make of one contact, when it is decided between its delivery and now.
Oracle::Belief Oracle::effect(const Transaction& t, const AskedContact& contact, Instant now) {
  if (contact.granted_s == 0) return {};
  const Duration lifetime = std::chrono::seconds(contact.granted_s);
  return {false, {{t.delivered_first + lifetime - kTick, now + lifetime}}};
}

bool Oracle::touched(const Book& book, const std::string& uri) const {
  return std::any_of(book.inside.begin(), book.inside.end(), [&](const Transaction* t) {
    return t->asked.star || std::any_of(t->asked.contacts.begin(), t->asked.contacts.end(),
                                        [&](const AskedContact& contact) { return contact.uri == uri; });
  });
}

Oracle::Belief Oracle::believe(const Book& book, const std::string& uri, Instant now) const {
  const auto known = book.contacts.find(uri);
  Belief belief = known == book.contacts.end() ? Belief{} : known->second;
  for (const Transaction* t : book.inside) {
    if (t->asked.must_refuse || t->asked.too_brief) continue;
    if (t->asked.star) belief.may_be_absent = true;
    for (const AskedContact& contact : t->asked.contacts) {
      if (contact.uri != uri) continue;
      const Belief after = effect(*t, contact, now);
      belief.may_be_absent |= after.may_be_absent;
      belief.may_expire.insert(belief.may_expire.end(), after.may_expire.begin(), after.may_expire.end());
    }
  }
  return belief;
}

bool Oracle::possible(std::size_t aor, const std::vector<Shown>& shown, Instant now, const char* where) {
  Book& book = books_[aor];
  for (const Shown& binding : shown) {
    const Belief belief = believe(book, binding.uri, now);
    if (belief.may_expire.empty()) {
      fail("undead", fmt::format("{}: aor {} shows {} which nobody is registered with", where, aor, binding.uri));
      return false;
    }
    if (std::none_of(belief.may_expire.begin(), belief.may_expire.end(),
                     [&](const Range& range) { return overlap(range, binding.expires); })) {
      fail("undead", fmt::format("{}: aor {} shows {} until {:.1f}..{:.1f}, promised until {:.1f}..{:.1f}", where, aor,
                                 binding.uri, seconds(binding.expires.least), seconds(binding.expires.most),
                                 seconds(belief.may_expire.front().least), seconds(belief.may_expire.back().most)));
      return false;
    }
  }
  for (const auto& [uri, known] : book.contacts) {
    const bool listed = std::any_of(shown.begin(), shown.end(), [&](const Shown& s) { return s.uri == uri; });
    if (listed) continue;
    const Belief belief = believe(book, uri, now);
    const bool may_be_gone =
        belief.may_be_absent || std::any_of(belief.may_expire.begin(), belief.may_expire.end(),
                                            [&](const Range& range) { return range.least - kTick <= now; });
    if (!may_be_gone) {
      fail("lose", fmt::format("{}: aor {} lost {} promised until {:.1f}", where, aor, uri,
                               seconds(belief.may_expire.front().most)));
      return false;
    }
  }
  return true;
}

// A list shows how things stand: beliefs that no request inside can still change become knowledge.
void Oracle::narrow(Book& book, const std::vector<Shown>& shown, Instant now) {
  bool exact = true;
  for (auto at = book.contacts.begin(); at != book.contacts.end();) {
    if (touched(book, at->first)) {
      exact = false;
      ++at;
      continue;
    }
    const auto listed = std::find_if(shown.begin(), shown.end(), [&](const Shown& s) { return s.uri == at->first; });
    if (listed == shown.end()) {
      at = book.contacts.erase(at);
      continue;
    }
    Belief known{false, {}};
    for (const Range& range : at->second.may_expire) {
      if (!overlap(range, listed->expires)) continue;
      const Instant least = std::max(range.least, listed->expires.least - kTick);
      const Instant most = std::min(range.most, listed->expires.most + kTick);
      known.may_expire.push_back({std::min(least, most), most});
    }
    at->second = std::move(known);
    ++at;
  }
  (void)now;
  if (exact) ++lists_exact_;
}

void Oracle::decided_now(Book& book, const Transaction& t, Instant now) {
  if (t.asked.star) book.contacts.clear();
  for (const AskedContact& contact : t.asked.contacts) {
    const Instant most = now + std::chrono::seconds(contact.granted_s);
    if (contact.granted_s == 0) {
      book.contacts.erase(contact.uri);
    } else {
      book.contacts[contact.uri] = {false, {{most - kTick, most}}};
    }
  }
}

void Oracle::perhaps_decided(Book& book, const Transaction& t, Instant now) {
  if (t.asked.star) {
    for (auto& [uri, belief] : book.contacts) belief.may_be_absent = true;
  }
  for (const AskedContact& contact : t.asked.contacts) {
    const Belief after = effect(t, contact, now);
    Belief& belief = book.contacts[contact.uri];  // a new one may be absent
    belief.may_be_absent |= after.may_be_absent;
    belief.may_expire.insert(belief.may_expire.end(), after.may_expire.begin(), after.may_expire.end());
  }
}

void Oracle::settled(Instant now) {
  for (auto& book : books_) {
    for (Transaction* t : std::vector<Transaction*>(book.inside)) {
      const bool perhaps_untold = last_unsent_ >= t->delivered_first;
      if (!t->seen_answer && !perhaps_untold) {
        fail("mute", fmt::format("{} {} of {} was read and not answered", t->asked.method, t->asked.branch, t->asked.call_id));
      }
      leave(*t);
      const bool no_effect = t->final_status != 0 || t->asked.must_refuse || t->asked.too_brief;
      if (!perhaps_untold || no_effect) continue;
      t->perhaps_decided = true;
      perhaps_decided(book, *t, now);
    }
    // What has surely expired is forgotten.
    std::erase_if(book.contacts, [&](const auto& entry) {
      return std::all_of(entry.second.may_expire.begin(), entry.second.may_expire.end(),
                         [&](const Range& range) { return range.most + 2 * kLate < now; });
    });
  }
}

void Oracle::swept(std::size_t aor, const std::vector<Shown>& shown, Instant now, bool punctual) {
  std::vector<Shown> alive;
  for (const Shown& binding : shown) {
    if (binding.expires.most > now) {
      alive.push_back(binding);
    } else if (punctual && binding.expires.most + kLate < now) {
      fail("undead", fmt::format("aor {}: {} expired at {:.1f} and is still there", aor, binding.uri,
                                 seconds(binding.expires.most)));
    }
  }
  possible(aor, alive, now, "directory");
}

// RFC 3261 17.2.2: whatever is retransmitted gets the answer that was given. True when this is the first of them.
bool Oracle::one_answer(Transaction& t, const support::SipText& response, Instant now) {
  const std::string tag = support::parameter_of(response.get("to"), "tag");
  const bool same = response.status == t.final_status && tag == t.to_tag;
  const bool remembered = t.final_status != 0 && (now < t.decided.least + kRemembered ||
                                                  (same && now < t.decided.most + kRemembered));
  if (is_stateless(response.status)) {
    if (remembered && response.status != 503) {
      fail("twice", fmt::format("{} {} was answered {} and is challenged with {}", t.asked.method, t.asked.branch,
                                t.final_status, response.status));
    }
    return false;
  }
  if (remembered) {
    if (!same) {
      fail("twice", fmt::format("{} {} was answered {} (tag {}), then {} (tag {})", t.asked.method, t.asked.branch,
                                t.final_status, t.to_tag, response.status, tag));
    }
    return false;
  }
  t.final_status = response.status;
  t.to_tag = tag;
  t.decided = {last_unsent_ >= t.delivered_first ? t.delivered_first : now, now};
  return true;
}

void Oracle::accepted(Transaction& t, int status, Instant) {
  if (t.asked.must_refuse) {
    fail("replay", fmt::format("{} {} must be refused and got {}", t.asked.method, t.asked.branch, status));
  }
  if (t.asked.nonce.empty()) return;
  const auto [at, fresh] = used_.emplace(std::pair{t.asked.nonce, t.asked.nc}, t.asked.branch);
  if (!fresh) {
    fail("replay", fmt::format("nonce {} count {} accepted for {} and again for {}", t.asked.nonce, t.asked.nc, at->second,
                               t.asked.branch));
  }
}

// An error that an honest phone gets has a cause that the oracle can see.
void Oracle::refused_rightly(const Transaction& t, int status, Instant now) {
  const Book& book = books_[t.asked.aor];
  switch (status) {
    case 423:
      if (!t.asked.too_brief) fail("refusal", fmt::format("423 for {} which asks for enough", t.asked.branch));
      return;
    case 500:  // out of order: a higher CSeq of this Call-ID has been in
      if (cseq_delivered_[t.asked.call_id] > t.asked.cseq) return;
      if (last_unsent_ >= t.delivered_first || t.final_status != 0) return;
      fail("refusal", fmt::format("500 for {}, the newest of {}", t.asked.branch, t.asked.call_id));
      return;
    case 403: {
      if (last_unsent_ >= t.delivered_first) return;  // decided when more was bound, perhaps
      std::size_t possible_contacts = t.asked.contacts.size();
      for (const auto& [uri, belief] : book.contacts) {
        const bool counted = std::any_of(t.asked.contacts.begin(), t.asked.contacts.end(),
                                         [&](const AskedContact& contact) { return contact.uri == uri; });
        if (!counted) ++possible_contacts;
      }
      for (const Transaction* other : book.inside) possible_contacts += other == &t ? 0 : other->asked.contacts.size();
      if (possible_contacts <= contacts_max_) fail("refusal", fmt::format("403 for {} at {:.1f}", t.asked.branch, seconds(now)));
      return;
    }
    default: fail("refusal", fmt::format("{} for {} {}", status, t.asked.method, t.asked.branch)); return;
  }
}

void Oracle::granted(Transaction& t, const support::SipText& response, bool first, Instant now) {
  Book& book = books_[t.asked.aor];
  if (first) {
    const auto previous = cseq_granted_.find(t.asked.call_id);
    if (previous == cseq_granted_.end() || previous->second < t.asked.cseq) cseq_granted_[t.asked.call_id] = t.asked.cseq;
    if (last_unsent_ < t.delivered_first) {
      decided_now(book, t, now);
    } else {
      perhaps_decided(book, t, now);  // earlier, and others have been at it since
    }
    if (t.inside) leave(t);
  }
  std::vector<Shown> shown;
  for (const std::string_view value : response.all("contact")) {
    const std::string text = support::parameter_of(value.substr(value.find('>') + 1), "expires");
    std::uint32_t remaining = 0;
    std::from_chars(text.data(), text.data() + text.size(), remaining);
    const Instant most = now + std::chrono::seconds(remaining);
    shown.push_back({std::string{support::bracketed(value)}, {most - 1s, most}});
  }
  if (possible(t.asked.aor, shown, now, t.asked.branch.c_str())) narrow(book, shown, now);
}

void Oracle::answered(const support::SipText& response, const Endpoint& to, Instant now) {
  const auto found = transactions_.find(branch_of(response));
  if (found == transactions_.end()) {
    if (response.status == 200 && response.get("cseq").ends_with("REGISTER") && authenticates_) {
      fail("replay", "a REGISTER that no phone sent got 200");
    }
    return;
  }
  Transaction& t = found->second;
  ++answers_checked_;
  t.seen_answer = true;
  if (to != t.asked.source) {
    fail("misdirect", fmt::format("answer to {} went to {} instead of {}", t.asked.branch, to_string(to), to_string(t.asked.source)));
  }
  if (response.get("call-id") != t.asked.call_id ||
      response.get("cseq") != fmt::format("{} {}", t.asked.cseq, t.asked.method)) {
    fail("misdirect", fmt::format("answer to {} carries another Call-ID or CSeq", t.asked.branch));
  }
  const bool first = one_answer(t, response, now);
  if (violation_ || is_stateless(response.status) || t.asked.method != "REGISTER") return;
  if (first) {
    accepted(t, response.status, now);
    if (response.status != 200) refused_rightly(t, response.status, now);
  }
  if (violation_) return;
  if (response.status == 200) {
    granted(t, response, first, now);
  } else if (first && t.inside) {
    leave(t);
  }
}

bool Oracle::was_accepted(const std::string& branch) const {
  const auto found = transactions_.find(branch);
  return found != transactions_.end() && found->second.final_status != 0;
}

std::size_t Oracle::contacts_possible() const {
  std::size_t count = 0;
  for (const Book& book : books_) {
    count += book.contacts.size();
    for (const Transaction* t : book.inside) count += t->asked.contacts.size();
  }
  return count;
}

}  // namespace ringweir::sim
