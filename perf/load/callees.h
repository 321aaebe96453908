// The callees' side of the calls: 180, 200 until its ACK comes (RFC 3261 13.3.1.4), 200 to BYE, and 200 to
// the OPTIONS of a server that looks whether we live.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "call_world.h"
#include "heard.h"
#include "peers.h"

namespace ringweir::load {

class Callees {
 public:
  Callees(CallWorld& world, const Peers& peers) : world_(world), peers_(peers) {}

  void take(std::uint32_t peer, std::string_view request);
  void run_timers(Call& call);
  // Ring, and answer only when told. Tokens in the order in which they began to ring.
  void hold() noexcept { holding_ = true; }
  const std::vector<std::uint64_t>& held() const noexcept { return held_; }
  void answer(Call& call);

 private:
  void take_invite(Call& call, std::uint32_t peer);
  void take_ack(Call& call, std::uint32_t peer);
  void take_bye(Call& call, std::uint32_t peer);
  void ring(Call& call);
  void send_answer(Call& call);
  bool fits(const Call& call, const HeardRequest& heard, std::string_view request, std::uint32_t peer) const;

  CallWorld& world_;
  const Peers& peers_;
  Repeated heard_lines_;
  std::string to_tag_;
  std::vector<std::uint64_t> held_;
  bool holding_ = false;
};

}  // namespace ringweir::load
