// What the edge owes its callers, watched at its sockets by a model that shares no code with it: who sent what is told by the parties,
// what the edge sends is seen, and when a target may be used is what control last said.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ringweir/base/address.h"
#include "ringweir/base/time.h"
#include "sim/party.h"
#include "sim/violation.h"
#include "support/sip_text.h"

namespace ringweir::sim {

class CallOracle {
 public:
  struct Rules {
    bool ordered = false;       // messages keep their order
    bool may_forget = false;    // transactions are given up early for want of room: then an INVITE may be answered anew
    Duration cancel_most{};     // from a CANCEL that was answered 200 to the INVITE's final response
  };
  explicit CallOracle(const Rules& rules) : rules_(rules) {}

  // Who is there.
  void knows(const Endpoint& endpoint, std::uint32_t index, bool is_target);
  void hostile_at(const IpAddress& ip) { hostile_ = ip; }
  // Where calls to this Request-URI may go; `stateless`: nothing is kept of them.
  void leads(const std::string& uri, std::set<Endpoint> to, bool stateless);

  // Told by parties.
  void invited(const Invited& invite);
  void cancelled(const std::string& branch, Instant now);

  // A 2xx of this call is inside the edge: whoever gave it may not be there to repeat it, and the edge may have no room to send it.
  void accepted(const support::SipText& response) {
    if (Invite* invite = invite_of(response)) invite->accepted = true;
  }

  // Told by control.
  void drained(const Endpoint& target, bool is) { set(drained_, target, is); }
  void down(const Endpoint& target, bool is) { set(down_, target, is); }
  // The edge itself has put this target aside, before the present turn.
  void put_aside(const Endpoint& target, bool is) { set(aside_, target, is); }
  void at(Instant now) { now_ = now; }

  // The edge sent this. `by_owner`: the shard whose call it is did.
  void sent(const support::SipText& message, const Endpoint& to, bool by_owner, Instant now);
  // Nothing is late.
  void watch(Instant now);
  // Every INVITE that was accepted for forwarding has had its final response, every CANCEL its answer.
  void all_answered(Instant now);

  const std::optional<Violation>& violation() const { return violation_; }
  void fail(const std::string& kind, const std::string& text) {
    if (!violation_) violation_ = Violation{kind, text};
  }
  // It hears nothing more: nobody is owed an answer.
  void died(const Endpoint& party);
  std::uint64_t finals() const { return finals_; }
  std::uint64_t followed() const { return followed_; }

 private:
  struct Invite {
    Invited told;
    bool tried = false;          // the edge has a transaction for it
    bool accepted = false;
    Instant cancel_sent_at{}, cancelled_at{};
    int status = 0;
    std::string bytes;                    // of the final response
    std::map<std::string, std::string> successes;  // To tag -> the same
    std::set<std::string> branches;       // of ours towards callees
    std::set<std::string> cancels;        // of those
  };
  struct Person {
    std::uint32_t index;
    bool is_target;
  };
  // It has begun what it sends: a side of that, at whatever port it names.
  bool is_hostile(const Endpoint& to) const { return to.ip == hostile_; }
  void set(std::set<Endpoint>& of, const Endpoint& target, bool is) {
    if (is == of.contains(target)) return;
    changed_at_ = now_;
    if (is) {
      of.insert(target);
    } else {
      of.erase(target);
    }
  }
  bool excused(const Invite& invite) const { return invite.accepted && !rules_.ordered; }
  bool is_stateless(const std::string& uri) const {
    const auto lead = leads_.find(uri);
    return lead != leads_.end() && lead->second.second;
  }
  void response(const support::SipText& message, const Endpoint& to, bool by_owner, Instant now);
  void request(const support::SipText& message, const Endpoint& to, Instant now);
  void final_response(Invite& invite, const support::SipText& message, bool by_owner, Instant now);
  void new_branch(const support::SipText& message, const Endpoint& to, Instant now);
  void in_dialog(const support::SipText& message, const Endpoint& to, Instant now);
  void in_order(const support::SipText& message);
  Invite* invite_of(const support::SipText& message);

  Rules rules_;
  std::map<Endpoint, Person> people_;
  IpAddress hostile_{};
  std::set<Endpoint> drained_, down_, aside_;
  std::map<std::string, std::pair<std::set<Endpoint>, bool>> leads_;
  std::map<std::string, Invite> invites_;                 // by the caller's branch
  std::map<std::string, std::string> by_call_;            // Call-ID and CSeq -> branch
  std::map<std::string, std::set<Endpoint>> sides_;       // by Call-ID: who may be sent requests of it
  std::map<std::string, std::uint64_t> highest_;          // by Call-ID and sender: X-Order
  std::set<std::string> seen_;                            // X-Orders of each Call-ID
  std::set<std::string> answered_twice_;                  // Call-IDs
  std::set<std::string> cancels_;                         // branches of INVITEs whose CANCEL has had no answer
  std::set<std::string> open_;                            // branches of INVITEs without a final response
  Instant now_{}, changed_at_{};                           // when a target last became usable or ceased to be
  std::optional<Violation> violation_;
  std::uint64_t finals_ = 0, followed_ = 0;
};

}  // namespace ringweir::sim
