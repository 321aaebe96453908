#include "ringweir/io/error_queue.h"

#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>

#include <algorithm>
#include <cerrno>

namespace ringweir::io {

namespace {

// Unreachable for good as far as this datagram goes; not "fragmentation needed", which says that the path
// works.
bool is_unreachable(const sock_extended_err& report) noexcept {
  switch (report.ee_origin) {
    case SO_EE_ORIGIN_ICMP: return report.ee_type == ICMP_DEST_UNREACH && report.ee_code != ICMP_FRAG_NEEDED;
    case SO_EE_ORIGIN_ICMP6: return report.ee_type == ICMPV6_DEST_UNREACH;
    default: return false;  // the kernel's own: the send has failed in its caller's face
  }
}

bool says_unreachable(msghdr& message) noexcept {
  for (cmsghdr* at = CMSG_FIRSTHDR(&message); at != nullptr; at = CMSG_NXTHDR(&message, at)) {
    const bool is_report = (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_RECVERR) ||
                           (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_RECVERR);
    if (!is_report || at->cmsg_len < CMSG_LEN(sizeof(sock_extended_err))) continue;
    sock_extended_err report;
    std::memcpy(&report, CMSG_DATA(at), sizeof report);
    return is_unreachable(report);
  }
  return false;
}

}  // namespace

bool may_be_a_report(int error) noexcept {
  switch (error) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case EMSGSIZE:
    case EPROTO:
    case EACCES: return true;
    default: return false;
  }
}

ErrorQueue::ErrorQueue(std::size_t sockets) : marked_(sockets) {}

void ErrorQueue::add(const Endpoint& peer, SocketIndex socket) noexcept {
  if (handed_out_) {
    handed_out_ = false;
    count_ = 0;
  }
  const auto last = found_.begin() + count_;
  const bool is_known = std::any_of(found_.begin(), last, [&](const Unreachable& each) {
    return each.peer == peer && each.socket == socket;
  });
  if (!is_known && count_ < found_.size()) found_[count_++] = {peer, socket};
}

std::uint32_t ErrorQueue::read(const UdpSocket& socket, SocketIndex index, std::uint32_t most) noexcept {
  for (std::uint32_t i = 0; i < most; ++i) {
    msghdr& message = messages_[i].msg_hdr;
    message = {};
    message.msg_name = &entries_[i].name;
    message.msg_namelen = sizeof entries_[i].name;
    message.msg_control = entries_[i].control.data();
    message.msg_controllen = entries_[i].control.size();
  }
  const int got = ::recvmmsg(socket.fd(), messages_.data(), most, MSG_ERRQUEUE | MSG_DONTWAIT, nullptr);
  const std::uint32_t count = got > 0 ? static_cast<std::uint32_t>(got) : 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    msghdr& message = messages_[i].msg_hdr;
    // The name is where the datagram went that came to grief.
    if (message.msg_namelen != 0 && says_unreachable(message)) {
      add(socket.is_v6() ? endpoint_v6(&entries_[i].name) : endpoint_v4(&entries_[i].name), index);
    }
  }
  return count;
}

std::span<const Unreachable> ErrorQueue::harvest(std::span<const UdpSocket> sockets,
                                                 DriverCounters& counters) noexcept {
  if (handed_out_) {
    handed_out_ = false;
    count_ = 0;
  }
  std::uint32_t left = kReportsPerTurn - count_;
  for (std::size_t i = 0; i < sockets.size() && marks_ != 0 && left != 0; ++i) {
    const auto index = static_cast<SocketIndex>((next_ + i) % sockets.size());
    if (!marked_[index]) continue;
    const std::uint32_t count = read(sockets[index], index, left);
    if (count == left) {
      // More may wait, and the kernel has set the socket's error to the next of them: taken off, so that the
      // next receive sees datagrams.
      int error = 0;
      socklen_t size = sizeof error;
      ::getsockopt(sockets[index].fd(), SOL_SOCKET, SO_ERROR, &error, &size);
      next_ = index + 1u;
    } else {
      marked_[index] = false;
      --marks_;
    }
    left -= count;
  }
  handed_out_ = true;
  counters.unreachable.add(count_);
  return {found_.data(), count_};
}

}  // namespace ringweir::io
