// Part of what would come in is dropped by the kernel before it costs anything: a socket filter (classic BPF, no privilege)
// for datagrams that begin with given octets and name one of given hosts behind the first '@' that follows. Nothing here
// knows what protocol that is; shard says so (new INVITEs to our own domains).
#pragma once
#include <linux/filter.h>

#include <array>
#include <cstdint>
#include <span>

#include "ringweir/io/sieve_pattern.h"
#include "ringweir/io/socket.h"

namespace ringweir::io {

// The program for a UDP socket: of what the pattern matches, `passes_per_million` are let through by chance, and everything
// else always.
struct SieveProgram {
  static constexpr std::size_t kMost = 1'024;
  std::array<sock_filter, kMost> code{};
  std::uint16_t size = 0;
};
void write_sieve(const SievePattern& pattern, std::uint32_t passes_per_million, SieveProgram& out) noexcept;

class Sieve {
 public:
  static constexpr std::uint32_t kAll = 1'000'000;
  // Changes the sockets' filters when the share has changed by more than a twentieth: one system call a socket. False when
  // the kernel refuses (then nothing is dropped).
  bool set(std::span<const UdpSocket> sockets, const SievePattern& pattern, std::uint32_t passes_per_million) noexcept;

 private:
  std::uint32_t passes_ = kAll;
  SieveProgram program_;
};

}  // namespace ringweir::io
