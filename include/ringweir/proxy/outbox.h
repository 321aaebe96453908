// Where the proxy's output goes: messages are assembled once, in a send buffer of the shard that owns the socket, and leave with
// the turn's single submit. The engine below the driver's template sees this; one indirect call a buffer.
#pragma once
#include <cstdint>
#include <string_view>

#include "ringweir/base/address.h"

namespace ringweir::proxy {

// How a message came, or goes.
struct Path {
  Endpoint peer;
  std::uint16_t socket = 0;
  IpAddress local{};  // the address of ours it came to or leaves from, where a socket listens on all; else unspecified
  std::uint64_t order = 0;  // the Call-ID's hash: messages of one call leave in the order they were sent
};

class Outbox {
 public:
  struct Buffer {
    char* data = nullptr;  // null: none left, shed
    std::uint32_t capacity = 0;
    std::uint32_t slot = 0;
  };
  // A buffer of at least `octets`, to be sent or dropped before the next call from the shard returns.
  Buffer take(std::uint32_t octets) noexcept { return take_(shard_, octets); }
  void drop(const Buffer& buffer) noexcept { drop_(shard_, buffer); }
  void send(const Buffer& buffer, std::uint32_t size, const Path& path) noexcept { send_(shard_, buffer, size, path); }

 protected:
  using Take = Buffer (*)(void*, std::uint32_t) noexcept;
  using Drop = void (*)(void*, const Buffer&) noexcept;
  using Send = void (*)(void*, const Buffer&, std::uint32_t, const Path&) noexcept;
  Outbox(void* shard, Take take_one, Drop drop_one, Send send_one) noexcept
      : shard_(shard), take_(take_one), drop_(drop_one), send_(send_one) {}
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

 private:
  void* shard_;
  Take take_;
  Drop drop_;
  Send send_;
};

}  // namespace ringweir::proxy
