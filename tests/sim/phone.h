// A softphone as a state machine: it decides what it wants, runs one non-INVITE client transaction at a time (RFC 3261
// 17.1.2, timers E and F), answers digest challenges, and draws everything it does from its own generator.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ringweir/base/random.h"
#include "sim/event_queue.h"
#include "sim/knobs.h"
#include "sim/oracle.h"
#include "support/sip_text.h"

namespace ringweir::sim {

// What a phone can do to the world around it.
struct PhoneOutside {
  std::function<void(const std::string& bytes, const std::string& branch)> send;
  std::function<void(Asked)> asked;
  std::function<void(Duration after, What what, std::uint64_t token)> timer;
};

struct PhoneIdentity {
  std::uint32_t index = 0;
  std::size_t aor = 0;
  std::string user, password, realm, domain;
  Endpoint address;
  bool wrong_password = false;
  bool known = true;  // now: false until the swap for a user who comes with it
};

class Phone {
 public:
  Phone(PhoneIdentity identity, const Knobs& knobs, std::uint64_t seed, PhoneOutside outside);

  // `token` of the timer that rang; 0: something else woke it.
  void wake(std::uint64_t token, Instant now);
  void retransmit(std::uint64_t token);
  void give_up(std::uint64_t token, Instant now);
  void receive(std::string_view bytes, Instant now);

  // Stops wanting things by itself; from now on only `register_once` and `leave`.
  void calm() { calm_ = true; }
  void register_once(Instant now);
  void leave(Instant now);
  bool busy() const { return transaction_.has_value(); }
  int last_status() const { return last_status_; }  // of the last thing it wanted; 0: nothing came, 408 by itself
  const PhoneIdentity& identity() const { return identity_; }
  void users_added() { identity_.known = !identity_.wrong_password; }
  std::uint64_t done() const { return done_; }

 private:
  enum class Want : std::uint8_t {
    refresh, move, add, reboot, reboot_same_contact, leave, leave_all, query, brief, options, ping, silence
  };
  struct Transaction {
    std::uint64_t token;
    std::string branch, bytes;
    Duration interval;
  };

  void sleep(Duration until_wake);
  Want choose();
  void begin(Want want, Instant now);
  void request();
  void write_credentials(std::string& text, const std::string& uri, Asked& asked);
  void finish(int status, Instant now);
  void challenged(const support::SipText& response, Instant now);
  void new_call();
  std::string new_contact();

  PhoneIdentity identity_;
  const Knobs& knobs_;
  Random random_;
  PhoneOutside outside_;
  bool calm_ = false;

  std::string call_id_, tag_;
  std::uint32_t cseq_ = 0;
  std::vector<std::string> contacts_;  // what it believes to be registered with
  std::uint32_t contacts_made_ = 0;

  // What the present transaction asks for, kept for the repetition with credentials.
  std::string method_ = "REGISTER";
  std::vector<AskedContact> asking_;
  bool star_ = false, expires_by_header_ = false;
  std::uint32_t expires_s_ = 0;
  int tries_ = 0;
  std::optional<Want> want_;

  std::string nonce_;
  std::uint32_t nc_ = 0;
  bool challenge_by_proxy_ = false, qop_ = false, nonce_fresh_ = false;

  std::optional<Transaction> transaction_;
  std::uint64_t tokens_ = 0, wakes_ = 0;
  int last_status_ = 0;
  std::uint64_t done_ = 0;
};

}  // namespace ringweir::sim
