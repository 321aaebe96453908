// A user agent of the simulation (RFC 3261 8, 12 to 15, 17): a registered phone or a server of the farm. It calls, answers, rings,
// refuses, forks, cancels, hangs up, dies and comes back, and draws everything it does from its own generator. Its transactions are
// its own and naive: it shares no code with what is under test.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ringweir/base/address.h"
#include "ringweir/base/random.h"
#include "ringweir/base/time.h"
#include "sim/call_knobs.h"
#include "support/sip_text.h"

namespace ringweir::sim {

struct PartyIdentity {
  std::uint32_t index = 0;
  Endpoint address;
  std::string user, password;  // of a phone
  std::string q;               // of its contact, ";q=..."
  Endpoint edge;               // as it is reached from here
  bool is_target = false;
};

// What the oracle is told by who sends it.
struct Invited {
  std::string branch, call_id, uri;
  std::uint32_t cseq = 0;
  Endpoint from;
  bool begins = true;  // no To tag
};

struct PartyOutside {
  std::function<void(const std::string& bytes)> send;
  std::function<void(Duration after, std::uint64_t token)> timer;
  std::function<void(const Invited&)> invited;
  std::function<void(const std::string& branch)> cancelled;  // its INVITE's
  std::function<void(const std::string& kind, const std::string& text)> fail;
  std::function<void()> died;
  std::function<Instant()> now;
};

struct CallPlan {
  std::string uri;
  Duration cancel_after{};  // after it rang; zero: never
  Duration talk{1s};
  bool by_route = true;     // requests of the call bring its Routes
  bool reinvites = false;
  bool dies = false;        // while it talks
};

class Party {
 public:
  Party(PartyIdentity identity, const CallKnobs& knobs, std::uint64_t seed, PartyOutside outside);

  void receive(std::string_view bytes);
  void ring(std::uint64_t token);  // a timer

  void register_here();
  std::string call(const CallPlan& plan);                            // its Call-ID
  void ask(const std::string& method, const std::string& uri);       // outside of any dialog
  void hang_up_all();
  void die();
  void revive() { alive_ = true; }
  void calm() { calm_ = true; }
  void keep_both() { keep_both_ = true; }  // a fault on purpose

  const PartyIdentity& identity() const { return identity_; }
  bool alive() const { return alive_; }
  bool registered() const { return registered_; }
  std::uint32_t deaths() const { return deaths_; }
  int final_of(const std::string& call_id) const;  // 0: none yet; 408 also by itself
  bool over(const std::string& call_id) const;     // it talks no more, and its BYE was answered or given up
  std::uint32_t talking(const std::string& call_id, bool as_callee) const;  // dialogs that stand
  bool called(const std::string& call_id) const { return outgoing_.contains(call_id); }
  struct Talk {
    std::string call_id;
    bool answered;  // by us, and acknowledged
    Instant since;
  };
  std::vector<Talk> talks() const;                 // dialogs that stand
  std::vector<std::string> ringing() const;        // Call-IDs of INVITEs that it has not answered
  bool busy() const { return !clients_.empty(); }

 private:
  // One request as it is written.
  struct Draft {
    std::string method, uri, branch, from, to, call_id;
    std::uint32_t cseq = 1;
    std::vector<std::string> routes, lines{};
  };
  struct Client {  // 17.1
    enum class State : std::uint8_t { calling, proceeding, completed, accepted };
    std::string branch, method, bytes, ack;
    Draft draft;
    Duration interval{};
    State state = State::calling;
    std::function<void(const support::SipText*)> heard;  // null: timed out
  };
  struct Server {  // 17.2
    support::SipText request;
    std::string last, tag;
    bool rang = false, is_final = false, is_success = false, acked = false;
    Duration interval{};
    std::uint64_t order = 0;
  };
  struct Leg {  // 12
    std::string call_id, local_tag, remote_tag, local, remote, target;
    std::vector<std::string> routes;
    std::uint32_t cseq = 1;
    bool by_route = true, stands = true, answered_by_us = false, acked = false;
    std::string original_uri, unrouted, ack, answer;
    Duration interval{};
    Instant since{};
    int bye = 0;  // what its BYE got; 408: nothing
  };
  struct Outgoing {
    CallPlan plan;
    std::string call_id, tag, branch;
    std::uint32_t cseq = 0;
    bool rang = false, cancelled = false, no_more = false;
    int status = 0, tries = 0;
    support::SipText edge_challenge, farm_challenge;
  };

  // party.cpp
  void after(Duration delay, std::function<void()> what);
  std::string branch();
  std::string new_tag();
  bool one_in(std::uint32_t n) { return random_.below(n) == 0; }
  Duration between(Duration least, Duration most);
  std::string contact() const;
  std::string text(const Draft& draft);
  std::string begin(Draft draft, std::function<void(const support::SipText*)> heard);  // a client transaction; its branch
  void again(const std::string& key);
  void response(const support::SipText& message);
  std::string response_text(const support::SipText& request, int status, const std::string& tag, bool in_order,
                            const std::vector<std::string>& lines = {});

  // party_caller.cpp
  void invite(Outgoing& call);
  void heard(const std::string& call_id, const support::SipText* message);
  void challenged(Outgoing& call, const support::SipText& message);
  void picked_up(Outgoing& call, const support::SipText& message);
  void cancel(const std::string& call_id);
  void acknowledge(Leg& leg);
  void expect_our_side(const Leg& leg);
  Draft in_dialog(Leg& leg, const std::string& method);
  void hang_up(const std::string& key);
  void reinvite(const std::string& key);
  std::string credentials(const support::SipText& challenge, const std::string& realm, const std::string& method,
                          const std::string& uri);

  // party_callee.cpp
  void request(const support::SipText& message);
  void invited(const std::string& key);
  void treat(const std::string& key);
  void respond(const std::string& key, int status, const std::vector<std::string>& lines = {});
  void answer(const std::string& key, const std::string& tag);
  void again_2xx(const std::string& leg, Duration passed);
  void again_final(const std::string& key, Duration passed);
  void keep_ringing(const std::string& key, int times);
  void garbage(const std::string& key);
  bool merged(const support::SipText& message) const;
  std::string leg_key(const std::string& call_id, const std::string& local_tag, const std::string& remote_tag) const;

  PartyIdentity identity_;
  const CallKnobs& knobs_;
  Random random_;
  PartyOutside outside_;
  bool alive_ = true, calm_ = false, registered_ = false, keep_both_ = false;
  std::uint32_t deaths_ = 0;
  std::uint64_t made_ = 0;    // branches, tags, Call-IDs
  std::uint64_t tokens_ = 0;
  std::uint32_t nc_ = 0;
  std::map<std::uint64_t, std::function<void()>> timers_;
  std::map<std::string, Client> clients_;  // branch, method
  std::map<std::string, Server> servers_;  // branch, method
  std::map<std::string, Leg> legs_;        // Call-ID, local tag, remote tag
  std::map<std::string, Outgoing> outgoing_;
  std::map<std::string, std::uint64_t> orders_;  // by Call-ID: messages made
};

}  // namespace ringweir::sim
