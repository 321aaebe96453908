#include "ringweir/io/send_trains.h"

#include <cstring>

namespace ringweir::io {
namespace {

// Only spreads: a peer that finds ways or calls that fall together makes trains shorter, nothing else.
std::uint64_t spread(std::uint64_t bits) noexcept {
  bits *= 0x9e3779b97f4a7c15ull;
  return bits ^ bits >> 32;
}

std::size_t way_of(std::uint32_t size, SocketIndex socket, const Endpoint& to) noexcept {
  std::uint64_t high, low;
  std::memcpy(&high, to.ip.octets.data(), 8);
  std::memcpy(&low, to.ip.octets.data() + 8, 8);
  const std::uint64_t rest = std::uint64_t{size} << 32 | std::uint64_t{socket} << 16 | to.port;
  return spread(spread(high ^ rest) ^ low) & 255;
}

}  // namespace

SendTrains::SendTrains(std::uint32_t slots, bool together) : together_(together) {
  sends_.reserve(slots);
  trains_.reserve(slots);
}

bool SendTrains::joins(std::uint32_t train, std::uint32_t size, SocketIndex socket, const Endpoint& to,
                       const IpAddress& from) const noexcept {
  const Train& open = trains_[train];
  return open.size == size && open.socket == socket && open.to == to && open.from == from && open.count < kSegmentsMax &&
         (open.count + 1u) * size <= kTrainOctetsMax;
}

void SendTrains::add(std::uint32_t slot, std::uint32_t size, SocketIndex socket, const Endpoint& to, const IpAddress& from,
                     std::uint64_t order) noexcept {
  const auto index = static_cast<std::uint32_t>(sends_.size());
  sends_.push_back({slot, size, QueuedSend::kLast});
  const bool may_join = together_ && size <= kSegmentOctetsMax && size != 0 && !refused_[socket];
  Latest& latest = latest_[spread(order) & (latest_.size() - 1)];
  if (may_join) {
    const Way& way = ways_[way_of(size, socket, to)];
    const bool in_order = latest.epoch != epoch_ || latest.train <= way.train;
    if (way.epoch == epoch_ && in_order && joins(way.train, size, socket, to, from)) {
      Train& train = trains_[way.train];
      sends_[train.last].next = index;
      train.last = index;
      ++train.count;
      latest = {epoch_, way.train};
      return;
    }
  }
  const auto fresh = static_cast<std::uint32_t>(trains_.size());
  trains_.push_back({to, from, socket, 1, size, index, index});
  latest = {epoch_, fresh};
  if (may_join) ways_[way_of(size, socket, to)] = {epoch_, fresh};
}

void SendTrains::add_alone(std::uint32_t slot, std::uint32_t size, const Train& like) noexcept {
  const auto index = static_cast<std::uint32_t>(sends_.size());
  sends_.push_back({slot, size, QueuedSend::kLast});
  trains_.push_back({like.to, like.from, like.socket, 1, size, index, index});
}

TrainMessages::TrainMessages(std::uint32_t slots) : envelopes_(slots) { texts_.reserve(slots); }

msghdr* TrainMessages::address(const Train& train, bool socket_is_v6, std::span<iovec> texts) noexcept {
  Envelope& envelope = envelopes_[used_];
  const socklen_t name_size = name_of(train.to, socket_is_v6, envelope.name);
  if (name_size == 0) return nullptr;
  ++used_;
  envelope.message = {};
  envelope.message.msg_name = &envelope.name;
  envelope.message.msg_namelen = name_size;
  envelope.message.msg_iov = texts.data();
  envelope.message.msg_iovlen = texts.size();
  std::size_t control = 0;
  if (!train.from.is_unspecified()) control = source_control(train.from, socket_is_v6, envelope.control.data());
  if (train.count > 1) control += segment_control(static_cast<std::uint16_t>(train.size), envelope.control.data() + control);
  if (control != 0) {
    envelope.message.msg_control = envelope.control.data();
    envelope.message.msg_controllen = control;
  }
  return &envelope.message;
}

void SendTrains::clear() noexcept {
  sends_.clear();
  trains_.clear();
  ++epoch_;
}

}  // namespace ringweir::io
