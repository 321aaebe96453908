// What the edge has promised, kept beside it by a model that shares no code with it. The model sees only what an observer
// at the sockets sees: requests that went in, answers that came out, and when nothing is left inside. What it cannot know
// it keeps as a belief: a contact may be absent, or expire within one of several ranges. Everything the edge shows (a 200's
// list, the directory between two turns) must be possible under the beliefs, and narrows them.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ringweir/base/address.h"
#include "ringweir/base/time.h"
#include "sim/violation.h"
#include "support/sip_text.h"

namespace ringweir::sim {

struct AskedContact {
  std::string uri;
  std::uint32_t granted_s = 0;  // 0 removes
};

// A request as the phone that sends it knows it.
struct Asked {
  std::string branch, method, call_id, nonce;
  std::uint32_t cseq = 0, nc = 0;
  std::size_t aor = 0;
  bool star = false;
  bool too_brief = false;    // asks for less than the minimum: 423
  bool must_refuse = false;  // wrong password, or a user who is not known
  bool not_yet = false;      // the latter, until users are added
  std::vector<AskedContact> contacts;
  Endpoint source;
};

struct Range {
  Instant least, most;
};
struct Shown {  // one binding as the edge shows it
  std::string uri;
  Range expires;
};

class Oracle {
 public:
  Oracle(std::size_t aors, std::uint32_t contacts_max, bool authenticates)
      : books_(aors), contacts_max_(contacts_max), authenticates_(authenticates) {}

  void asked(const Asked& request);
  // A copy of the request got into a socket's buffer.
  void delivered(const std::string& branch, Instant now);
  // The edge sent this, to that address.
  void answered(const support::SipText& response, const Endpoint& to, Instant now);
  // An answer could not leave for want of a buffer: something may have happened that nobody was told.
  void unsent(Instant now) { last_unsent_ = now; }
  // The configuration with more users is published: what was sent before may now be accepted.
  void users_added();
  // Nothing is inside the edge: what was delivered has been decided.
  void settled(Instant now);
  // The directory's view of one AOR between two turns. `punctual`: no shard is behind with its timers.
  void swept(std::size_t aor, const std::vector<Shown>& shown, Instant now, bool punctual);

  const std::optional<Violation>& violation() const { return violation_; }
  bool was_accepted(const std::string& branch) const;
  std::size_t contacts_possible() const;
  std::uint64_t answers_checked() const { return answers_checked_; }
  std::uint64_t lists_exact() const { return lists_exact_; }

 private:
  struct Belief {
    bool may_be_absent = true;
    std::vector<Range> may_expire;
  };
  struct Transaction {
    Asked asked;
    Instant delivered_first{};
    bool perhaps_decided = false;  // since delivered_first, without an answer that left
    bool inside = false;        // delivered, perhaps not decided yet
    bool seen_answer = false;   // since it got inside
    int final_status = 0;
    Range decided{};            // when it was
    std::string to_tag;
  };
  struct Book {  // one AOR's
    std::map<std::string, Belief> contacts;
    std::vector<Transaction*> inside;
  };

  void fail(std::string kind, std::string text);
  bool one_answer(Transaction& t, const support::SipText& response, Instant now);
  void accepted(Transaction& t, int status, Instant now);
  void refused_rightly(const Transaction& t, int status, Instant now);
  void granted(Transaction& t, const support::SipText& response, bool first, Instant now);
  void decided_now(Book& book, const Transaction& t, Instant now);
  void perhaps_decided(Book& book, const Transaction& t, Instant now);
  void leave(Transaction& t);
  static Belief effect(const Transaction& t, const AskedContact& contact, Instant now);
  Belief believe(const Book& book, const std::string& uri, Instant now) const;
  bool touched(const Book& book, const std::string& uri) const;
  bool possible(std::size_t aor, const std::vector<Shown>& shown, Instant now, const char* where);
  void narrow(Book& book, const std::vector<Shown>& shown, Instant now);

  std::map<std::string, Transaction> transactions_;  // by branch
  std::map<std::pair<std::string, std::uint32_t>, std::string> used_;  // (nonce, nc) -> branch that was accepted
  std::map<std::string, std::uint32_t> cseq_granted_;    // by Call-ID, of what got a 200
  std::map<std::string, std::uint32_t> cseq_delivered_;  // by Call-ID
  std::vector<Book> books_;
  std::uint32_t contacts_max_;
  bool authenticates_;
  Instant last_unsent_{Instant::min()};
  std::optional<Violation> violation_;
  std::uint64_t answers_checked_ = 0, lists_exact_ = 0;
};

}  // namespace ringweir::sim
