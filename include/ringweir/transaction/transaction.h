// A transaction as a shard keeps it: one machine, its timers in one node of a wheel of milliseconds, and
// where its messages go. Each call applies one event to the machine, arms the node, and returns what the
// caller has to do. When that has `destroy` the node is not armed any more: the caller takes the transaction
// out of its KeyTable, gives back its text and gives it to its Slab. One thread. Must not move in memory.
//
//   wheel.advance(now, most, [&](TimerNode& node) { auto& t = static_cast<Transaction&>(node);
//   is_server(t.machine) ? ... });
#pragma once
#include <cstdint>

#include "ringweir/base/address.h"
#include "ringweir/base/timer_wheel.h"
#include "ringweir/transaction/invite_client.h"
#include "ringweir/transaction/invite_server.h"
#include "ringweir/transaction/non_invite_client.h"
#include "ringweir/transaction/non_invite_server.h"
#include "ringweir/transaction/text_pool.h"

namespace ringweir::transaction {

enum class Machine : std::uint8_t { invite_client, non_invite_client, invite_server, non_invite_server };
constexpr bool is_server(Machine m) noexcept {
  return m == Machine::invite_server || m == Machine::non_invite_server;
}
constexpr bool is_invite(Machine m) noexcept {
  return m == Machine::invite_client || m == Machine::invite_server;
}

struct Transaction : TimerNode {
  Schedule schedule;
  std::uint64_t key = 0;     // keys.h
  void* user = nullptr;      // whose transaction it is: the proxy's context
  Text text;                 // a client's request while it may be sent again; a server's last response
  Endpoint peer;             // where they are sent
  std::uint16_t socket = 0;  // and by which
  Machine machine;
  std::uint8_t state = 0;  // of the machine's State

  explicit Transaction(Machine m) noexcept : machine(m) {}
  bool terminated() const noexcept;
};

struct alignas(64) ServerTransaction : Transaction {
  ServerTransaction* next_in_bucket = nullptr;
  IpAddress local;           // the address the request came to; answers leave from there
  std::uint32_t to_tag = 0;  // to_tag_hash: of the request until a response with a tag is sent, then of that
  bool old_style = false;    // no magic cookie: to_tag is part of the match
  bool request_had_to_tag = false;

  explicit ServerTransaction(Machine m) noexcept : Transaction(m) {}

  // The request has come. `given` says whether the transport is reliable.
  Action begin(invite_server::Trying trying, const Schedule& given, Tick now, TimerWheel& wheel) noexcept;
  Action request_again(Tick now, TimerWheel& wheel) noexcept;
  Action ack(Tick now, TimerWheel& wheel) noexcept;  // INVITE only
  // The user answers. What has no send_response is not to be sent: a second final response, or one after the
  // 2xx.
  Action respond(std::uint16_t status, Tick now, TimerWheel& wheel) noexcept;
  Action transport_error(Tick now, TimerWheel& wheel) noexcept;
  Action fire(Tick now, TimerWheel& wheel) noexcept;  // its node did

  // Old-style requests (RFC 3261 17.2.3): does the To tag match too? Always true where the branch says it
  // all.
  bool matches_request(std::uint32_t request_to_tag) const noexcept {  // INVITE again, or its CANCEL
    return !old_style || (request_had_to_tag ? request_to_tag == to_tag : request_to_tag == 0);
  }
  bool matches_ack(std::uint32_t ack_to_tag) const noexcept { return !old_style || ack_to_tag == to_tag; }
};

struct alignas(64) ClientTransaction : Transaction {
  ClientTransaction* next_in_bucket = nullptr;
  std::uint64_t token = 0;  // what the branch says of us
  Tick began = 0;

  explicit ClientTransaction(Machine m) noexcept : Transaction(m) {}

  // The request goes out. `given` says whether the transport is reliable, and Timer C.
  Action begin(const Schedule& given, Tick now, TimerWheel& wheel) noexcept;
  Action response(std::uint16_t status, Tick now, TimerWheel& wheel) noexcept;
  Action cancelled(Tick now, TimerWheel& wheel) noexcept;  // INVITE: a CANCEL for it has been sent
  Action transport_error(Tick now, TimerWheel& wheel) noexcept;
  Action fire(Tick now, TimerWheel& wheel) noexcept;
};

static_assert(sizeof(ServerTransaction) == 128 && sizeof(ClientTransaction) == 128, "two cache lines each");

// Ends it from outside, whatever its state: the node is taken out of the wheel. The caller does as for
// `destroy`.
void terminate(Transaction& transaction, TimerWheel& wheel) noexcept;

}  // namespace ringweir::transaction
