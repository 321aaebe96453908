#include "ringweir/io/uring.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <string>

namespace ringweir::io {

namespace {

constexpr unsigned short kBufferGroup = 0;

Opened failed(const char* doing, int code) {
  return std::unexpected(OpenError{code, std::string("cannot ") + doing + ": " + std::strerror(code)});
}

// The fixed file of a socket is its index; the eventfd's comes after them.
void use_fixed_file(io_uring_sqe& entry) noexcept {
  entry.flags |= IOSQE_FIXED_FILE;
}

}  // namespace

Uring::Uring(const UringOptions& options, std::size_t sockets)
    : options_(options),
      buffer_octets_(0),
      slots_(options.send_slots, options.send_slots_large),
      trains_(2 * slots_.size(), options.send_trains),
      messages_(2 * slots_.size()),
      errors_(sockets),
      watch_(sockets) {
  departed_.reserve(2 * slots_.size());
}

Result<std::unique_ptr<Uring>, OpenError> Uring::open(std::vector<UdpSocket>& sockets,
                                                      const UringOptions& options) {
  check(std::has_single_bit(options.receive_buffers) && options.receive_buffers <= 32'768,
        "a buffer ring's size");
  std::unique_ptr<Uring> made(new Uring(options, sockets.size()));
  if (auto done = made->set_up(sockets); !done) return std::unexpected(std::move(done.error()));
  made->sockets_ = std::move(sockets);
  sockets.clear();
  return made;
}

Opened Uring::set_up(std::span<const UdpSocket> sockets) {
  check(sockets.size() <= limits::kListenersMax, "more listeners than a shard may have");
  // Everything one turn can queue; what exceeds it is submitted on the way.
  const auto entries =
      std::bit_ceil(static_cast<unsigned>(slots_.size() + sockets.size() + limits::kListenersMax));
  io_uring_params parameters{};
  // Disabled until start(): the thread that enables it is its single issuer.
  parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN |
                     IORING_SETUP_SUBMIT_ALL | IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE |
                     IORING_SETUP_CLAMP;
  // Every receive buffer filled, every send refused, every peer awake.
  parameters.cq_entries =
      std::bit_ceil(entries + options_.receive_buffers + static_cast<unsigned>(limits::kShardsMax));
  if (int error = ::io_uring_queue_init_params(entries, &ring_, &parameters); error < 0) {
    return failed("set up an io_uring", -error);
  }
  has_ring_ = true;

  std::vector<int> files;
  std::uint32_t header_octets = 0;
  for (const UdpSocket& socket : sockets) {
    // The ring waits for a socket only when its descriptor says that waiting is welcome.
    if (::fcntl(socket.fd(), F_SETFL, ::fcntl(socket.fd(), F_GETFL) & ~O_NONBLOCK) != 0) {
      return failed("set a socket's flags", errno);
    }
    Layout& layout = layouts_.emplace_back();
    layout.is_v6 = socket.is_v6();
    // Multiples of 16 keep the control message behind the name aligned.
    layout.shape.msg_namelen = layout.is_v6 ? 32 : 16;
    layout.is_wildcard = socket.is_wildcard();
    layout.shape.msg_controllen = layout.is_wildcard ? kControlBytes : kStampControlBytes;
    layout.payload_at = static_cast<std::uint32_t>(sizeof(io_uring_recvmsg_out) + layout.shape.msg_namelen +
                                                   layout.shape.msg_controllen);
    header_octets = std::max(header_octets, layout.payload_at);
    files.push_back(socket.fd());
  }
  disarmed_.assign(sockets.size(), true);
  outside_ = OwnedFd(::eventfd(0, EFD_CLOEXEC));
  if (outside_.get() < 0) return failed("make an eventfd", errno);
  files.push_back(outside_.get());
  if (int error = ::io_uring_register_files(&ring_, files.data(), static_cast<unsigned>(files.size()));
      error < 0) {
    return failed("register sockets with io_uring", -error);
  }
  // A whole number of cache lines, and never a whole number of pages: see SendSlots::kStride.
  buffer_octets_ = ((options_.receive_octets + header_octets + 63) & ~63u) | 64u;
  return register_buffers();
}

Opened Uring::register_buffers() {
  buffers_ = Pages(std::size_t{options_.receive_buffers} * buffer_octets_);
  buffer_ring_ = Pages(options_.receive_buffers * sizeof(io_uring_buf));
  if (!buffers_ || !buffer_ring_) return failed("map receive buffers", ENOMEM);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(buffer_ring_.get());
  registration.ring_entries = options_.receive_buffers;
  registration.bgid = kBufferGroup;
  if (int error = ::io_uring_register_buf_ring(&ring_, &registration, 0); error < 0) {
    return failed("register receive buffers with io_uring", -error);
  }
  io_uring_buf_ring_init(buffer_ring());
  for (std::uint32_t i = 0; i < options_.receive_buffers; ++i) give_back(i);
  io_uring_buf_ring_advance(buffer_ring(), static_cast<int>(given_back_));
  given_back_ = 0;
  return {};
}

void Uring::connect(std::span<Uring* const> shards) {
  peers_.clear();
  for (const Uring* shard : shards) peers_.push_back(shard->ring_.ring_fd);
}

Opened Uring::start() {
  // io_uring_enable_rings() by hand: liburing 2.3 forgot to export it.
  if (int error =
          ::io_uring_register(static_cast<unsigned>(ring_.ring_fd), IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
      error < 0) {
    return failed("enable an io_uring", -error);
  }
  owner_ = std::this_thread::get_id();
  ::io_uring_register_ring_fd(&ring_);  // spares a descriptor look-up at each enter; not missed when refused
  for (std::size_t socket = 0; socket < layouts_.size(); ++socket)
    arm_receive(static_cast<SocketIndex>(socket));
  arm_outside();
  flush();
  clock_.read();
  return {};
}

void Uring::stop() noexcept {
  if (!has_ring_) return;
  if (owner_ == std::this_thread::get_id()) {
    flush();
    flush();  // what failed because of a report, again
    io_uring_sync_cancel_reg everything{};
    everything.fd = -1;
    everything.flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL;
    everything.timeout = {-1, -1};
    ::io_uring_register_sync_cancel(&ring_, &everything);
    ::io_uring_get_events(&ring_);
    ::io_uring_unregister_files(&ring_);
  } else {
    // Its descriptor was registered with the thread that started it: not ours to unregister here.
    ring_.int_flags = 0;
  }
  ::io_uring_queue_exit(&ring_);
  has_ring_ = false;
}

Uring::~Uring() {
  stop();
}

void Uring::submit_and_wait(Instant until) noexcept {
  check(has_ring_ && owner_ == std::this_thread::get_id(), "a ring turns on the thread that started it");
  const Duration wait = until - clock_.now();
  emit();
  if (::io_uring_cq_ready(&ring_) != 0) return flush();  // a full batch left some behind
  if (wait <= Duration::zero() || errors_.has_marked())
    return settle(::io_uring_submit_and_get_events(&ring_));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait);
  __kernel_timespec limit{.tv_sec = seconds.count(), .tv_nsec = (wait - seconds).count()};
  io_uring_cqe* first = nullptr;
  settle(::io_uring_submit_and_wait_timeout(&ring_, &first, 1, &limit, nullptr));
}

void Uring::flush() noexcept {
  emit();
  if (::io_uring_sq_ready(&ring_) != 0) settle(::io_uring_submit(&ring_));
}

// After an enter. MSG_DONTWAIT makes every send end within it, refused if need be, so a slot whose entry the
// kernel took is a slot the kernel has read. What it did not take (no memory just then), or refused for what
// the network said about another datagram, stays queued for the next enter.
void Uring::settle(int entered) noexcept {
  check(entered >= 0 || entered == -ETIME || entered == -EINTR || entered == -EAGAIN || entered == -EBUSY ||
            entered == -ENOMEM,
        "io_uring_enter refused a well-formed call");
  if (slots_.has_queued()) look_for_failed_sends();
  if (::io_uring_sq_ready(&ring_) == 0) [[likely]] {
    slots_.release_queued();
    trains_.clear();
    messages_.clear();
    departed_.clear();
    ++releases_;
  }
}

// PERF: a second look at each completion while its line is warm; before the slots are written again.
void Uring::look_for_failed_sends() noexcept {
  const unsigned tail = io_uring_smp_load_acquire(ring_.cq.ktail);
  unsigned at = looked_at_;
  if (static_cast<int>(*ring_.cq.khead - at) > 0) at = *ring_.cq.khead;
  for (; at != tail; ++at) {
    const io_uring_cqe& cqe = ring_.cq.cqes[at & *ring_.cq.kring_mask];
    if (kind_of(cqe) == Kind::send) [[unlikely]]
      on_failed_send(cqe);
  }
  looked_at_ = tail;
}

void Uring::on_failed_send(const io_uring_cqe& cqe) noexcept {
  const SendTag what = SendTag::unpack(cqe.user_data);
  const int error = -cqe.res;
  if (what.release != releases_) return counters_.send_errors.add();  // its slots may be another's by now
  const Train& train = trains_.train(what.train);
  const bool is_report = may_be_a_report(error);
  if (is_report) errors_.mark(train.socket);
  if (train.count > 1) {
    counters_.trains_refused.add();
    if (!is_report && error != EAGAIN && error != ENOBUFS && error != ENOMEM) trains_.refuse(train.socket);
    return depart_one_by_one(train);
  }
  if (is_report && what.tries + 1 < ErrorQueue::kTries) {
    counters_.send_retries.add();
    return depart(what.train, what.tries + 1);
  }
  counters_.send_errors.add();
  if (is_report && error != EMSGSIZE) errors_.add(train.to, train.socket);
}

io_uring_sqe* Uring::next_entry() noexcept {
  io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
  if (entry) [[likely]]
    return entry;
  flush();
  return ::io_uring_get_sqe(&ring_);
}

SendBuffer Uring::take_after_flush(std::uint32_t octets) noexcept {
  SendBuffer buffer;
  for (std::uint32_t i = 0; i < ErrorQueue::kTries && !buffer.data;
       ++i) {  // sends that go again keep their slots
    flush();
    buffer = slots_.take(octets);
  }
  if (!buffer.data) counters_.send_buffers_exhausted.add();
  return buffer;
}

void Uring::send(SendBuffer buffer, std::uint32_t size, SocketIndex socket, const Endpoint& to, const IpAddress& from,
                 std::uint64_t order) noexcept {
  check(size <= buffer.capacity, "a datagram fits its buffer");
  const Layout& layout = layouts_[socket];
  if (!layout.is_v6 && !to.ip.is_v4()) [[unlikely]] {
    counters_.send_errors.add();
    return drop_buffer(buffer);
  }
  const bool has_source = layout.is_wildcard;
  trains_.add(buffer.slot, size, socket, to, has_source ? from : IpAddress{}, order);
  slots_.queue(buffer.slot);
  ++queued_datagrams_;
  queued_octets_ += size;
}

// What was queued since the last time becomes entries of the ring; nothing joins it any more.
void Uring::emit() noexcept {
  while (departed_.size() < trains_.size()) {
    const auto train = static_cast<std::uint32_t>(departed_.size());
    departed_.push_back(messages_.prepare(trains_, train, layouts_[trains_.train(train).socket].is_v6,
                                          [this](std::uint32_t slot) { return slots_.data(slot); }));
    depart(train, 0);
  }
  trains_.close();
}

// PERF: one datagram is one IORING_OP_SEND with an address and no completion on success. Alternating in one process, blocks
// of 4,096 echoes of 450 octets over loopback, CPU a datagram at the first decile and median: send 3,303 and
// 3,831 ns; sendmsg 3,365 and 3,958; sendmmsg beside the ring 3,349 and 3,916. Completions on success cost
// nothing measurable to the kernel (3,303 and 3,873), but would double what a turn reads.
void Uring::depart(std::uint32_t train, std::uint32_t tries) noexcept {
  msghdr* message = departed_[train];
  io_uring_sqe* entry = message ? ::io_uring_get_sqe(&ring_) : nullptr;
  if (message && !entry) {  // more than one turn queues: these wait for the next enter, their slots with them
    ::io_uring_submit(&ring_);
    entry = ::io_uring_get_sqe(&ring_);
  }
  if (!entry) [[unlikely]]
    return counters_.send_errors.add(trains_.train(train).count);
  const int file = static_cast<int>(trains_.train(train).socket);
  if (message->msg_controllen == 0 && message->msg_iovlen == 1) {
    io_uring_prep_send(entry, file, message->msg_iov->iov_base, message->msg_iov->iov_len, MSG_DONTWAIT);
    entry->addr2 = reinterpret_cast<std::uintptr_t>(message->msg_name);
    entry->addr_len = static_cast<std::uint16_t>(message->msg_namelen);
  } else {
    io_uring_prep_sendmsg(entry, file, message, MSG_DONTWAIT);
    if (message->msg_iovlen > 1) counters_.trains.add();
  }
  use_fixed_file(*entry);
  entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
  entry->user_data = SendTag{train, tries, releases_}.pack();
}

// A train that was refused: its datagrams have their own chance.
void Uring::depart_one_by_one(const Train& train) noexcept {
  for (std::uint32_t at = train.first; at != QueuedSend::kLast; at = trains_.member(at).next) {
    trains_.add_alone(trains_.member(at).slot, trains_.member(at).size, train);
  }
  emit();
}

void Uring::wake(std::uint32_t shard) noexcept {
  io_uring_sqe* entry = next_entry();
  if (!entry) [[unlikely]]
    return counters_.wake_errors.add();
  io_uring_prep_msg_ring(entry, peers_[shard], 0, tag(Kind::woken), 0);
  entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
  entry->user_data = tag(Kind::wake);
  counters_.wakes_sent.add();
}

void Uring::wake_from_outside() noexcept {
  const std::uint64_t one = 1;
  // Cannot fail: the count would have to reach 2^64 - 1 between two turns.
  [[maybe_unused]] const auto written = ::write(outside_.get(), &one, sizeof one);
}

void Uring::arm_receive(SocketIndex socket) noexcept {
  io_uring_sqe* entry = next_entry();
  if (!entry) return;  // stays disarmed; tried again next turn
  io_uring_prep_recvmsg(entry, static_cast<int>(socket), &layouts_[socket].shape, 0);
  entry->ioprio |= IORING_RECV_MULTISHOT;
  use_fixed_file(*entry);
  entry->flags |= IOSQE_BUFFER_SELECT;
  entry->buf_group = kBufferGroup;
  entry->user_data = tag(Kind::receive, socket);
  disarmed_[socket] = false;
}

void Uring::arm_outside() noexcept {
  io_uring_sqe* entry = next_entry();
  if (!entry) return;
  io_uring_prep_read(entry, static_cast<int>(layouts_.size()), &outside_count_, sizeof outside_count_, 0);
  use_fixed_file(*entry);
  entry->user_data = tag(Kind::outside);
  outside_armed_ = true;
}

void Uring::on_receive_error(int error, SocketIndex socket) noexcept {
  // It ended the multishot, which end_turn() makes again; nothing that waited to be received is lost.
  if (may_be_a_report(error)) return errors_.mark(socket);
  // ENOBUFS: more waits than there are buffers. It stays in the socket until the buffers are back.
  (error == ENOBUFS ? counters_.receive_buffers_exhausted : counters_.receive_errors).add();
}

void Uring::on_other(const io_uring_cqe& cqe) noexcept {
  switch (kind_of(cqe)) {
    case Kind::outside:
      outside_armed_ = false;
      counters_.wakes_received.add();
      return;
    case Kind::woken: return counters_.wakes_received.add();
    case Kind::wake: return counters_.wake_errors.add();  // successes are skipped
    case Kind::send: return;                              // settled: on_failed_send()
    case Kind::receive: break;
  }
  check(false, "a completion of something never asked for");
}

void Uring::end_turn(unsigned seen, const Tally& tally) noexcept {
  io_uring_cq_advance(&ring_, seen);
  io_uring_buf_ring_advance(buffer_ring(), static_cast<int>(given_back_));
  given_back_ = 0;
  for (std::size_t socket = 0; socket < disarmed_.size(); ++socket) {
    if (disarmed_[socket]) [[unlikely]]
      arm_receive(static_cast<SocketIndex>(socket));
  }
  if (!outside_armed_) [[unlikely]]
    arm_outside();
  // As many as there are buffers: the kernel had no place for more, or was about to have none.
  watch_.turn_ends(
      tally.datagrams >= std::min<std::uint32_t>(options_.receive_buffers, limits::kTurnBatchMax),
      clock_.now(), sockets_, counters_);
  counters_.turns.add();
  counters_.datagrams_in.add(tally.datagrams);
  counters_.bytes_in.add(tally.octets);
  counters_.truncated.add(tally.truncated);
  counters_.datagrams_out.add(queued_datagrams_);
  counters_.bytes_out.add(queued_octets_);
  queued_datagrams_ = queued_octets_ = 0;
}

std::size_t Uring::memory_bytes() const noexcept {
  const std::size_t rings =
      *ring_.sq.kring_entries * sizeof(io_uring_sqe) + *ring_.cq.kring_entries * sizeof(io_uring_cqe);
  return std::size_t{options_.receive_buffers} * (buffer_octets_ + sizeof(io_uring_buf)) +
         slots_.memory_bytes() + messages_.memory_bytes() + rings;
}

}  // namespace ringweir::io
