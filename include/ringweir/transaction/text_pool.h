// The octets that transactions keep: a request until it is answered, a response until nobody asks for it
// again. Blocks of fourteen sizes out of one region that the caller reserved (io::Pages): pages are touched
// as they are used, nothing is asked of malloc, and running out is an answer. The region is dealt in chunks;
// a chunk has blocks of one size while any of them is taken, and then serves any size again: a storm of one
// kind of message takes nothing from the next. All O(1). One a shard, one thread; the counters may be read by
// any.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "ringweir/base/counters.h"
#include "ringweir/base/limits.h"

namespace ringweir::transaction {

// Names a text of a pool. A plain value: TextPool::give ends it, as often as take, keep and share began it.
struct Text {
  std::uint32_t at = 0;    // in grains of 64 octets, plus one; 0: none
  std::uint32_t size = 0;  // octets
  explicit operator bool() const noexcept { return at != 0; }
};
static_assert(sizeof(Text) == 8);

class TextPool {
 public:
  static constexpr std::size_t kBytesMax = limits::kMessageBytesMax;
  static constexpr std::size_t kChunkBytes = 256 * 1024;

  // `region` is aligned to 64 octets, outlives the pool, and is used in whole chunks.
  explicit TextPool(std::span<std::byte> region);
  TextPool(const TextPool&) = delete;
  TextPool& operator=(const TextPool&) = delete;
  ~TextPool();

  // Room for `size` octets, at most kBytesMax; none when the pool is used up (counted): the caller sheds.
  Text take(std::size_t size) noexcept;
  // A copy of `octets`; none as above.
  Text keep(std::string_view octets) noexcept;
  // `text` becomes a copy of `octets`, in place where nobody shares it and it fits. Where there is no room
  // `text` is none: a transaction that cannot keep its newest message must not send an older one.
  bool replace(Text& text, std::string_view octets) noexcept;
  Text share(const Text& text) noexcept;  // one more owner
  void give(Text& text) noexcept;         // one owner less; `text` becomes none. None may be given.

  std::span<char> room(const Text& text) noexcept;  // to write into, by an only owner
  std::string_view view(const Text& text) const noexcept;

  struct Counters {
    Counter texts;      // kept now
    Counter bytes;      // in blocks that are taken, their waste included
    Counter chunks;     // dealt to a size
    Counter exhausted;  // asked for in vain, ever
  };
  const Counters& counters() const noexcept { return counters_; }
  std::size_t capacity_bytes() const noexcept { return chunks_max_ * kChunkBytes; }

 private:
  // In front of each text.
  struct Header {
    std::uint32_t owners;     // 0: free
    std::uint32_t next_free;  // block of this chunk, plus one
  };
  struct Chunk {
    std::uint32_t next = 0,
                  previous =
                      0;     // among the chunks of this size that have room, or the free ones; index plus one
    std::uint32_t free = 0;  // block plus one
    std::uint16_t taken = 0, carved = 0;  // blocks
    std::uint8_t size_class = 0;
  };
  static constexpr std::size_t kGrain = 64;
  static constexpr std::size_t kClasses = 14;

  std::size_t chunk_of(const Text& text) const noexcept { return (text.at - 1) / (kChunkBytes / kGrain); }
  std::byte* block_at(const Text& text) const noexcept { return region_ + std::size_t{text.at - 1} * kGrain; }
  Header& header(const Text& text) const noexcept;
  std::uint32_t chunk_with_room(std::size_t size_class) noexcept;
  void link(std::uint32_t& list, std::uint32_t index) noexcept;
  void unlink(std::uint32_t& list, std::uint32_t index) noexcept;

  std::byte* region_;
  std::size_t chunks_max_;
  std::uint32_t chunks_begun_ = 0;
  std::uint32_t free_chunks_ = 0;
  std::array<std::uint32_t, kClasses> with_room_{};
  std::unique_ptr<Chunk[]> chunks_;
  Counters counters_;
};

}  // namespace ringweir::transaction
