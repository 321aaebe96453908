// One contact of one address of record: an exact-size block with its texts behind it.
#pragma once
#include <atomic>
#include <cstdint>
#include <string_view>

#include "ringweir/base/address.h"
#include "ringweir/base/timer_wheel.h"
#include "ringweir/location/lease.h"

namespace ringweir::location {

// What a refresh changes, in one word: readers never see the CSeq of one REGISTER with the expiry of another.
struct Lease {
  std::uint32_t cseq;
  Tick expires;
};

struct Binding {
  TimerNode timer;  // owner only; due at or before the lease's end (see Registrations::refresh)
  std::atomic<std::uint64_t> lease;  // owner writes, any thread reads
  std::uint64_t aor_hash;
  Binding* link;  // in the owner's inbox, then in its limbo
  Tick registered;
  std::uint16_t contact_size;
  std::uint16_t user_agent;
  IpAddress source_ip;
  std::uint16_t source_port;
  std::uint16_t socket;
  std::uint16_t q_thousandths;
  std::uint8_t owner;
  std::uint8_t call_id_size;
  // contact text, Call-ID text

  static constexpr std::size_t bytes(std::size_t contact, std::size_t call_id) noexcept;
  std::size_t bytes() const noexcept { return bytes(contact_size, call_id_size); }
  char* texts() noexcept { return reinterpret_cast<char*>(this + 1); }
  const char* texts() const noexcept { return reinterpret_cast<const char*>(this + 1); }
  std::string_view contact() const noexcept { return {texts(), contact_size}; }
  std::string_view call_id() const noexcept { return {texts() + contact_size, call_id_size}; }
  Lease read() const noexcept {
    const std::uint64_t word = lease.load(std::memory_order_acquire);
    return {static_cast<std::uint32_t>(word >> 32), static_cast<Tick>(word)};
  }
  void write(Lease next) noexcept {
    lease.store(static_cast<std::uint64_t>(next.cseq) << 32 | next.expires, std::memory_order_release);
  }
  bool alive(Tick now) const noexcept { return read().expires > now; }
};

static_assert(sizeof(Binding) == 80, "80 octets and the texts: 176 for a contact of 60 and a Call-ID of 32");

constexpr std::size_t Binding::bytes(std::size_t contact, std::size_t call_id) noexcept {
  return sizeof(Binding) + contact + call_id;
}

}  // namespace ringweir::location
