#include "ringweir/io/sim.h"

namespace ringweir::io {

Sim::Sim(const SimClock& clock, const SimOptions& options)
    : clock_(clock),
      options_(options),
      inputs_(options.inputs),
      input_text_(std::make_unique<char[]>(std::size_t{options.inputs} * options.octets_each)),
      buffers_(std::make_unique<char[]>(std::size_t{options.send_buffers} * options.octets_each)),
      large_(std::make_unique<char[]>(std::size_t{kLargeBuffers} * limits::kMessageBytesMax)) {
  for (std::uint32_t i = options.send_buffers; i-- > 0;) free_.push_back(i);
  for (std::uint32_t i = kLargeBuffers; i-- > 0;) free_large_.push_back(options.send_buffers + i);
  sent_.reserve(options.send_buffers + kLargeBuffers);
  sent_slots_.reserve(options.send_buffers + kLargeBuffers);
}

bool Sim::deliver(std::string_view bytes, const Endpoint& from, SocketIndex socket) noexcept {
  if (waiting_ == inputs_.size()) {
    overflowed_ = true;
    counters_.queue_overflows.add();
    return false;
  }
  const std::uint32_t at = (head_ + waiting_) % static_cast<std::uint32_t>(inputs_.size());
  std::memcpy(input_text_.get() + std::size_t{at} * options_.octets_each, bytes.data(),
              std::min<std::size_t>(bytes.size(), options_.octets_each));
  inputs_[at] = {at, static_cast<std::uint32_t>(bytes.size()), from, socket, clock_.now};
  ++waiting_;
  return true;
}

char* Sim::buffer_at(std::uint32_t slot) noexcept {
  if (slot < options_.send_buffers) return buffers_.get() + std::size_t{slot} * options_.octets_each;
  return large_.get() + std::size_t{slot - options_.send_buffers} * limits::kMessageBytesMax;
}

SendBuffer Sim::take_buffer(std::uint32_t capacity) noexcept {
  const bool is_large = capacity > options_.octets_each;
  auto& pool = is_large ? free_large_ : free_;
  if (pool.empty() || fail_buffers_ || capacity > limits::kMessageBytesMax) {
    counters_.send_buffers_exhausted.add();
    return {};
  }
  const std::uint32_t slot = pool.back();
  pool.pop_back();
  ++taken_;
  return {buffer_at(slot),
          is_large ? static_cast<std::uint32_t>(limits::kMessageBytesMax) : options_.octets_each, slot};
}

void Sim::drop_buffer(SendBuffer buffer) noexcept {
  (buffer.slot < options_.send_buffers ? free_ : free_large_).push_back(buffer.slot);
  --taken_;
}

void Sim::send(SendBuffer buffer, std::uint32_t size, SocketIndex socket, const Endpoint& to,
               const IpAddress& from, std::uint64_t) noexcept {
  check(size <= buffer.capacity, "a datagram fits its buffer");
  counters_.datagrams_out.add();
  sent_.push_back({{buffer.data, size}, to, socket, from});
  sent_slots_.push_back(buffer.slot);
}

void Sim::clear_sent() noexcept {
  for (const std::uint32_t slot : sent_slots_) drop_buffer({nullptr, 0, slot});
  sent_.clear();
  sent_slots_.clear();
}

void Sim::wake(std::uint32_t shard) noexcept {
  counters_.wakes_sent.add();
  shards_[shard]->woken_ = true;
}

}  // namespace ringweir::io
