// The datagrams of one turn, those that go the same way and are of one size put together: the kernel takes such a train in one call
// and cuts it into its datagrams at the end of its path (UDP_SEGMENT, Linux 4.18). What arrives is the same.
//
// Order: datagrams with the same `order` (of one call, say) leave as they were added; those of different ones may change places.
//
// PERF: over loopback, 450 octets to one peer, CPU a datagram in trains of 1 (sendmmsg), 2, 4, 8, 16 and 32: 3.0, 2.1, 1.3, 0.9, 0.7 and
// 0.6 us. It helps where several messages of a turn go to one address: a trunk, a PBX, a load test; phones, each with an address of its
// own, leave one by one as before.
//
// One driver's; its thread only. No allocation after construction.
#pragma once
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "ringweir/base/address.h"
#include "ringweir/base/limits.h"
#include "ringweir/io/driver.h"
#include "ringweir/io/sockaddr.h"

namespace ringweir::io {

struct QueuedSend {
  static constexpr std::uint32_t kLast = ~0u;
  std::uint32_t slot = 0, size = 0;
  std::uint32_t next = kLast;  // of its train
};

struct Train {
  Endpoint to;
  IpAddress from;  // unspecified: the kernel's choice
  SocketIndex socket = 0;
  std::uint16_t count = 0;
  std::uint32_t size = 0;  // of each
  std::uint32_t first = 0, last = 0;  // indexes for member()
};

class SendTrains {
 public:
  // What the smallest path in use carries whole: a segment is never cut again.
  static constexpr std::uint32_t kSegmentOctetsMax = 1'400;
  static constexpr std::uint32_t kSegmentsMax = 64;     // the kernel's own limit before 6.x
  static constexpr std::uint32_t kTrainOctetsMax = 60'000;

  // `slots`: how many datagrams may wait at once, those that go again one by one included. Not `together`: each is a train of its own.
  SendTrains(std::uint32_t slots, bool together);

  void add(std::uint32_t slot, std::uint32_t size, SocketIndex socket, const Endpoint& to, const IpAddress& from,
           std::uint64_t order) noexcept;
  // A datagram of a train that was refused, by itself. Room for one a slot.
  void add_alone(std::uint32_t slot, std::uint32_t size, const Train& like) noexcept;
  // Those there are closed: what is added now begins new ones.
  void close() noexcept { ++epoch_; }
  std::size_t size() const noexcept { return trains_.size(); }
  const Train& train(std::size_t i) const noexcept { return trains_[i]; }
  const QueuedSend& member(std::uint32_t i) const noexcept { return sends_[i]; }
  void clear() noexcept;

  // This socket's path refuses trains: from now on one by one.
  void refuse(SocketIndex socket) noexcept { refused_[socket] = true; }

 private:
  struct Way {  // the open train of one way and size; another way that falls on its place ends it early
    std::uint64_t epoch = 0;
    std::uint32_t train = 0;
  };
  struct Latest {  // the last train with a datagram of these orders; orders that share a place share their trains' order
    std::uint64_t epoch = 0;
    std::uint32_t train = 0;
  };
  bool joins(std::uint32_t train, std::uint32_t size, SocketIndex socket, const Endpoint& to, const IpAddress& from) const noexcept;

  const bool together_;
  std::vector<QueuedSend> sends_;  // never grow: reserved at start
  std::vector<Train> trains_;
  std::array<bool, limits::kListenersMax> refused_{};
  std::uint64_t epoch_ = 1;
  std::array<Way, 256> ways_{};
  std::array<Latest, 1'024> latest_{};
};

// The kernel's form of trains, kept until it has read them.
class TrainMessages {
 public:
  explicit TrainMessages(std::uint32_t slots);
  // Train `i` of `trains` for sendmsg; nullptr when a socket of this family cannot reach it. `data(slot)`: where a datagram stands.
  template <class Data>
  msghdr* prepare(const SendTrains& trains, std::size_t i, bool socket_is_v6, Data&& data) noexcept {
    const Train& train = trains.train(i);
    const std::size_t begin = texts_.size();
    for (std::uint32_t at = train.first; at != QueuedSend::kLast; at = trains.member(at).next) {
      const QueuedSend& send = trains.member(at);
      texts_.push_back({data(send.slot), send.size});
    }
    return address(train, socket_is_v6, {texts_.data() + begin, train.count});
  }
  void clear() noexcept {
    texts_.clear();
    used_ = 0;
  }
  std::size_t memory_bytes() const noexcept {
    return envelopes_.size() * sizeof(Envelope) + texts_.capacity() * sizeof(iovec);
  }

 private:
  struct Envelope {
    msghdr message{};
    SocketName name{};
    alignas(cmsghdr) std::array<char, kSendControlBytes> control{};
  };
  msghdr* address(const Train& train, bool socket_is_v6, std::span<iovec> texts) noexcept;

  std::vector<Envelope> envelopes_;
  std::vector<iovec> texts_;  // never grows: reserved at start
  std::size_t used_ = 0;
};

}  // namespace ringweir::io
