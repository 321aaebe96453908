// The callers' side of the calls: INVITE, ACK, BYE, with the client transactions of RFC 3261 17.1.
#pragma once
#include <cstdint>
#include <string_view>

#include "call_world.h"
#include "reply.h"

namespace ringweir::load {

class Callers {
 public:
  explicit Callers(CallWorld& world) : world_(world) {}

  // False when kCallsMax are in flight.
  bool begin(std::int64_t due_ns);
  void take(std::string_view response);
  void run_timers(Call& call);
  // How long a call that rings is waited for.
  void be_patient(std::int64_t nanoseconds) noexcept { ringing_max_ns_ = nanoseconds; }

 private:
  void choose_users(Call& call);
  void take_provisional(Call& call, int status);
  void take_answer(Call& call, std::string_view response);
  void take_refusal(Call& call, int status, std::string_view response);
  void take_bye_response(Call& call, int status);
  void answer_challenge(Call& call, int status, std::string_view response);
  void hang_up(Call& call);
  void send(Call& call);
  void start_request(Call& call, CallStep step);
  void refuse(Call& call, int status);
  void fail(Call& call);
  void lose(Call& call, std::uint64_t& what);
  bool fits(const Call& call, std::string_view response) const;

  CallWorld& world_;
  std::int64_t ringing_max_ns_ = kTransactionNs;
};

}  // namespace ringweir::load
