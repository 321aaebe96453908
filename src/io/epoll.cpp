#include "ringweir/io/epoll.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string>

namespace ringweir::io {

namespace {

constexpr std::uint32_t kOutside = std::numeric_limits<std::uint32_t>::max();

Opened failed(const char* doing) {
  const int code = errno;
  return std::unexpected(OpenError{code, std::string("cannot ") + doing + ": " + std::strerror(code)});
}

bool watch(int poll, int fd, std::uint32_t what) noexcept {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = what;
  return ::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

Epoll::Epoll(const EpollOptions& options, std::size_t sockets)
    : options_(options),
      buffer_stride_(((options.receive_octets + 63) & ~std::size_t{63}) | 64),
      incoming_(options.receive_buffers),
      incoming_envelopes_(options.receive_buffers),
      slots_(options.send_slots, options.send_slots_large),
      trains_(2 * slots_.size(), options.send_trains),
      messages_(2 * slots_.size()),
      errors_(sockets),
      watch_(sockets) {
  outgoing_.reserve(2 * slots_.size());
}

Result<std::unique_ptr<Epoll>, OpenError> Epoll::open(std::vector<UdpSocket>& sockets,
                                                      const EpollOptions& options) {
  check(options.receive_buffers > 0 && options.receive_buffers <= limits::kTurnBatchMax,
        "a batch fits a turn");
  std::unique_ptr<Epoll> made(new Epoll(options, sockets.size()));
  if (auto done = made->set_up(sockets); !done) return std::unexpected(std::move(done.error()));
  made->sockets_ = std::move(sockets);
  sockets.clear();
  return made;
}

Opened Epoll::set_up(std::span<const UdpSocket> sockets) {
  check(sockets.size() <= limits::kListenersMax, "more listeners than a shard may have");
  buffers_ = Pages(options_.receive_buffers * buffer_stride_);
  if (!buffers_) return failed("map receive buffers");
  for (std::uint32_t i = 0; i < options_.receive_buffers; ++i) {
    incoming_envelopes_[i].text = {buffers_.get() + i * buffer_stride_, options_.receive_octets};
  }
  poll_ = OwnedFd(::epoll_create1(EPOLL_CLOEXEC));
  if (poll_.get() < 0) return failed("make an epoll");
  outside_ = OwnedFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (outside_.get() < 0) return failed("make an eventfd");
  if (!watch(poll_.get(), outside_.get(), kOutside)) return failed("watch an eventfd");
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    if (!watch(poll_.get(), sockets[i].fd(), static_cast<std::uint32_t>(i))) return failed("watch a socket");
  }
  return {};
}

void Epoll::connect(std::span<Epoll* const> shards) {
  peers_.clear();
  for (const Epoll* shard : shards) peers_.push_back(shard->outside_.get());
}

int Epoll::wait_for_events(Duration limit) noexcept {
  std::array<epoll_event, limits::kListenersMax + 1> events;
  const int most = static_cast<int>(events.size());
  const Duration nap = std::max(limit, Duration::zero());
  int count = -1;
  if (has_pwait2_) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(nap);
    const timespec wait{.tv_sec = seconds.count(), .tv_nsec = (nap - seconds).count()};
    count = ::epoll_pwait2(poll_.get(), events.data(), most, &wait, nullptr);
    if (count < 0 && (errno == ENOSYS || errno == EPERM)) has_pwait2_ = false;
  }
  if (!has_pwait2_) {
    // Rounded up: a nap that ends early would spin.
    const auto ms = std::min<std::int64_t>(to_ms(nap + 999'999ns), std::numeric_limits<int>::max());
    count = ::epoll_wait(poll_.get(), events.data(), most, static_cast<int>(ms));
  }
  int ready = 0;
  for (int i = 0; i < count; ++i) {
    const std::uint32_t what = events[static_cast<std::size_t>(i)].data.u32;
    if (what != kOutside) {
      if (events[static_cast<std::size_t>(i)].events & EPOLLERR) errors_.mark(static_cast<SocketIndex>(what));
      ready_[static_cast<std::size_t>(ready++)] = static_cast<SocketIndex>(what);
      continue;
    }
    std::uint64_t wakes = 0;
    if (::read(outside_.get(), &wakes, sizeof wakes) == sizeof wakes) counters_.wakes_received.add(wakes);
  }
  return ready;
}

std::uint32_t Epoll::wait(Instant until) noexcept {
  return static_cast<std::uint32_t>(wait_for_events(until - clock_.now()));
}

std::uint32_t Epoll::read_batch(SocketIndex socket, const Tally& tally) noexcept {
  const std::uint32_t most = std::min<std::uint32_t>(
      options_.receive_buffers, static_cast<std::uint32_t>(limits::kTurnBatchMax) - tally.datagrams);
  if (most == 0) return 0;
  const bool is_told = sockets_[socket].is_wildcard() || watch_.stamps();
  for (std::uint32_t i = 0; i < most; ++i) {
    Envelope& envelope = incoming_envelopes_[i];
    msghdr& message = incoming_[i].msg_hdr;
    message = {};
    message.msg_name = &envelope.name;
    message.msg_namelen = sizeof envelope.name;
    message.msg_iov = &envelope.text;
    message.msg_iovlen = 1;
    message.msg_control = envelope.control.data();
    message.msg_controllen = is_told ? envelope.control.size() : 0;
  }
  for (std::uint32_t tries = ErrorQueue::kTries; tries > 0; --tries) {
    const int count = ::recvmmsg(sockets_[socket].fd(), incoming_.data(), most, MSG_DONTWAIT, nullptr);
    if (count >= 0) return static_cast<std::uint32_t>(count);
    if (!may_be_a_report(errno)) break;
    errors_.mark(socket);  // what waits to be received still does
  }
  if (errno != EAGAIN && errno != EINTR && !may_be_a_report(errno)) counters_.receive_errors.add();
  return 0;
}

Received Epoll::datagram(SocketIndex socket, std::uint32_t at, Tally& tally) noexcept {
  const mmsghdr& got = incoming_[at];
  const Envelope& envelope = incoming_envelopes_[at];
  Received received;
  received.bytes = {static_cast<const char*>(envelope.text.iov_base), got.msg_len};
  received.peer = sockets_[socket].is_v6() ? endpoint_v6(&envelope.name) : endpoint_v4(&envelope.name);
  received.socket = socket;
  received.truncated = (got.msg_hdr.msg_flags & MSG_TRUNC) != 0;
  if (got.msg_hdr.msg_controllen != 0) {
    const Aside aside = aside_of(envelope.control.data(), got.msg_hdr.msg_controllen);
    received.local = aside.local;
    if (watch_.stamps()) received.waited = watch_.since(aside.stamp);
  }
  ++tally.datagrams;
  tally.octets += got.msg_len;
  tally.truncated += received.truncated;
  return received;
}

SendBuffer Epoll::take_after_flush(std::uint32_t octets) noexcept {
  flush();
  const SendBuffer buffer = slots_.take(octets);
  if (!buffer.data) counters_.send_buffers_exhausted.add();
  return buffer;
}

void Epoll::send(SendBuffer buffer, std::uint32_t size, SocketIndex socket, const Endpoint& to, const IpAddress& from,
                 std::uint64_t order) noexcept {
  check(size <= buffer.capacity, "a datagram fits its buffer");
  if (!sockets_[socket].is_v6() && !to.ip.is_v4()) [[unlikely]] {
    counters_.send_errors.add();
    return drop_buffer(buffer);
  }
  trains_.add(buffer.slot, size, socket, to, sockets_[socket].is_wildcard() ? from : IpAddress{}, order);
  slots_.queue(buffer.slot);
  ++queued_datagrams_;
  queued_octets_ += size;
}

void Epoll::prepare() noexcept {
  while (outgoing_.size() < trains_.size()) {
    const std::size_t train = outgoing_.size();
    const bool is_v6 = sockets_[trains_.train(train).socket].is_v6();
    const msghdr* message = messages_.prepare(trains_, train, is_v6, [this](std::uint32_t slot) { return slots_.data(slot); });
    check(message != nullptr, "send() has seen to the family");
    outgoing_.push_back({*message, 0});
    if (trains_.train(train).count > 1) counters_.trains.add();
  }
}

// After sendmmsg sent nothing: whether the train at `at` deserves another call.
bool Epoll::send_again(int error, std::size_t at, std::uint32_t tries) noexcept {
  if (error == EINTR) return true;
  const Train train = trains_.train(at);
  const bool is_report = may_be_a_report(error);
  if (is_report) errors_.mark(train.socket);
  if (train.count > 1) {  // its datagrams have their own chance
    counters_.trains_refused.add();
    if (!is_report && error != EAGAIN && error != ENOBUFS && error != ENOMEM) trains_.refuse(train.socket);
    for (std::uint32_t each = train.first; each != QueuedSend::kLast; each = trains_.member(each).next) {
      trains_.add_alone(trains_.member(each).slot, trains_.member(each).size, train);
    }
    prepare();
    return false;
  }
  if (is_report) {
    if (tries < ErrorQueue::kTries) {
      counters_.send_retries.add();
      return true;
    }
    if (error != EMSGSIZE) errors_.add(train.to, train.socket);
  }
  counters_.send_errors.add();  // of the first of the run; the rest have their own chance
  return false;
}

void Epoll::flush() noexcept {
  prepare();
  std::uint32_t tries = 0;
  for (std::size_t at = 0; at < outgoing_.size();) {
    const SocketIndex socket = trains_.train(at).socket;
    std::size_t end = at + 1;
    while (end < outgoing_.size() && trains_.train(end).socket == socket) ++end;
    const int sent = ::sendmmsg(sockets_[socket].fd(), &outgoing_[at], static_cast<unsigned>(end - at),
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      at += static_cast<std::size_t>(sent);
      tries = 0;
    } else if (!send_again(errno, at, ++tries)) {
      ++at;
      tries = 0;
    }
  }
  outgoing_.clear();
  trains_.clear();
  messages_.clear();
  slots_.release_queued();
}

void Epoll::wake(std::uint32_t shard) noexcept {
  const std::uint64_t one = 1;
  counters_.wakes_sent.add();
  if (::write(peers_[shard], &one, sizeof one) != sizeof one) counters_.wake_errors.add();
}

void Epoll::wake_from_outside() noexcept {
  const std::uint64_t one = 1;
  // Refused only when 2^64 - 2 wakes wait already: awake is awake.
  [[maybe_unused]] const auto written = ::write(outside_.get(), &one, sizeof one);
}

void Epoll::end_turn(const Tally& tally) noexcept {
  watch_.turn_ends(tally.behind || tally.datagrams >= limits::kTurnBatchMax, clock_.now(), sockets_,
                   counters_);
  counters_.turns.add();
  counters_.datagrams_in.add(tally.datagrams);
  counters_.bytes_in.add(tally.octets);
  counters_.truncated.add(tally.truncated);
  counters_.datagrams_out.add(queued_datagrams_);
  counters_.bytes_out.add(queued_octets_);
  queued_datagrams_ = queued_octets_ = 0;
}

std::size_t Epoll::memory_bytes() const noexcept {
  return buffers_.size() + slots_.memory_bytes() + incoming_.size() * (sizeof(mmsghdr) + sizeof(Envelope)) +
         outgoing_.capacity() * sizeof(mmsghdr) + messages_.memory_bytes();
}

}  // namespace ringweir::io
