// The load's sockets: one is one peer address. Messages gather in batches of equal size and leave by
// UDP_SEGMENT. A socket has a lane for each kind of message that it sends, so that kinds of different sizes
// do not break each other's batches; the lanes leave in their order.
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "options.h"

namespace ringweir::load {

struct TrafficCount {
  std::uint64_t sent = 0, send_calls = 0, send_errors = 0, refused = 0;
  std::uint64_t received = 0, receive_calls = 0;
};

inline constexpr std::size_t kLanes = 6;

class Peers {
 public:
  // options.sockets sockets, then one for each callee. Exits with 1 and a sentence when one cannot be had.
  explicit Peers(const Options& options);
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(peers_.size()); }
  // "127.0.0.1:40000"
  const std::string& local(std::uint32_t peer) const noexcept { return peers_[peer].local; }
  const TrafficCount& traffic() const noexcept { return traffic_; }

  // Room for one message of this many octets; the caller fills it before the next call. Of two messages of
  // one call, the later is in a later lane, or reserved after a flush: so they leave in order.
  char* reserve(std::uint32_t peer, std::size_t bytes, std::size_t lane = 0) noexcept;
  void flush() noexcept;

  // Calls take(peer, text) for each datagram that is there.
  template <class Take>
  void harvest(Take&& take) {
    for (std::uint32_t peer = 0; peer < size(); ++peer) {
      for (int count = kReceiveBatch; count == kReceiveBatch;) {
        count = receive(peers_[peer].socket);
        for (int i = 0; i < count; ++i) take(peer, std::string_view(buffers_[i].data(), headers_[i].msg_len));
      }
    }
  }

  // Sleeps until a datagram is there, or so long.
  void wait(std::int64_t nanoseconds) noexcept;

 private:
  static constexpr int kReceiveBatch = 64;
  static constexpr std::size_t kSegmentsMax = 64;  // the kernel's UDP_MAX_SEGMENTS
  static constexpr std::size_t kBatchBytesMax = 64'000;

  struct Batch {
    std::unique_ptr<char[]> text;  // made at its first message
    std::size_t used = 0, message_bytes = 0;
  };
  struct Peer {
    int socket = -1;
    std::string local;
    std::array<Batch, kLanes> lanes;
    bool queued = false;
  };

  int receive(int socket) noexcept;
  void open(Peer& peer, const Options& options, std::uint16_t port);
  void send(Peer& peer) noexcept;
  void send(int socket, Batch& batch) noexcept;
  bool send_segmented(int socket, const Batch& batch) noexcept;
  void send_each(int socket, const Batch& batch) noexcept;
  void count_error() noexcept;

  std::vector<Peer> peers_;
  std::vector<std::uint32_t> queued_;
  int epoll_ = -1;
  bool segmentation_offload_ = true;
  TrafficCount traffic_;
  std::array<std::array<char, 2048>, kReceiveBatch> buffers_;
  std::array<iovec, kReceiveBatch> vectors_{};
  std::array<mmsghdr, kReceiveBatch> headers_{};
};

}  // namespace ringweir::load
