#include "ringweir/shard/mailbox.h"

#include <cstring>

namespace ringweir::shard {

ParcelStore::ParcelStore(std::uint32_t small, std::uint32_t large) : small_(small), large_(large) {}

Parcel* ParcelStore::pack(const io::Received& received, std::uint64_t call_id_hash, Instant now) noexcept {
  const std::size_t size = received.bytes.size();
  Parcel* parcel = nullptr;
  char* text = nullptr;
  const bool large = size > limits::kParcelBytes;
  const auto place = [&](auto* block) {
    if (!block) return;
    parcel = &block->parcel;
    text = block->text;
  };
  if (large) {
    if (size > limits::kMessageBytesMax) return nullptr;
    place(large_.take());
  } else {
    place(small_.take());
  }
  if (!parcel) return nullptr;
  std::memcpy(text, received.bytes.data(), size);
  *parcel = {call_id_hash, now, received, large};
  parcel->received.bytes = {text, size};
  return parcel;
}

void ParcelStore::release(Parcel* parcel) noexcept {
  if (parcel->large) {
    large_.give(reinterpret_cast<Block<limits::kMessageBytesMax>*>(parcel));
  } else {
    small_.give(reinterpret_cast<Block<limits::kParcelBytes>*>(parcel));
  }
}

Exchange::Exchange(std::uint32_t shards, std::uint32_t depth) : shards_(shards), depth_(depth) {
  lanes_.reserve(std::size_t{shards} * shards);
  for (std::uint32_t i = 0; i < shards * shards; ++i) {
    lanes_.push_back(std::make_unique<Lane>(depth, parcels_small() + parcels_large()));
  }
}

}  // namespace ringweir::shard
