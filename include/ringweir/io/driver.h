// What a shard asks of the world: datagrams in, datagrams out, the time, a nap. Three drivers keep this shape: uring, epoll,
// sim (tests). It is a compile-time concept, so the hot path has no virtual call; a fourth (AF_XDP) fits the same way:
// nothing above io knows that a datagram came from a socket.
//
// Thread: everything but wake_from_outside() belongs to the shard's own thread.
#pragma once
#include <concepts>
#include <cstdint>
#include <string_view>

#include "ringweir/base/address.h"
#include "ringweir/base/time.h"
#include "ringweir/io/sieve_pattern.h"

namespace ringweir::io {

// Which of the shard's sockets, in the order of the listeners (every shard has the same list).
using SocketIndex = std::uint16_t;

struct Received {
  std::string_view bytes;   // valid until on_batch_end() returns; writable storage behind it is not promised
  Endpoint peer;
  SocketIndex socket;
  bool truncated;           // larger than any receive buffer: the rest is lost
  Duration waited{};        // since the kernel received it; zero while little waits: nobody asks then
  IpAddress local{};        // the address it came to, where the socket listens on all of them; else unspecified
};

// A place to assemble one datagram. Taken, filled, then sent or dropped within the same turn.
struct SendBuffer {
  char* data = nullptr;     // null: none left, shed (the driver counts it)
  std::uint32_t capacity = 0;
  std::uint32_t slot = 0;   // the driver's own
};

template <class H>
concept Handler = requires(H h, const Received& received, const Endpoint& peer, SocketIndex socket) {
  { h.on_datagram(received) } -> std::same_as<void>;
  // Behind the last of some datagrams whose octets the driver is about to reuse: at least once a turn that had any.
  { h.on_batch_end() } -> std::same_as<void>;
  // Nobody takes datagrams at `peer`: ICMP port, host or network unreachable came back, or the kernel has no route. After
  // the turn's datagrams, once a peer and turn, a bounded number of peers. A hint, not a proof: who can guess the ports can
  // forge one, so believe it only of a peer that something is in flight to. With SO_REUSEPORT it comes to the shard
  // that would receive from `peer`, which need not be the one that sent.
  { h.on_unreachable(peer, socket) } -> std::same_as<void>;
};

struct NullHandler {
  void on_datagram(const Received&) {}
  void on_batch_end() {}
  void on_unreachable(const Endpoint&, SocketIndex) {}
};

template <class D>
concept Driver = requires(D d, NullHandler& h, SendBuffer b, Endpoint to, SocketIndex s, Instant until,
                          std::uint32_t n, IpAddress from, std::uint64_t order, const SievePattern& pattern) {
  { d.now() } -> std::same_as<Instant>;        // cached once a turn
  { d.wall_ms() } -> std::same_as<WallMs>;     // cached once a turn
  // now() as it is this moment, never before it: a system call of some 20 ns, for who records messages and nobody else.
  { d.precise_now() } -> std::same_as<Instant>;
  // A buffer of at least n octets.
  { d.take_buffer(n) } -> std::same_as<SendBuffer>;
  { d.drop_buffer(b) } -> std::same_as<void>;
  // Queues; leaves with this turn's single submit. Errors (refused port, full socket) are counted, never thrown.
  { d.send(b, n, s, to) } -> std::same_as<void>;
  // The same, leaving from `from` (a Received::local) on a socket that listens on all addresses; unspecified: the kernel picks.
  { d.send(b, n, s, to, from) } -> std::same_as<void>;
  // The same; datagrams of one `order` (0 unless given) leave in the order they were queued, those of different ones need not.
  { d.send(b, n, s, to, from, order) } -> std::same_as<void>;
  // Wakes shard n's driver if it sleeps (IORING_OP_MSG_RING, eventfd). Queued with the turn's output where that is cheaper.
  { d.wake(n) } -> std::same_as<void>;
  // Flushes queued output, waits for input, a wake or `until` (not at all when `until` has passed), refreshes now() and
  // wall_ms(), then hands at most limits::kTurnBatchMax datagrams to the handler, oldest first. May return early with
  // nothing (a signal): the loop goes around.
  { d.turn(h, until) } -> std::same_as<void>;
  // Whether the kernel's queue was full and datagrams were lost since this was last asked.
  { d.overflowed() } -> std::same_as<bool>;
  // Of what the pattern matches, the kernel lets n of a million through (a million: all) before it costs anything. Rare.
  { d.sieve(pattern, n) } -> std::same_as<void>;
  // Any thread.
  { d.wake_from_outside() } -> std::same_as<void>;
};

}  // namespace ringweir::io
