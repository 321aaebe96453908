#include "peers.h"

#include <arpa/inet.h>
#include <netinet/udp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>

namespace ringweir::load {
namespace {

[[noreturn]] void fail(const std::string& what) {
  std::cerr << "ringweir-load: " << what << ": " << std::strerror(errno) << '\n';
  std::exit(1);
}

std::string text_of(const sockaddr_storage& address) {
  char host[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &four.sin_addr, host, sizeof host);
    return std::string(host) + ":" + std::to_string(ntohs(four.sin_port));
  }
  const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
  inet_ntop(AF_INET6, &six.sin6_addr, host, sizeof host);
  return "[" + std::string(host) + "]:" + std::to_string(ntohs(six.sin6_port));
}

// Replies to a whole window may arrive while we sleep.
void widen_buffer(int socket, int forced, int ordinary) {
  const int bytes = 8 << 20;
  if (setsockopt(socket, SOL_SOCKET, forced, &bytes, sizeof bytes) != 0) {
    (void)setsockopt(socket, SOL_SOCKET, ordinary, &bytes, sizeof bytes);
  }
}

}  // namespace

Peers::Peers(const Options& options) : segmentation_offload_(options.segmentation_offload) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) fail("epoll_create1");
  peers_.resize(options.sockets + options.callee_ports.size());
  for (std::uint32_t i = 0; i < options.sockets; ++i) {
    open(peers_[i], options, options.from_port == 0 ? 0 : static_cast<std::uint16_t>(options.from_port + i));
  }
  for (std::size_t i = 0; i < options.callee_ports.size(); ++i) {
    open(peers_[options.sockets + i], options, options.callee_ports[i]);
  }
  for (int i = 0; i < kReceiveBatch; ++i) {
    vectors_[i] = {buffers_[i].data(), buffers_[i].size()};
    headers_[i].msg_hdr.msg_iov = &vectors_[i];
    headers_[i].msg_hdr.msg_iovlen = 1;
  }
}

Peers::~Peers() {
  for (const Peer& peer : peers_) close(peer.socket);
  close(epoll_);
}

void Peers::open(Peer& peer, const Options& options, std::uint16_t port) {
  peer.socket = socket(options.target.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (peer.socket < 0) fail("socket");
  widen_buffer(peer.socket, SO_RCVBUFFORCE, SO_RCVBUF);
  widen_buffer(peer.socket, SO_SNDBUFFORCE, SO_SNDBUF);
  if (port != 0 || !options.from_host.empty()) {
    sockaddr_storage local{};
    local.ss_family = options.target.ss_family;
    if (local.ss_family == AF_INET) reinterpret_cast<sockaddr_in&>(local).sin_port = htons(port);
    if (local.ss_family == AF_INET6) reinterpret_cast<sockaddr_in6&>(local).sin6_port = htons(port);
    const bool four = local.ss_family == AF_INET;
    void* const host = four ? static_cast<void*>(&reinterpret_cast<sockaddr_in&>(local).sin_addr)
                            : static_cast<void*>(&reinterpret_cast<sockaddr_in6&>(local).sin6_addr);
    if (!options.from_host.empty() && inet_pton(local.ss_family, options.from_host.c_str(), host) != 1) {
      errno = EINVAL;
      fail("--from-host " + options.from_host);
    }
    if (bind(peer.socket, reinterpret_cast<sockaddr*>(&local), options.target_length) != 0) {
      fail("bind to " + options.from_host + " port " + std::to_string(port));
    }
  }
  // Connected: the kernel looks the route up once, and an unreachable port is reported.
  if (connect(peer.socket, reinterpret_cast<const sockaddr*>(&options.target), options.target_length) != 0) {
    fail("connect to " + options.target_text);
  }
  sockaddr_storage local{};
  socklen_t length = sizeof local;
  getsockname(peer.socket, reinterpret_cast<sockaddr*>(&local), &length);
  peer.local = text_of(local);
  // PERF: a watched socket costs the sender of every datagram a wake-up call; a paced load only looks now and
  // then.
  if (options.pace_us != 0) return;
  epoll_event event{};
  event.events = EPOLLIN;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, peer.socket, &event);
}

char* Peers::reserve(std::uint32_t index, std::size_t bytes, std::size_t lane) noexcept {
  Peer& peer = peers_[index];
  Batch& batch = peer.lanes[lane];
  const bool full = batch.used + bytes > kBatchBytesMax || batch.used == kSegmentsMax * batch.message_bytes;
  // All of them: what waits in an earlier lane may be the same call's.
  if (batch.used != 0 && (full || batch.message_bytes != bytes)) send(peer);
  if (!peer.queued) {
    peer.queued = true;
    queued_.push_back(index);
  }
  if (!batch.text) batch.text = std::make_unique_for_overwrite<char[]>(kBatchBytesMax);
  batch.message_bytes = bytes;
  char* const room = batch.text.get() + batch.used;
  batch.used += bytes;
  return room;
}

void Peers::flush() noexcept {
  for (const std::uint32_t index : queued_) {
    send(peers_[index]);
    peers_[index].queued = false;
  }
  queued_.clear();
}

void Peers::count_error() noexcept {
  if (errno == ECONNREFUSED) {
    ++traffic_.refused;
  } else {
    ++traffic_.send_errors;
  }
}

// What is not sent is not lost: its transaction retransmits as after any other loss.
void Peers::send(int socket, Batch& batch) noexcept {
  if (batch.used == 0) return;
  traffic_.sent += batch.used / batch.message_bytes;
  const bool single = batch.used == batch.message_bytes;
  if (single || !segmentation_offload_ || !send_segmented(socket, batch)) send_each(socket, batch);
  batch.used = 0;
}

void Peers::send(Peer& peer) noexcept {
  for (Batch& batch : peer.lanes) send(peer.socket, batch);
}

// False when the kernel cannot: then never again.
bool Peers::send_segmented(int socket, const Batch& batch) noexcept {
  iovec vector{batch.text.get(), batch.used};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(std::uint16_t))] = {};
  msghdr header{};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  cmsghdr* const segment = CMSG_FIRSTHDR(&header);
  segment->cmsg_level = SOL_UDP;
  segment->cmsg_type = UDP_SEGMENT;
  segment->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
  const auto bytes = static_cast<std::uint16_t>(batch.message_bytes);
  std::memcpy(CMSG_DATA(segment), &bytes, sizeof bytes);
  ++traffic_.send_calls;
  if (sendmsg(socket, &header, 0) >= 0) return true;
  if (errno == EINVAL || errno == EIO || errno == EOPNOTSUPP) {
    segmentation_offload_ = false;
    return false;
  }
  // A pending error of an earlier datagram is reported once, in place of sending.
  const bool pending = errno == ECONNREFUSED;
  count_error();
  if (pending) (void)sendmsg(socket, &header, 0);
  return true;
}

void Peers::send_each(int socket, const Batch& batch) noexcept {
  const std::size_t count = batch.used / batch.message_bytes;
  std::array<iovec, kSegmentsMax> vectors;
  std::array<mmsghdr, kSegmentsMax> headers{};
  for (std::size_t i = 0; i < count; ++i) {
    vectors[i] = {batch.text.get() + i * batch.message_bytes, batch.message_bytes};
    headers[i].msg_hdr.msg_iov = &vectors[i];
    headers[i].msg_hdr.msg_iovlen = 1;
  }
  for (std::size_t done = 0; done < count;) {
    ++traffic_.send_calls;
    const int sent = sendmmsg(socket, headers.data() + done, static_cast<unsigned>(count - done), 0);
    if (sent < 0) count_error();
    done += sent > 0 ? static_cast<std::size_t>(sent) : 1;
  }
}

int Peers::receive(int socket) noexcept {
  const int count = recvmmsg(socket, headers_.data(), kReceiveBatch, MSG_DONTWAIT, nullptr);
  if (count <= 0) {
    if (count < 0 && errno == ECONNREFUSED) ++traffic_.refused;
    return 0;
  }
  ++traffic_.receive_calls;
  traffic_.received += static_cast<std::uint64_t>(count);
  return count;
}

void Peers::wait(std::int64_t nanoseconds) noexcept {
  const timespec timeout{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  epoll_event events[1];
  (void)epoll_pwait2(epoll_, events, 1, &timeout, nullptr);
}

}  // namespace ringweir::load
